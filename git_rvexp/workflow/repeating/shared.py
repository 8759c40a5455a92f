"""What a chain's steps share, for a repeat of one of them: it never writes where the chain wrote.

On an engine that is a folder. A step that waited for others is given a copy of it; one that waited for none began with
an empty one. The name of the chain, by which steps find one another's data elsewhere, becomes the repeat's own.
"""

import dataclasses

from git_rvexp.errors import RvexpError
from git_rvexp.executors.docker_asking import VOLUME
from git_rvexp.model import Json, Plan
from git_rvexp.workflow.context import Context

AGAIN = "git rvexp chain FILE TAG, which runs all its steps again"
_CHAIN = "RVEXP_CHAIN"


def source(plan: Plan) -> str:
    """The volume whose content a repeat of this run has to find; "" for none."""
    waited = plan.after or plan.after_each
    name = str(plan.extra.get("shared_from") or (plan.extra.get("shared", "") if waited else ""))
    return name if name.startswith(VOLUME) else ""  # the record is no leave to read other volumes


def apart(context: Context, before: Plan, draft: Plan) -> Plan:
    """The draft of a repeat of `before`, kept apart from it. RvexpError when the folder it has to find is gone."""
    if _CHAIN in before.env:
        context.warn(
            f"{_CHAIN} is {draft.run} in the repeat, not {before.env[_CHAIN]}: what the chain left under its name "
            "elsewhere (in S3, say) is not overwritten, and not found"
        )
        draft = dataclasses.replace(draft, env={**draft.env, _CHAIN: str(draft.run)})
    if "shared" not in before.extra:
        return draft
    extra: dict[str, Json] = {k: v for k, v in draft.extra.items() if k not in ("shared", "shared_from")}
    if draft.executor != "docker":
        context.warn("the folder that the chain's steps shared is on an engine: the repeat has none")
        return dataclasses.replace(draft, extra=extra)
    extra["shared"] = own = f"{VOLUME}{draft.run}"
    if old := source(before):
        _find(context, old)
        extra["shared_from"] = old
        context.say(f"the repeat works on a copy of what the chain's folder holds now: volume {own}, copied from {old}")
    else:
        context.say(f"the repeat begins with an empty shared folder, as its step did: volume {own}")
    return dataclasses.replace(draft, extra=extra)


def _find(context: Context, name: str) -> None:
    from git_rvexp.executors.docker_volumes import is_there  # noqa: PLC0415  as below
    from git_rvexp.images.engine import Engine  # noqa: PLC0415  114 ms of CPU

    if not is_there(Engine.connect(context.environ), name):
        raise RvexpError(
            f"the folder that the chain's steps shared is gone: this engine has no volume {name}", hint=AGAIN
        )
