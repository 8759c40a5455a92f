"""Settle open runs: a job found by its name is adopted; one that left no trace for 20 minutes is not found.

Any clone can do it, since the plan in the record names the job. "Not found" is final only after the longest time that
a request in flight can take to land (a signature is valid for 15 minutes; GRACE leaves FRESH for the way from the plan
to the call), and a job that shows later is adopted.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.model import Phase, Snapshot
from git_rvexp.record.events import Event
from git_rvexp.record.runs import Run, runs
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors

GRACE = dt.timedelta(minutes=20)
FRESH = dt.timedelta(minutes=2)
"""A run that was planned longer ago is not sent before it is on record, where others see it, that it will be."""
RETENTION = dt.timedelta(days=7)
"""How long Batch keeps finished jobs at least: after that "not found" cannot be revised."""


@dataclass(frozen=True)
class Settled:
    """What became of one open run, in words for the story."""

    run: str
    text: str


def settle(context: Context, snapshots: Iterable[Snapshot], executors: Executors) -> list[Settled]:
    """Look up every open run of `snapshots`; append what was found. Executors that cannot be asked leave runs open."""
    executors.look_again()
    known = list(snapshots)
    records = context.ledger.records(s.oid for s in known)
    waiting = [(s, r) for s in known for r in runs(records[s.oid]) if _worth_asking(context, r)]
    return [_settle_one(context, snapshot, run, executors) for snapshot, run in waiting]


def settle_and_tell(context: Context, snapshots: Iterable[Snapshot], executors: Executors) -> None:
    """The same on the way to something else: what became of them goes to the story."""
    for settled in settle(context, snapshots, executors):
        context.say(f"run {settled.run}: {settled.text}")


def _worth_asking(context: Context, run: Run) -> bool:
    age = context.ledger.now() - last_sent(run)
    return run.phase.open or (run.phase is Phase.NOTFOUND and age < RETENTION)


def _settle_one(context: Context, snapshot: Snapshot, run: Run, executors: Executors) -> Settled:
    try:
        plan = run.plan
        jobs = executors.of(plan).find(plan)
    except RvexpError as why:
        return Settled(run.run, f"cannot tell: {why}")
    if jobs:
        context.ledger.append(snapshot.oid, *_adoption(context, run, jobs))
        return Settled(run.run, f"adopted {jobs[0]}" + (f"; {len(jobs) - 1} duplicates" if jobs[1:] else ""))
    if run.phase.open and not waits_its_turn(run) and context.ledger.now() - last_sent(run) > GRACE:
        context.ledger.append(snapshot.oid, context.ledger.event("notfound", {"run": run.run}))
        return Settled(run.run, "no job after 20 minutes: not found")
    return Settled(run.run, "no job yet" if run.phase.open else "still not found")


def last_sent(run: Run) -> dt.datetime:
    """The moment from which a request for a job may be under way: a step of a chain may be sent long after its plan."""
    return (run.last("sending") or run.planned).moment


def waits_its_turn(run: Run) -> bool:
    """Whether it is a step of a chain that an engine without a scheduler has not been given yet, however long ago."""
    return run.phase is Phase.PLANNED and run.executor == "docker" and bool(run.planned.get("chain"))


def _adoption(context: Context, run: Run, jobs: list[str]) -> list[Event]:
    """The oldest job is the run's; the others are told, so that somebody can stop them."""
    first = context.ledger.event("submitted", {"run": run.run, "job": jobs[0], "adopted": True})
    return [first, *(context.ledger.event("duplicate", {"run": run.run, "job": j, "of": jobs[0]}) for j in jobs[1:])]
