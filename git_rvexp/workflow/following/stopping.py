"""Stop runs: their jobs are told to, who wanted it and why is recorded, and then we look that it is so.

Steps of a chain that have no job yet are withdrawn. What waits for others is stopped before them, so that nothing
starts because something ended.
"""

import itertools
from collections.abc import Mapping, Sequence
from functools import partial

from git_rvexp.errors import AmbiguousError, PendingError
from git_rvexp.model import JobState, Json, Phase
from git_rvexp.workflow.chain.withdraw import withdraw
from git_rvexp.workflow.choose import Found, reread
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import Patience, recorded_state
from git_rvexp.workflow.following.harvest import Look, refresh, share_quietly
from git_rvexp.workflow.looking.reasons import why
from git_rvexp.workflow.reconcile import settle_and_tell

_LONGEST_PAUSE = 5.0


def stop(
    context: Context, found: Sequence[Found], executors: Executors, reason: str, by: str, patience: Patience
) -> list[tuple[Found, JobState]]:
    """Stop the jobs of all of `found`, record it, and look until they are over; each with how it ended.

    PendingError when that takes longer than `patience`, AmbiguousError when one of them may have a job that nobody
    knows. Those whose executor refuses raise its error; what was stopped before is recorded.
    """
    try:
        return _stopped(context, found, executors, (reason, by), patience)
    finally:
        share_quietly(context)


def _stopped(
    context: Context, found: Sequence[Found], executors: Executors, words: tuple[str, str], patience: Patience
) -> list[tuple[Found, JobState]]:
    settle_and_tell(context, {f.snapshot.oid: f.snapshot for f in found if f.run.phase.open}.values(), executors)
    driven = withdraw(context, reread(context, found), *words)
    told: set[str] = set()
    waited = 0.0
    for pause in (min(0.5 * 1.4**n, _LONGEST_PAUSE) for n in itertools.count()):
        look = refresh(context, reread(context, found), executors)
        _tell_ended(context, look, told)
        now = reread(context, found)
        _stop(
            context,
            [f for f in now if f.run.phase is Phase.SUBMITTED and f.run.run not in told],
            executors,
            words,
            told,
        )
        going = [f for f in now if f.run.phase is Phase.SUBMITTED or (driven and f.run.phase is Phase.PLANNED)]
        if not going:
            _refuse_doubt(now)
            return [(f, recorded_state(f.run)) for f in now]
        if patience.timeout and waited >= patience.timeout:
            raise PendingError(_slow(going, look), hint=f"git rvexp wait {going[0].run.run}")
        patience.sleep(pause)
        waited += pause
    raise AssertionError


def _stop(
    context: Context, found: Sequence[Found], executors: Executors, words: tuple[str, str], told: set[str]
) -> None:
    """Tell the jobs of each to stop, those planned last first; what was told is recorded even if the next one fails."""
    reason, by = words
    events: dict[str, list[Mapping[str, Json]]] = {}
    try:
        for each in reversed(found):
            executor = executors.of(each.run.plan)
            for job in each.run.jobs:
                executor.cancel(job, reason, run=each.run.run)
            told.add(each.run.run)
            fields: Mapping[str, Json] = {"run": each.run.run, "reason": reason, "by": by}
            events.setdefault(each.snapshot.oid, []).append(fields)
    finally:
        cancelled = partial(context.ledger.event, "cancelled")
        context.ledger.append_all({oid: [cancelled(fields) for fields in of] for oid, of in events.items()})


def _tell_ended(context: Context, look: Look, told: set[str]) -> None:
    for run in look.ended:
        if run not in told:
            context.say(f"run {run} had ended before it could be stopped")


def _slow(going: Sequence[Found], look: Look) -> str:
    states = [(f.run.run, look.states.get(f.run.run), look.untold.get(f.run.run)) for f in going]
    lines = [
        f"  run {run}: {', '.join(filter(None, [s.phase.value, why(s)])) if s else untold or 'has no job yet'}"
        for run, s, untold in states
    ]
    return "\n".join(["not everything has stopped yet", *lines])


def _refuse_doubt(found: Sequence[Found]) -> None:
    open_ones = [f.run.run for f in found if f.run.phase.open]
    if open_ones:
        raise AmbiguousError(
            f"no job is known, and there may be one: run {', '.join(open_ones)}", hint="git rvexp sync"
        )
