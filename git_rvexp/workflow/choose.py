"""From what a person types to a snapshot or a run: full name, nickname, unique part, `@`; run id, prefix, job id."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from git_rvexp.errors import UsageError
from git_rvexp.git.notes import listed, tip
from git_rvexp.git.tags import Person, person, snapshots
from git_rvexp.model import Snapshot
from git_rvexp.names import normalised
from git_rvexp.record.runs import Run, runs
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context

_SHOWN = 8


@dataclass(frozen=True)
class Found:
    """A run, and the snapshot whose record tells of it."""

    snapshot: Snapshot
    run: Run


def initials(settings: Settings, who: Person) -> str:
    """The initials in force: the configured ones, else those of the user's name."""
    if settings.initials:
        return settings.initials
    letters = "".join(word[0] for word in normalised(who.name).split("-") if word)
    return letters[:8] if who.name != "unknown" else "anon"


def snapshot(context: Context, text: str) -> Snapshot:
    """The snapshot that `text` names. UsageError lists candidates when there are several, neighbours when none."""
    known = snapshots(context.repo)
    if not known:
        raise UsageError("there is no snapshot in this clone yet", hint="git rvexp snapshot NICKNAME")
    if text == "@":
        mine = initials(context.settings, person(context.repo))
        own = [s for s in known if s.tag.startswith(f"{mine}/")]
        if not own:
            raise UsageError(f"no snapshot is yours (initials {mine})", hint="git rvexp list")
        return own[0]
    exact = [s for s in known if s.tag == text] or [s for s in known if s.tag.rpartition("/")[2] == text]
    found = exact or [s for s in known if text in s.tag or (len(text) >= 7 and s.commit.startswith(text))]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{text!r} names several snapshots\n" + _listed([s.tag for s in found]), hint="say more of it")
    raise _no_snapshot(text, known)


def run(context: Context, text: str) -> Found:
    """The run whose id, unique prefix of the id, or job id is `text`; UsageError otherwise."""
    everything = recorded_runs(context)
    found = [f for f in everything if text == f.run.run or text in f.run.jobs]
    found = found or [f for f in everything if f.run.run.startswith(text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{text!r} begins several run ids\n" + _listed([f.run.run for f in found]))
    raise UsageError(f"no run {text!r} is recorded in this clone", hint="git rvexp sync, then git rvexp list")


def recorded_runs(context: Context) -> list[Found]:
    """Every run that the record of this clone tells of, those without a snapshot (kept on a commit) too."""
    known = {s.oid: s for s in snapshots(context.repo)}
    for oid in listed(context.repo, tip(context.repo)):
        known.setdefault(oid, Snapshot("", oid, oid, ""))
    records = context.ledger.records(known)
    return [Found(known[oid], run) for oid, record in records.items() for run in runs(record)]


def _no_snapshot(text: str, known: Sequence[Snapshot]) -> UsageError:
    nicknames = {s.tag.rpartition("/")[2]: s.tag for s in known}
    near = difflib.get_close_matches(text, nicknames, n=1) or difflib.get_close_matches(
        text, [s.tag for s in known], n=1
    )
    meant = f"did you mean {near[0]}?" if near else "git rvexp list"
    return UsageError(f"no snapshot {text!r} in this clone", hint=meant)


def _listed(names: Sequence[str]) -> str:
    more = [f"  … and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return "\n".join([f"  {n}" for n in names[:_SHOWN]] + more)
