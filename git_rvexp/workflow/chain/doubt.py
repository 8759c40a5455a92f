"""What keeps a chain from being resumed: a step that may have a job, or has one, and would be handed over twice."""

import datetime as dt

from git_rvexp.errors import AmbiguousError, PendingError
from git_rvexp.executors.protocol import Executor
from git_rvexp.model import Phase
from git_rvexp.workflow.chain.hold import Hold
from git_rvexp.workflow.chain.record import Chain
from git_rvexp.workflow.following.harvest import Look
from git_rvexp.workflow.reconcile import GRACE, last_sent


def refuse_untraced(chain: Chain, executor: Executor, hold: Hold, now: dt.datetime) -> None:
    """AmbiguousError when a step may have a job that the executor does not show yet.

    An engine gives a name out once, so there handing over twice is harmless.
    """
    if not executor.schedules:
        return
    for name, run in chain.runs.items():
        until = last_sent(run) + GRACE
        # A driver that slept may have sent it after somebody else had called it not found.
        resent = run.phase is Phase.NOTFOUND and run.last("sending") is not None and now < until
        planned = run.phase is Phase.PLANNED and not hold.surely_unsent(run.run, chain.driver)
        if run.phase is Phase.AMBIGUOUS or planned or resent:
            raise AmbiguousError(
                f"whether step {name} of chain {chain.name} has a job cannot be told yet (run {run.run})\n"
                f"  its submission may still arrive; from {until:%H:%M:%S} UTC on, without a trace of it,\n"
                "  it counts as not found and is submitted as a new run. Nothing was submitted now.",
                hint=f"git rvexp chain --resume {chain.name}    (again, a little later)",
            )


def refuse_unended(chain: Chain, look: Look, redo: set[str]) -> None:
    """PendingError while a step to be done again has a job of which no end was seen.

    What only waits for a failed job ends by itself soon; but of an array some children may wait for what has succeeded.
    """
    for name, run in chain.runs.items():
        if name not in redo or run.phase.over or run.phase.open:
            continue
        state = look.states.get(run.run)
        seen = state.phase.value if state else look.untold.get(run.run) or "the executor does not show its job"
        raise PendingError(
            f"step {name} would have to be done again, and its run {run.run} has not ended\n  {seen}",
            hint=f"git rvexp wait {run.run}, or git rvexp cancel {run.run}",
        )
