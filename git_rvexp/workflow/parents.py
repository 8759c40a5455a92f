"""The runs that a run waits for, and what an executor is told of them.

Plans name runs, executors know jobs: the ids are looked up just before the call. A parent that has succeeded is not
named to the executor, which may have forgotten it; one that has failed would never let the run start.
"""

from collections.abc import Callable, Sequence

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors.protocol import Executor
from git_rvexp.model import Phase, Plan
from git_rvexp.record.runs import Run
from git_rvexp.workflow import choose
from git_rvexp.workflow.choose import Found, reread
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import refuse_jobless, until_over
from git_rvexp.workflow.following.harvest import refresh
from git_rvexp.workflow.submit import Waits


def runs_named(context: Context, texts: Sequence[str]) -> tuple[str, ...]:
    """The run ids that `texts` (run ids, prefixes, job ids) name. UsageError for one that is no run."""
    return tuple(dict.fromkeys(choose.run(context, text).run.run for text in texts))


def ready(context: Context, plan: Plan, executor: Executor, *, follow: bool) -> Waits:
    """What `plan`, a run of its own, waits for at `executor`.

    An executor that does not schedule gets the run when its parents have succeeded: with `follow` we wait for that
    here, else it is refused. RvexpError when a parent failed, or ran elsewhere.
    """
    found = [choose.run(context, run) for run in plan.parents]
    for each in found:
        _refuse_other_place(plan, each.run)
    executors = Executors(context, lambda *_: executor)
    refresh(context, found, executors)
    found = reread(context, found)
    if not executor.schedules:
        found = [_awaited(context, each, executors, follow=follow) for each in found]
    known = {each.run.run: each.run for each in found}
    return waits_of(plan, known.__getitem__)


def waits_of(plan: Plan, known: Callable[[str], Run]) -> Waits:
    """The jobs of the plan's parents that have not succeeded yet. RvexpError when one has no job or has failed."""
    return Waits(_jobs(plan.after, known), _jobs(plan.after_each, known))


def _jobs(parents: Sequence[str], known: Callable[[str], Run]) -> tuple[str, ...]:
    waiting = [run for run in map(known, parents) if run.phase is not Phase.SUCCEEDED]
    for run in waiting:
        if run.phase.over:
            raise RvexpError(
                f"run {run.run} has not succeeded ({run.word}), so a run that waits for it would never start",
                hint=f"git rvexp show {run.run}",
            )
        refuse_jobless(run)
    return tuple(run.job for run in waiting)


def _awaited(context: Context, found: Found, executors: Executors, *, follow: bool) -> Found:
    if found.run.phase.over:
        return found
    if not follow:
        raise UsageError(
            f"run {found.run.run} has not ended yet, and a Docker engine does not wait for other runs",
            hint="--wait lets this command wait for it",
        )
    context.say(f"waiting for run {found.run.run}")
    until_over(context, found, executors, context.ledger.sleep)
    return reread(context, [found])[0]


def _refuse_other_place(plan: Plan, parent: Run) -> None:
    whole = plan.whole()
    for key in ("executor", "account", "region", "engine"):
        mine, theirs = whole.get(key) or "", parent.planned.get(key) or ""
        if mine != theirs:
            raise UsageError(f"run {parent.run} is at another place: {key} {theirs or 'unknown'}, not {mine}")
