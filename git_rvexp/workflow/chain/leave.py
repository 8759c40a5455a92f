"""Leave to hand over steps of a chain: what this clone planned has it, of anything else the user is asked.

Whoever may push the record may write a chain, or a step into one that is under way. So a step that somebody else
planned is looked at as `repeat` looks at a run; what the user lets pass counts as this clone's own from then on.
"""

from collections.abc import Sequence

from git_rvexp.executors.protocol import Executor
from git_rvexp.model import Plan
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating import borrowed, roles
from git_rvexp.workflow.repeating.borrowed import Leave
from git_rvexp.workflow.repeating.repeat import settings_for
from git_rvexp.workflow.running import checked


def check(context: Context, chain: str, plans: Sequence[Plan], executor: Executor, leave: Leave) -> None:
    """UsageError unless all of `plans` are ours or may have what they ask for; RvexpError for one that cannot run."""
    foreign = [plan for plan in plans if not borrowed.ours(context.repo, plan)]
    for plan in foreign:
        _check(context, f"git rvexp chain --resume {chain}", plan, executor, leave)
    for plan in foreign:
        checked(executor, plan)
    for plan in foreign:
        borrowed.remember(context.repo, plan)


def _check(context: Context, again: str, plan: Plan, executor: Executor, leave: Leave) -> None:
    settings = settings_for(context, plan, executor.name)
    borrowed.check(context.repo, settings, plan, executor.name, leave, again=again)
    if executor.name == "batch" and plan.definition and not leave.trusted:
        from git_rvexp.workflow.defining import describe  # noqa: PLC0415  loads botocore

        roles.check(context, settings, plan, describe(settings, plan.definition).body, {}, again=again)
