"""Submit a plan so that no job is ever lost or doubled.

`planned` is recorded and pushed before the first billable call; the call is made once; `submitted` is recorded and
pushed after. A reply that is lost makes the run ambiguous: it is looked up by its unique name, adopted if it is there,
and never sent again blindly (Batch's SubmitJob has no client token).

A chain announces all its plans at once and sends each when its turn comes; a single run does both in one go.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from git_rvexp.errors import AmbiguousError, CredentialsError, GitError, PendingError, RvexpError
from git_rvexp.executors.protocol import BusyError, Executor, RefusedError, UnsureError
from git_rvexp.jitter import jitter
from git_rvexp.model import Json, Plan, Snapshot
from git_rvexp.record import share
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.held import signals_held
from git_rvexp.workflow.repeating import borrowed, inputs
from git_rvexp.workflow.storing.sharing import share_record

_BUSY_TRIES = 5
_LOOKS = 3


@dataclasses.dataclass(frozen=True)
class Waits:
    """The jobs that a job waits for, by their ids at the executor: whole ones, and child for child of an array."""

    after: tuple[str, ...] = ()
    after_each: tuple[str, ...] = ()


def submit(
    context: Context,
    snapshot: Snapshot,
    plan: Plan,
    executor: Executor,
    *,
    waits: Waits = Waits(),
    offline: bool = False,
) -> str:
    """Run the protocol; the job's id. AmbiguousError when nobody can tell whether a job exists."""
    executor.check(plan)
    announce(context, snapshot, [plan], offline=offline)
    return send(context, snapshot, plan, executor, waits=waits, offline=offline)


def send(
    context: Context,
    snapshot: Snapshot,
    plan: Plan,
    executor: Executor,
    *,
    waits: Waits = Waits(),
    offline: bool = False,
) -> str:
    """Hand over a run that was announced; its job's id. The parents' runs in the plan become jobs for the call only."""
    asked = dataclasses.replace(plan, after=waits.after, after_each=waits.after_each)
    with signals_held():
        job = _one_job(context, snapshot, asked, executor, offline=offline)
        _append(context, snapshot, "submitted", {"run": str(plan.run), "job": job})
    _share_after(context, offline=offline)
    return job


def announce(context: Context, snapshot: Snapshot, plans: Sequence[Plan], *, offline: bool = False) -> None:
    """Record the intent, all of it in one step, where others see it; without that no job is started."""
    mark = {"offline": True} if offline else {}
    plans = [inputs.seen(context, plan) for plan in plans]
    context.ledger.append(snapshot.oid, *(context.ledger.event("planned", p.fields() | mark) for p in plans))
    for plan in plans:
        borrowed.remember(context.repo, plan)
    if offline:
        return
    try:
        share_record(context)
    except RvexpError as why:
        told = ({"run": str(p.run), "why": "the record could not be shared"} for p in plans)
        context.ledger.append(snapshot.oid, *(context.ledger.event("refused", fields) for fields in told))
        if isinstance(why, share.AlarmError):
            raise
        kind = type(why) if isinstance(why, GitError | PendingError | CredentialsError) else RvexpError
        raise kind(
            f"{why}\n  nothing was submitted: a run is recorded where others see it before it may cost money",
            hint="git rvexp doctor; --offline submits all the same and says so in the record",
        ) from why


def _one_job(context: Context, snapshot: Snapshot, plan: Plan, executor: Executor, *, offline: bool) -> str:
    """Ask once; when the answer is unsure, look before anything else."""
    for attempt in range(_BUSY_TRIES):
        try:
            return executor.submit(plan)
        except (RefusedError, UnsureError) as why:
            if isinstance(why, RefusedError) and not attempt:
                _append(context, snapshot, "refused", {"run": str(plan.run), "why": str(why)})
                _share_after(context, offline=offline)
                raise
            found = _looked_up(context, plan, executor)
            if found:
                return found
            # A look that failed is no leave to send again, and a refusal says nothing of the tries before it.
            if found is None or not isinstance(why, BusyError) or attempt == _BUSY_TRIES - 1:
                _leave_open(context, snapshot, plan, why, offline=offline)
            context.ledger.sleep(2**attempt * jitter(0.5, 1.5))
    raise AssertionError("unreachable: the last busy answer leaves the run open")


def _looked_up(context: Context, plan: Plan, executor: Executor) -> str | None:
    """The job that bears the plan's name, if it shows within a few seconds; None when that cannot be told."""
    for look in range(_LOOKS):
        try:
            jobs = executor.find(plan)
        except RvexpError as why:
            context.warn(f"the job could not be looked up: {why}")
            return None
        if jobs:
            context.say(f"the reply was lost; the job was found by its name {plan.job_name}")
            return jobs[0]
        context.ledger.sleep(0.5 * 2**look)
    return ""


def _leave_open(
    context: Context, snapshot: Snapshot, plan: Plan, why: RefusedError | UnsureError, *, offline: bool
) -> None:
    _append(context, snapshot, "ambiguous", {"run": str(plan.run), "why": str(why)})
    _share_after(context, offline=offline)
    raise AmbiguousError(
        f"whether a job exists for run {plan.run} cannot be told now\n  {why}\n"
        "  it was not sent again; its name is " + plan.job_name,
        hint="git rvexp sync    (looks it up and adopts it; after 20 minutes without a trace it counts as not found)",
    ) from why


def _append(context: Context, snapshot: Snapshot, kind: str, fields: Mapping[str, Json]) -> None:
    context.ledger.append(snapshot.oid, context.ledger.event(kind, fields))


def _share_after(context: Context, *, offline: bool) -> None:
    """Push what is already safe here; a failure is told, and the next command pushes."""
    if offline:
        return
    try:
        share_record(context)
    except RvexpError as why:
        context.warn(f"recorded in this clone; its push is pending: {why}\n  git rvexp sync pushes it")
