"""The guard that keeps snapshots from going anywhere but the experiments remote.

The first snapshot of a clone sets it, since from then on `git push --tags` would publish unpublished code. What
it refuses is written in hooks/pre-push.
"""

from git_rvexp.errors import RvexpError
from git_rvexp.git import hooks
from git_rvexp.workflow.context import Context


def ensure_guard(context: Context) -> None:
    """Set up the client hooks of this clone, saying so in one line; nothing when they are there or were declined.

    Never fails: a snapshot without the guard is better than none, and is told.
    """
    try:
        standing = hooks.inspect(context.repo)
        if standing.declined or all(s.fine for s in hooks.states(context.repo, standing)):
            return
        for state in hooks.install(context.repo):
            if state.fine:
                context.say(f"{state.event} hook set: {_PURPOSE[state.event]}; git rvexp hook uninstall undoes it")
            else:
                context.warn(f"the {state.event} hook is not set: {state.remedy or state.where}")
    except (RvexpError, OSError) as why:
        context.warn(f"the pre-push hook could not be set, so `git push --tags` would publish snapshots: {why}")


_PURPOSE = {
    hooks.GUARD: "snapshots can be pushed to the experiments remote only",
    hooks.POST_PUSH: "a pushed snapshot is published",
}
