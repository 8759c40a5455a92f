"""A `git cat-file` that answers for as long as it is needed: objects as they are, each held against its name.

It reads true objects and runs nothing: no filters, no attributes, no hooks, no replace refs, whatever the repository's
configuration says. Git itself does not hash what it reads, so that is done here. What trees and files mean is
`objects`' business.
"""

import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from git_rvexp.errors import GitError
from git_rvexp.git import largeblobs
from git_rvexp.git.catprocess import Running, end, missing, portions, start, unreadable
from git_rvexp.tree import naming

_CONTENTS, _SIZES = "--batch", "--batch-check"  # one git for each: --batch-command came with git 2.36 only


class Found(NamedTuple):
    """An object: what kind git says it is, and its bytes."""

    kind: str
    content: bytes


class Reading(Protocol):
    """What `Objects` needs of those who have objects; `CatFile` says what each of these is."""

    def contents(self, oids: Sequence[str]) -> Iterator[Found]: ...  # noqa: D102

    def sizes(self, oids: Sequence[str]) -> list[int | None]: ...  # noqa: D102

    def streamed(self, oid: str) -> Iterator[bytes]: ...  # noqa: D102


@dataclass
class CatFile:
    """The objects of the repository at `git_dir`. Threads may share it. Git is started when it is first asked."""

    git_dir: Path
    env: Mapping[str, str]
    _gits: dict[str, Running] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def contents(self, oids: Sequence[str]) -> Iterator[Found]:
        """The objects with these names. GitError for one that is missing or is not what its name says."""
        for some in portions(oids):
            with self._lock:
                self._ask(_CONTENTS, some)
                found = [self._object(oid) for oid in some]
            yield from found

    def sizes(self, oids: Sequence[str]) -> list[int | None]:
        """Their sizes in bytes, by what git says; None for what is not here."""
        found: list[int | None] = []
        for some in portions(oids):
            with self._lock:
                self._ask(_SIZES, some)
                answers = [self._line(_SIZES, oid) for oid in some]
            found += [int(words[2]) if len(words) == 3 else None for words in answers]
        return found

    def streamed(self, oid: str) -> Iterator[bytes]:
        """A blob's bytes piece by piece: nothing of it stays in memory.

        GitError before the last piece when they are not what the name says.
        """
        size = self.sizes([oid])[0]
        if size is None:
            raise self._missing(oid)
        return largeblobs.pieces(self.git_dir, self.env, oid, size)

    def _ask(self, what: str, oids: Sequence[str]) -> None:
        git = self._gits.get(what)
        if git is None or git.poll() is not None:
            git = self._gits[what] = start(self.git_dir, self.env, what)
            weakref.finalize(self, end, git)
        assert git.stdin
        try:
            git.stdin.write("".join(f"{oid}\n" for oid in oids).encode())
            git.stdin.flush()
        except OSError as why:
            raise self._ended(what, oids[0]) from why

    def _object(self, oid: str) -> Found:
        words = self._line(_CONTENTS, oid)
        if len(words) != 3:
            raise self._missing(oid)
        out = self._gits[_CONTENTS].stdout
        assert out
        kind, size = words[1], int(words[2])
        content = out.read(size + 1)[:-1]
        if len(content) != size:
            raise self._ended(_CONTENTS, oid)
        seen = naming(kind, size, len(oid))
        seen.update(content)
        if seen.hexdigest() != oid:
            self._stop()
            raise unreadable(oid, "hash mismatch")
        return Found(kind, content)

    def _line(self, what: str, oid: str) -> list[str]:
        """The name, kind and size of what comes next; another form for what is not here."""
        out = self._gits[what].stdout
        assert out
        line = out.readline()
        if not line:
            raise self._ended(what, oid)
        return line.decode("utf-8", "replace").split()

    def _missing(self, oid: str) -> GitError:
        self._stop()
        return missing(oid, self.git_dir)

    def _ended(self, what: str, oid: str) -> GitError:
        """Git gave up: what it said of that."""
        told = end(self._gits.pop(what)).strip().splitlines()
        return unreadable(oid, "; ".join(told[-3:]) or "git cat-file ended")

    def _stop(self) -> None:
        """Answers that nobody waits for any more go with the git that gives them."""
        git = self._gits.pop(_CONTENTS, None)
        if git:
            git.kill()
            end(git)
