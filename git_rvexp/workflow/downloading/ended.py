"""The run whose outputs are wanted. It has to be over: who looks writes that down, and with it what the run left."""

from git_rvexp.errors import PendingError, UsageError
from git_rvexp.workflow.choose import Found, either, reread
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import refuse_jobless
from git_rvexp.workflow.following.harvest import refresh


def ended(context: Context, what: str) -> Found:
    """The run that `what` names, of a snapshot its newest. UsageError for none, PendingError when it is not over."""
    snapshot, told = either(context, what)
    if not told:
        raise UsageError(f"{snapshot.tag} has no runs", hint=f"git rvexp submit {snapshot.tag} -- CMD")
    found = Found(snapshot, told[-1])
    refuse_jobless(found.run)
    if not found.run.phase.over:
        refresh(context, [found], Executors(context))
        (found,) = reread(context, [found])
    if not found.run.phase.over:
        raise PendingError(f"run {found.run.run} has not ended", hint=f"git rvexp wait {found.run.run}")
    return found
