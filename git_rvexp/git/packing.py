"""New objects, written together by one process: a pack made here, which `git unpack-objects` takes apart.

`hash-object`, `mktree` and `commit-tree` write one kind each, and each is a process. git gives the objects their names
itself, from what it was sent, and writes no tree and no commit before it has seen that all they refer to is there; that
the names are those which were told here is seen when they are used.
"""

import hashlib
import zlib

from git_rvexp.git.plumbing import Repo
from git_rvexp.tree import naming

_KINDS = {"commit": 1, "tree": 2, "blob": 3}


class Pack:
    """Objects on their way into `repo`."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._entries: dict[str, bytes] = {}

    def add(self, kind: str, content: bytes) -> str:
        """Have the object (commit, tree or blob) written by `store`; its name."""
        seen = naming(kind, len(content), len(self._repo.null_oid))
        seen.update(content)
        name = seen.hexdigest()
        if name not in self._entries:
            # Only a pipe is saved by compressing it well: git does that anew for its store.
            self._entries[name] = _head(_KINDS[kind], len(content)) + zlib.compress(content, 1)
        return name

    def store(self) -> None:
        """Write them all. GitError when one refers to what is not there: then at most blobs were written."""
        whole = b"PACK" + (2).to_bytes(4, "big") + len(self._entries).to_bytes(4, "big")
        whole += b"".join(self._entries.values())
        trailer = hashlib.new(self._repo.object_format, whole, usedforsecurity=False).digest()
        self._repo.git("unpack-objects", "-q", "--strict", stdin=whole + trailer)
        self._entries.clear()


def _head(kind: int, size: int) -> bytes:
    """Kind and size as packs have them: four bits of the size beside the kind, then seven a byte, lowest first."""
    first, size = kind << 4 | size & 15, size >> 4
    head = bytearray()
    while size:
        head.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    head.append(first)
    return bytes(head)
