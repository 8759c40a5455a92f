"""Stop a run: its jobs are told to, who wanted it and why is recorded, and then we look that it is so."""

from git_rvexp.model import JobState
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import Patience, refuse_jobless, until_over
from git_rvexp.workflow.following.harvest import record_end, share_quietly


def stop(context: Context, found: Found, executors: Executors, reason: str, by: str, patience: Patience) -> JobState:
    """Stop a run's jobs, record who wanted it and why, and look until it is over (PendingError when it takes long)."""
    refuse_jobless(found.run)
    executor = executors.of(found.run.plan)
    before = executor.states([found.run.job]).get(found.run.job)
    if before is not None and before.phase.over:
        context.say(f"run {found.run.run} had ended before it could be stopped")
        record_end(context, found, before)
        return before
    for job in found.run.jobs:
        executor.cancel(job, reason)
    fields = {"run": found.run.run, "reason": reason, "by": by}
    context.ledger.append(found.snapshot.oid, context.ledger.event("cancelled", fields))
    try:
        return until_over(context, found, executors, patience)
    finally:
        share_quietly(context)
