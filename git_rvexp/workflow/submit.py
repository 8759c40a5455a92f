"""Submit a plan so that no job is ever lost or doubled.

`planned` is recorded and pushed before the first billable call; the call is made once; `submitted` is recorded and
pushed after. A reply that is lost makes the run ambiguous: it is looked up by its unique name, adopted if it is there,
and never sent again blindly (Batch's SubmitJob has no client token).

A chain announces all its plans at once and sends each when its turn comes; a single run does both in one go.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from git_rvexp.errors import AmbiguousError, CredentialsError, GitError, Interrupted, PendingError, RvexpError
from git_rvexp.executors.protocol import BusyError, Executor, RefusedError, UnsureError
from git_rvexp.held import signals_held
from git_rvexp.jitter import jitter
from git_rvexp.model import Json, Phase, Plan, Snapshot
from git_rvexp.record import share
from git_rvexp.record.runs import Run, runs
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.looking import metrics
from git_rvexp.workflow.repeating import borrowed, inputs, outputs
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
    """Run the protocol; the job's id. AmbiguousError when nobody can tell whether a job exists.

    Interrupted when Ctrl-C came once the run was on record.
    """
    executor.check(plan)
    try:
        announce(context, snapshot, [plan], offline=offline)
        return send(context, snapshot, plan, executor, waits=waits, offline=offline)
    except KeyboardInterrupt as why:
        raise _left(context, snapshot, plan) from why


def send(
    context: Context,
    snapshot: Snapshot,
    plan: Plan,
    executor: Executor,
    *,
    waits: Waits = Waits(),
    offline: bool = False,
) -> str:
    """Hand over a run that was announced; its job's id. The parents' runs in the plan become jobs for the call only.

    After Ctrl-C it is on record that no job was asked for, or that nobody can tell.
    """
    asked = dataclasses.replace(plan, after=waits.after, after_each=waits.after_each)
    try:
        executor.prepare(asked)
    except RvexpError as why:  # whatever it is, there is no job yet
        _append(context, snapshot, "refused", {"run": str(plan.run), "why": str(why)})
        _share_after(context, offline=offline)
        raise
    except KeyboardInterrupt:
        _refuse(context, snapshot, [plan], "interrupted")
        raise
    try:
        job = _one_job(context, snapshot, asked, executor, offline=offline)
    except KeyboardInterrupt:
        _doubt(context, snapshot, plan)
        raise
    _share_after(context, offline=offline)
    return job


def announce(context: Context, snapshot: Snapshot, plans: Sequence[Plan], *, offline: bool = False) -> None:
    """Record the intent, all of it in one step, where others see it; without that no job is started.

    After Ctrl-C the record says that none was, so that nobody has to look for one.
    """
    mark = {"offline": True} if offline else {}
    for plan in plans:
        outputs.foretell(context, plan)
        metrics.foretell(context, plan)
    plans = [inputs.seen(context, plan) for plan in plans]
    try:
        with signals_held():
            context.ledger.append(snapshot.oid, *(context.ledger.event("planned", p.fields() | mark) for p in plans))
        for plan in plans:
            borrowed.remember(context.repo, plan)
        if not offline:
            _share_before(context, snapshot, plans)
    except KeyboardInterrupt:
        _refuse(context, snapshot, plans, "interrupted")
        raise


def _share_before(context: Context, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    try:
        share_record(context)
    except RvexpError as why:
        _refuse(context, snapshot, plans, "the record could not be shared")
        if isinstance(why, share.AlarmError):
            raise
        kind = type(why) if isinstance(why, GitError | PendingError | CredentialsError) else RvexpError
        raise kind(
            f"{why}\n  nothing was submitted: a run is recorded where others see it before it may cost money",
            hint="git rvexp doctor; --offline submits all the same and says so in the record",
        ) from why


def _refuse(context: Context, snapshot: Snapshot, plans: Sequence[Plan], why: str) -> None:
    """Record of those plans that are on record that no job was asked for."""
    with signals_held():
        known = _known(context, snapshot)
        told = [{"run": str(p.run), "why": why} for p in plans if str(p.run) in known]
        if told:
            context.ledger.append(snapshot.oid, *(context.ledger.event("refused", fields) for fields in told))


def _left(context: Context, snapshot: Snapshot, plan: Plan) -> BaseException:
    """What Ctrl-C has left of a run, as the record tells it."""
    run = _known(context, snapshot).get(str(plan.run))
    if run is None:
        return KeyboardInterrupt()
    refused = run.last("refused")
    if refused and run.phase is Phase.REFUSED:
        return Interrupted(f"run {run.run} was not handed over: {refused.get('why')}")
    return _untold(plan, "interrupted") if run.phase.open else Interrupted.going_on(run.run)


def _known(context: Context, snapshot: Snapshot) -> dict[str, Run]:
    return {run.run: run for run in runs(context.ledger.record(snapshot.oid))}


def _doubt(context: Context, snapshot: Snapshot, plan: Plan) -> None:
    """Record that nobody can tell whether there is a job, unless the record tells it."""
    with signals_held():
        if _known(context, snapshot)[str(plan.run)].phase is Phase.PLANNED:
            _append(context, snapshot, "ambiguous", {"run": str(plan.run), "why": "interrupted"})


def _one_job(context: Context, snapshot: Snapshot, plan: Plan, executor: Executor, *, offline: bool) -> str:
    """Ask once; when the answer is unsure, look before anything else."""
    for attempt in range(_BUSY_TRIES):
        try:
            return _asked(context, snapshot, plan, executor, first=not attempt)
        except (RefusedError, UnsureError) as why:
            if isinstance(why, RefusedError) and not attempt:
                _share_after(context, offline=offline)
                raise
            found = _looked_up(context, plan, executor)
            if found:
                _append(context, snapshot, "submitted", {"run": str(plan.run), "job": found})
                return found
            # A look that failed is no leave to send again, and a refusal says nothing of the tries before it.
            if found is None or not isinstance(why, BusyError) or attempt == _BUSY_TRIES - 1:
                _leave_open(context, snapshot, plan, why, offline=offline)
            context.ledger.sleep(2**attempt * jitter(0.5, 1.5))
    raise AssertionError("unreachable: the last busy answer leaves the run open")


def _asked(context: Context, snapshot: Snapshot, plan: Plan, executor: Executor, *, first: bool) -> str:
    """One call, and what it says for certain put on record before a signal has its way."""
    with signals_held():
        try:
            job = executor.submit(plan)
        except RefusedError as why:
            if first:
                _append(context, snapshot, "refused", {"run": str(plan.run), "why": str(why)})
            raise
        _append(context, snapshot, "submitted", {"run": str(plan.run), "job": job})
        return job


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
    raise _untold(plan, str(why)) from why


def _untold(plan: Plan, why: str) -> AmbiguousError:
    return AmbiguousError(
        f"whether a job exists for run {plan.run} cannot be told now\n  {why}\n"
        "  it was not sent again; its name is " + plan.job_name,
        hint="git rvexp sync    (looks it up and adopts it; after 20 minutes without a trace it counts as not found)",
    )


def _append(context: Context, snapshot: Snapshot, kind: str, fields: Mapping[str, Json]) -> None:
    with signals_held():
        context.ledger.append(snapshot.oid, context.ledger.event(kind, fields))


def _share_after(context: Context, *, offline: bool) -> None:
    """Push what is already safe here; a failure is told, and the next command pushes."""
    if offline:
        return
    try:
        share_record(context)
    except RvexpError as why:
        context.warn(f"recorded in this clone; its push is pending: {why}\n  git rvexp sync pushes it")
