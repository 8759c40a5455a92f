"""The roles under which a repeat's job would act, against those that were recorded and those that are the user's own.

A record names a definition, or holds the body of one to register, and a definition names roles: whoever can write a
record could have a command of theirs run under any role that the user may pass. So another role than the recorded one
is told, and in somebody else's run a role that the user's settings do not give is refused, as an image or a queue is.
"""

from collections.abc import Iterator, Mapping

from git_rvexp.errors import UsageError
from git_rvexp.model import Json, Plan
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating import borrowed

_NAMES = ("jobRoleArn", "taskRoleArn", "executionRoleArn", "serviceAccountName")
"""Where the shapes of a definition name one: a container's, an ECS task's, both of them, a pod's."""


def check(
    context: Context, settings: Settings, plan: Plan, now: Mapping[str, Json], then: Mapping[str, Json], *, again: str
) -> None:
    """UsageError when the definition `now` acts under roles that nobody here chose; `then` is the recorded body.

    `again` is the command that the user gave. A run of this clone's own may have them all as they were recorded.
    """
    wanted, recorded = set(of(now)), set(of(then))
    other = sorted(wanted - recorded) if then else []
    for role in other:
        context.warn(f"the definition acts under another role than the record has: {role}")
    asked = other if borrowed.ours(context.repo, plan) else sorted(wanted)
    foreign = [role for role in asked if role not in _own(settings)]
    if foreign:
        raise UsageError(
            f"the definition of run {plan.run} gives its job roles that your settings do not\n"
            + "\n".join(f"  {role}" for role in foreign),
            hint=f"{again} --trust-record, if you know who recorded it",
        )


def of(body: Json) -> Iterator[str]:
    """The roles that a definition's body names, wherever in it they stand."""
    if isinstance(body, Mapping):
        for name, inner in body.items():
            if name in _NAMES and isinstance(inner, str) and inner:
                yield f"{name} {inner}"
            else:
                yield from of(inner)
    elif isinstance(body, list):
        for inner in body:
            yield from of(inner)


def _own(settings: Settings) -> set[str]:
    """The roles that a job of the user's own would have: those of the settings, or of the base definition."""
    from git_rvexp.workflow.defining import describe  # noqa: PLC0415  loads botocore

    if settings.batch_job_def_name:
        return set(of(describe(settings, settings.batch_job_def_name).body))
    given = {"jobRoleArn": settings.job_role_arn, "executionRoleArn": settings.job_execution_role_arn}
    return set(of(given))
