"""Sharing the record: fetch beside, union by line, push without force.

What the remote showed last is kept in a ref of our own. A notes ref that is not a descendant of it, or a tag
that moved or went, is an alarm and not a merge: nothing is overwritten, here or there, until it is accepted.
"""

import os
from collections.abc import Container
from dataclasses import dataclass

from git_rvexp.errors import PendingError, RvexpError
from git_rvexp.git import notes, remote
from git_rvexp.git.notes import Tip
from git_rvexp.git.process import Result
from git_rvexp.jitter import jitter, token
from git_rvexp.record.asking import SEEN, Answer, ask
from git_rvexp.record.kept import merged as both
from git_rvexp.record.ledger import Ledger
from git_rvexp.record.restoring import restored

_TRIES = 100
# A lost race means that somebody else's write went through. Where the tip stands still instead, the remote refuses.
_STANDSTILLS = 3


class AlarmError(RvexpError):
    """The remote's history is not a continuation of what it was: rewritten, rewound, moved or deleted."""


@dataclass(frozen=True)
class Alarm:
    """One ref that changed in a way that never happens by itself. Empty ids mean "absent"."""

    ref: str
    recorded: str
    remote: str

    def __str__(self) -> str:
        verb = "moved" if self.remote else "was deleted"
        return f"{self.ref} {verb} on the experiments remote: recorded {self.recorded}, remote {self.remote or 'none'}"


@dataclass(frozen=True)
class Clash(Alarm):
    """A name of one snapshot here, `recorded`, and of another on the remote, which was not seen to have ours.

    Two clones may have chosen it before either knew of the other; or it was moved there.
    """

    def __str__(self) -> str:
        there = f"here {self.recorded}, remote {self.remote}"
        return f"{self.ref} is one snapshot here and another on the experiments remote: {there}"


CLASHED = "git rvexp snapshot with another name takes yours again, where the work tree still holds it"


def tag_alarms(there: Answer) -> list[Alarm]:
    """Snapshot tags asked for that the remote had, or that we have, and that now stand elsewhere or nowhere."""
    now = {tag: there.refs.get(f"refs/tags/{tag}", "") for tag in there.published}
    moved = [Alarm(f"refs/tags/{tag}", oid, now[tag]) for tag, oid in there.published.items() if now[tag] != oid]
    return [*moved, *clashes(there, but=there.published)]


def clashes(there: Answer, *, but: Container[str] = ()) -> list[Clash]:
    """Tags that are here and on the remote and not the same, those that were accepted to be so too."""
    found = ((tag, oid, there.refs.get(f"refs/tags/{tag}", oid)) for tag, oid in there.here.items() if tag not in but)
    return [Clash(f"refs/tags/{tag}", oid, now) for tag, oid, now in found if now != oid]


def receive_notes(ledger: Ledger, there: Answer, *, accept: bool = False) -> None:
    """Bring the remote's notes into our record. AlarmError when they were rewritten."""
    repo, seen = ledger.repo, there.seen
    if there.record == seen.commit:
        incoming = seen
    elif not there.record:
        _alarm(Alarm(notes.REF, seen.commit, ""), accept=accept)
        repo.git("update-ref", "-d", SEEN, seen.commit)
        return
    else:
        incoming = _fetched(ledger)
        if seen and not _contains(ledger, incoming, seen):
            _alarm(Alarm(notes.REF, seen.commit, incoming.commit), accept=accept)
        notes.swap(repo, incoming, seen, "rvexp: seen on the remote", ref=SEEN)
    if incoming:
        merge(ledger, incoming)


def push_notes(ledger: Ledger) -> None:
    """Merge the remote's notes and push ours until they are the same. PendingError when it stays busy or refuses."""
    repo = ledger.repo
    ledger.move(lambda at: restored(ledger, at, notes.tip(repo, SEEN)), "rvexp: put back")
    if _went_on(ledger):
        return
    stood, last = 0, None
    for attempt in range(_TRIES):
        there = ask(repo, [])
        stood, last = (stood + 1 if there.record == last else 0), there.record
        receive_notes(ledger, there)
        ours, seen = notes.tip(repo), notes.tip(repo, SEEN)
        if ours.commit == there.record or not ours:
            return
        done = remote.push(repo, f"{ours.commit}:{notes.REF}")
        if done.code == 0:
            notes.swap(repo, ours, seen, "rvexp: pushed", ref=SEEN)
            return
        if stood == _STANDSTILLS:
            raise PendingError(
                f"the record is kept here; the experiments remote refused it\n{_words(done)}",
                hint="ask who keeps that remote to let refs/notes/rvexp be pushed, then git rvexp sync",
            )
        ledger.sleep(jitter(0, 0.05 * min(attempt + 1, 20)))
    raise PendingError("the record is kept here; the experiments remote was too busy to take it", hint="git rvexp sync")


def _words(done: Result) -> str:
    """What the remote said to a push that it refused, and git's own line about the ref."""
    said = [line.rstrip() for line in done.err.splitlines() if line.startswith("remote: ")]
    return "\n".join([*(f"  {line}" for line in said[-6:]), remote.refusals(done)])


def _went_on(ledger: Ledger) -> bool:
    """Our new lines put on the remote in one request, where it stands as it was seen last: nobody wrote meanwhile."""
    ours, seen = notes.tip(ledger.repo), notes.tip(ledger.repo, SEEN)
    if not seen or ours == seen or not _contains(ledger, ours, seen):
        return False
    if not remote.advance(ledger.repo, notes.REF, ours.commit, seen.commit):
        return False
    notes.swap(ledger.repo, ours, seen, "rvexp: pushed", ref=SEEN)
    return True


def _alarm(alarm: Alarm, *, accept: bool) -> None:
    if not accept:
        raise AlarmError(
            f"the record on the experiments remote was rewritten\n  {alarm}\n  nothing was changed here",
            hint="ask who did it; `git rvexp sync --accept` keeps both sides' lines and goes on",
        )


def _fetched(ledger: Ledger) -> Tip:
    """The remote's notes commit, fetched under a name of this process, which does not outlive the call."""
    ref = f"refs/rvexp/incoming/{os.getpid()}-{token()}"
    remote.fetch(ledger.repo, f"+{notes.REF}:{ref}")
    try:
        return notes.tip(ledger.repo, ref)
    finally:
        ledger.repo.git("update-ref", "-d", ref)


def _contains(ledger: Ledger, descendant: Tip, ancestor: Tip) -> bool:
    if not descendant or not ancestor:
        return not ancestor
    return notes.follows(ledger.repo, descendant, ancestor)


def merge(ledger: Ledger, incoming: Tip) -> None:
    """Our notes ref made to contain `incoming`: fast-forward, else the union of lines of every note that differs.

    Where `incoming` went on from ours by taking lines out, they are put back.
    """

    def merged(ours: Tip) -> Tip:
        if ours and _contains(ledger, ours, incoming):
            return ours
        return restored(ledger, incoming, ours) if _contains(ledger, incoming, ours) else _union(ledger, ours, incoming)

    ledger.move(merged, "rvexp: merge")


def _union(ledger: Ledger, ours: Tip, theirs: Tip) -> Tip:
    repo = ledger.repo
    oids = notes.changed(repo, ours.commit, theirs)
    left, right = notes.read(repo, ours, oids), notes.read(repo, theirs, oids)
    merged = {oid: both(oid, left.get(oid, ""), right.get(oid, "")) for oid in oids if oid in right}
    return notes.write(repo, ours, merged, "rvexp: merge", parents=[theirs.commit])
