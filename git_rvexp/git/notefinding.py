"""Some notes among very many, found by reading each tree once.

A note named as `commit:path` makes git go all the way down for each of the three paths at which it can stand: 11 ms
of CPU for 20 among 100,000. Here one `git cat-file` is asked for the trees and then for the notes. `catfile` would not
do: it hashes all it reads and stops at what is missing, and a look at the record does neither. What the notes say, and
whether they are sound, is `notes`' business.
"""

import subprocess
from collections.abc import Iterable, Sequence
from typing import Self

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo

MOST = 100
"""How many objects may be asked for: what is asked must fit into a pipe while nobody reads the answers."""
_FOLDER = b"40000"
_DEPTHS = (0, 2, 4)  # digits of an object that folders may stand for


def found(repo: Repo, at: str, oids: Sequence[str]) -> dict[str, list[tuple[str, bytes | None]]]:
    """The notes at `at` (a commit or ref, which may not exist) of at most MOST objects: their blobs, with contents.

    There are several where fan-outs differ, none where there is no note. What a tree names and is gone, be it a note or
    a tree on the way to one, has no content.
    """
    assert len(oids) <= MOST
    found: dict[str, list[tuple[str, bytes | None]]] = {}
    named: list[tuple[str, str]] = []
    with _Reader(repo) as reader:
        trees = dict.fromkeys(oids, f"{at}^{{tree}}")
        for depth in _DEPTHS:
            contents = reader.read(trees.values(), b"tree")
            inner = {}
            for oid, tree in trees.items():
                content = contents[tree]
                if content is None:
                    found[oid] = [(tree, None)]
                    continue
                if blob := _blob(content, oid[depth:], len(oid) // 2):
                    named.append((oid, blob))
                if folder := _folder(content, oid[depth : depth + 2], len(oid) // 2):
                    inner[oid] = folder
            trees = inner
        bodies = reader.read((blob for _, blob in named), b"blob")
    for oid, blob in named:
        found.setdefault(oid, []).append((blob, bodies[blob]))
    return found


def _blob(tree: bytes, name: str, width: int) -> str:
    """The id that a tree's content (mode, blank, name, NUL, id; again and again) has for a file; "" for none."""
    mark = b" %s\0" % name.encode()
    at = tree.find(mark)
    return "" if at < 0 or tree.endswith(_FOLDER, 0, at) else _id(tree, at + len(mark), width)


def _folder(tree: bytes, name: str, width: int) -> str:
    """The same for a folder."""
    mark = _FOLDER + b" %s\0" % name.encode()
    at = tree.find(mark)
    return "" if at < 0 else _id(tree, at + len(mark), width)


def _id(tree: bytes, begin: int, width: int) -> str:
    return tree[begin : begin + width].hex()


class _Reader:
    """A `git cat-file` that is asked again and again."""

    def __init__(self, repo: Repo) -> None:
        self._git = subprocess.Popen(
            ["git", "cat-file", "--batch"],
            cwd=repo.top,
            env=repo.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._git.communicate()

    def read(self, names: Iterable[str], kind: bytes) -> dict[str, bytes | None]:
        """The contents of the objects; None for what is not there or of another kind."""
        assert self._git.stdin
        known = list(dict.fromkeys(names))
        self._git.stdin.write("".join(f"{name}\n" for name in known).encode())
        self._git.stdin.flush()
        return {name: self._next(kind) for name in known}

    def _next(self, kind: bytes) -> bytes | None:
        assert self._git.stdout
        assert self._git.stderr
        head = self._git.stdout.readline()
        if not head:
            said = self._git.stderr.read().decode("utf-8", "replace").strip()
            raise GitError(f"the record could not be read\n  {said}")
        if head.endswith((b" missing\n", b" ambiguous\n")):
            return None
        _, is_a, size = head.split(b" ")
        body = self._git.stdout.read(int(size) + 1)
        return body[:-1] if is_a == kind else None
