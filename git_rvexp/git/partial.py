"""The objects of a partial clone: what it lacks is taken from somebody else where that can be done.

Left alone, git fetches a missing object in the middle of the reading, and with it the next one, each by itself. Who
else has them, and how they are proven, is not known here.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from git_rvexp.git.catfile import Found, Reading
from git_rvexp.git.plumbing import Repo


class Lent(Protocol):
    """Objects from elsewhere, held against their names by those who got them."""

    def kind(self, oid: str) -> str:
        """What git calls it; "" when it is not among them."""

    def size(self, oid: str) -> int:
        """Its size in bytes."""

    def chunks(self, oid: str) -> Iterator[bytes]:
        """Its bytes, piece by piece."""


Lend = Callable[[frozenset[str]], Lent | None]
"""Gets a commit's objects, given the names of those that the clone lacks; None where that cannot be done."""


def lacking(repo: Repo, commit: str) -> frozenset[str]:
    """The trees and files of `commit` that are not in the clone; below a tree that is missing nothing is known.

    Fetches nothing. Empty when the commit itself is not here.
    """
    asked = ("--objects", "--missing=print", "--no-object-names", "--no-walk", commit)
    listed = repo.git("rev-list", *asked, ok=(0, 128))
    return frozenset(line[1:] for line in listed.lines if line.startswith("?"))


class Partial:
    """A `Reading` over the clone's `own` objects and those that are lent. Threads may share it."""

    def __init__(self, repo: Repo, own: Reading) -> None:
        self._repo, self._own = repo, own
        self._loans: list[_Loan] = []
        self._lock = threading.Lock()

    def take(self, commit: str, lend: Lend) -> None:
        """Ask `lend` once, as soon as something of `commit` is wanted that the clone lacks."""
        self._loans.append(_Loan(self._repo, commit, lend))

    def contents(self, oids: Sequence[str]) -> Iterator[Found]:
        """As `CatFile` has it."""
        held = self._held(oids)
        own = self._own.contents([oid for oid in oids if oid not in held])
        for oid in oids:
            lent = held.get(oid)
            yield Found(lent.kind(oid), b"".join(lent.chunks(oid))) if lent else next(own)

    def sizes(self, oids: Sequence[str]) -> list[int | None]:
        """As `CatFile` has it."""
        held = self._held(oids)
        own = iter(self._own.sizes([oid for oid in oids if oid not in held]))
        return [held[oid].size(oid) if oid in held else next(own) for oid in oids]

    def streamed(self, oid: str) -> Iterator[bytes]:
        """As `CatFile` has it."""
        lent = self._held([oid]).get(oid)
        return lent.chunks(oid) if lent else self._own.streamed(oid)

    def _held(self, oids: Sequence[str]) -> dict[str, Lent]:
        """Who lends which of these."""
        held: dict[str, Lent] = {}
        with self._lock:
            for loan in self._loans:
                rest = [oid for oid in oids if oid not in held]
                lent = loan.given(rest)
                held |= {oid: lent for oid in rest if lent.kind(oid)} if lent else {}
        return held


class _Loan:
    """One commit's objects, of which nothing is asked before something is lacking."""

    def __init__(self, repo: Repo, commit: str, lend: Lend) -> None:
        self._repo, self._commit, self._lend = repo, commit, lend
        self._lacking: frozenset[str] | None = None
        self._lent: Lent | None = None

    def given(self, oids: Sequence[str]) -> Lent | None:
        """What is lent, if it is already or if one of `oids` is lacking."""
        if self._lacking is None:
            self._lacking = lacking(self._repo, self._commit)
        if not self._lacking.isdisjoint(oids):
            self._lent, self._lacking = self._lend(self._lacking), frozenset()
        return self._lent
