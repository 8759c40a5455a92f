"""Links to experiment trackers: the variables by which MLflow and W&B in a job name its snapshot, with no code changed.

Only variables that their current clients read are set (MLflow's tracking/context/system_environment_context.py, W&B's
env.py), never one that the user, the job definition or a secret sets. Which ones are ours stands in the plan as
`links`: they are recorded, made anew for a repeat, and not compared. No tracker is talked to.
"""

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping

from git_rvexp.addresses import for_others
from git_rvexp.executors.definition import places
from git_rvexp.model import Json, Plan
from git_rvexp.workflow.context import Context

_SETTERS = ("environment", "env", "secrets")  # of Batch's containers, pods' containers, and both


def linked(context: Context, plan: Plan, definition: Mapping[str, Json] | None = None) -> Plan:
    """The plan, whose image is known, with the variables; `definition` is the body of the definition it runs on."""
    if not context.settings.job_links:
        return plan
    taken = {*plan.env, *plan.secret_env, *_set_by(definition or {})}
    return _with(plan, variables(plan.env, for_others(context.wanted_remote().url), taken))


def relinked(context: Context, plan: Plan) -> Plan:
    """A plan made from another's (a repeat, a step done again): its links name the new run; none are added."""
    old: list[str] = plan.extra.get("links") or []
    if not old:
        return plan
    env = {k: v for k, v in plan.env.items() if k not in old}
    made = variables(env, for_others(context.wanted_remote().url), {*env, *plan.secret_env})
    return _with(dataclasses.replace(plan, env=env), {k: v for k, v in made.items() if k in old})


def foreground(context: Context, env: Mapping[str, str], secret: Collection[str]) -> dict[str, str]:
    """The variables of a job, with links, for one that is not recorded."""
    wanted = context.settings.job_links
    made = variables(env, for_others(context.wanted_remote().url), {*env, *secret}) if wanted else {}
    return {**env, **made}


def variables(told: Mapping[str, str], address: str, taken: Collection[str] = ()) -> dict[str, str]:
    """The variables for a job that is told `told` (RVEXP_TAG and so on), less those that are `taken`.

    `address` is where the code is; "" when that is no place for others. Nothing for a job without a snapshot.
    """
    tag = told.get("RVEXP_TAG", "")
    if not tag:
        return {}
    name = "-".join(filter(None, (tag.rpartition("/")[2], told.get("RVEXP_STEP"), told.get("RVEXP_RUN"))))
    commit, image = told.get("RVEXP_COMMIT", ""), told.get("RVEXP_IMAGE", "")
    mlflow = {
        "mlflow.runName": name,
        "mlflow.source.git.commit": commit,
        "mlflow.source.git.repoURL": address,
        "mlflow.docker.image.uri": image,
        "rvexp.tag": tag,
        "rvexp.run": told.get("RVEXP_RUN", ""),
    }
    found = {
        "MLFLOW_RUN_CONTEXT": json.dumps({k: v for k, v in mlflow.items() if v}, separators=(",", ":")),
        "WANDB_NAME": name,
        "WANDB_NOTES": tag,
        "WANDB_GIT_COMMIT": commit,
        "WANDB_GIT_REMOTE_URL": address,
        "WANDB_DOCKER": image,
    }
    return {k: v for k, v in found.items() if v and k not in taken}


def _with(plan: Plan, made: Mapping[str, str]) -> Plan:
    kept = {k: v for k, v in plan.extra.items() if k != "links"}
    return dataclasses.replace(plan, env={**plan.env, **made}, extra={**kept, **({"links": [*made]} if made else {})})


def _set_by(body: Mapping[str, Json]) -> Iterator[str]:
    """The variables that a job definition sets itself."""
    for place in places(body):
        for key in _SETTERS:
            yield from (str(each.get("name")) for each in place.holder.get(key) or [] if isinstance(each, dict))
