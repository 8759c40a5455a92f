"""The ledger: events appended to the note of a snapshot's tag object, by compare-and-swap, never rewritten."""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from git_rvexp.errors import GitError
from git_rvexp.git import notes
from git_rvexp.git.notes import Tip
from git_rvexp.git.plumbing import Repo
from git_rvexp.jitter import jitter
from git_rvexp.locks import LocklessError, lock
from git_rvexp.record.events import Event, Record, lines, parse, skim, stamp
from git_rvexp.terms import Json

_TRIES = 500
# A lost race means that somebody else's write went through. When the tip stands still instead, a lock was left behind.
_STANDSTILLS = 10
_TURNS = 600  # some ten seconds: whoever holds the lock longer was stopped, or is asked for a passphrase


def _utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@contextmanager
def _in_turn(repo: Repo, sleep: Callable[[float], None]) -> Iterator[None]:
    """Let this clone's writers go one after another where there are file locks; none waits for one that stands still.

    It only saves work that would be lost to a race: what keeps the record whole is the compare-and-swap.
    """
    path = repo.state_dir / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            with suppress(LocklessError):
                _wait(file, path, sleep)
            yield
    except OSError as why:
        raise GitError(f"the record cannot be written: {why}") from why


def _wait(file: IO[bytes], path: Path, sleep: Callable[[float], None]) -> None:
    for _ in range(_TURNS):
        with suppress(BlockingIOError):
            return lock(file, path, wait=False)
        sleep(jitter(0.005, 0.03))
    return None


def _silent(_text: str) -> None:
    """Tell nobody."""


class Ledger(NamedTuple):
    """The record of a clone. `now` and `sleep` are given so that tests can own time; `warn` tells people."""

    repo: Repo
    now: Callable[[], dt.datetime] = _utc
    sleep: Callable[[float], None] = time.sleep
    warn: Callable[[str], None] = _silent

    def event(self, kind: str, fields: Mapping[str, Json]) -> Event:
        """An event that happens now."""
        return Event(stamp(self.now()), kind, dict(fields))

    def append(self, oid: str, *events: Event) -> None:
        """Add `events` to the note on `oid`; on return they are in this clone's record, whoever else is writing."""
        self.append_all({oid: events})

    def append_all(self, events: Mapping[str, Sequence[Event]]) -> None:
        """The same for the notes on several objects, in one step: all of it is written or nothing."""
        added = {oid: lines(of) for oid, of in events.items()}
        kinds = ", ".join(dict.fromkeys(e.kind for of in events.values() for e in of))

        def appended(at: Tip) -> Tip:
            before = notes.read(self.repo, at, added)
            texts = {oid: _ended(before.get(oid, "")) + text for oid, text in added.items()}
            return notes.write(self.repo, at, texts, f"rvexp: {kinds}")

        if added:
            self.move(appended, f"rvexp: {kinds}")

    def move(self, change: Callable[[Tip], Tip], reason: str, ref: str = notes.REF) -> None:
        """Move the record's ref to what `change` makes of it, again and again until nobody else moved it meanwhile.

        `change` gives back the tip it was given when there is nothing to do. `ref` is another one that is kept like it.
        """
        with _in_turn(self.repo, self.sleep):
            self._move(change, reason, ref)

    def _move(self, change: Callable[[Tip], Tip], reason: str, ref: str) -> None:
        stood, last = 0, None
        for attempt in range(_TRIES):
            at = notes.tip(self.repo, ref)
            stood, last = (stood + 1 if at == last else 0), at
            if stood == _STANDSTILLS:
                break
            new = change(at)
            if new == at or notes.swap(self.repo, new, at, reason, ref):
                return
            self.sleep(jitter(0, 0.01 * min(attempt + 1, 10)))
        left = self.repo.common_dir / f"{ref}.lock"
        if stood == _STANDSTILLS:
            raise GitError(f"the record is locked: {left}", hint="remove that file if no git command is running")
        raise GitError("the record could not be written: too many others are writing", hint="try again")

    def record(self, oid: str) -> Record:
        """What the note on `oid` says."""
        return self.records([oid])[oid]

    def records(self, oids: Iterable[str]) -> dict[str, Record]:
        """What the notes on `oids` say, by one git process; an absent note is an empty record."""
        wanted = list(oids)
        texts = notes.read(self.repo, notes.tip(self.repo), wanted)
        return {oid: parse(texts.get(oid, "")) for oid in wanted}

    def skimmed(self, oids: Iterable[str], wanted: Mapping[str, frozenset[str]]) -> dict[str, Record]:
        """The same, read only as far as `wanted` (see `events.skim`)."""
        known = list(oids)
        found = {oid: skim(text, wanted) for oid, text in notes.read_now(self.repo, known)}
        return {oid: found.get(oid, Record()) for oid in known}

    def naming(self, oids: Iterable[str], text: str) -> dict[str, Record]:
        """What those notes say that hold `text` at all: the others are not parsed."""
        texts = notes.read(self.repo, notes.tip(self.repo), oids)
        return {oid: parse(note) for oid, note in texts.items() if text in note}


def _ended(text: str) -> str:
    """A note's text with its last line ended, whoever wrote it."""
    return text if not text or text.endswith("\n") else text + "\n"
