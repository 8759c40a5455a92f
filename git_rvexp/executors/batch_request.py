"""The SubmitJob request of a plan: pure, so that a dry run, the limits and the call all see the same one.

A definition comes in four shapes (container, ECS task, EKS pod, nodes) and each takes its overrides elsewhere.
"""

from collections.abc import Mapping

from git_rvexp.errors import UsageError
from git_rvexp.executors.definition import Place, places
from git_rvexp.model import Json, Plan

# Only a lost host is worth another attempt; without the last rule Batch would retry everything else too.
_SPOT_RULES = [{"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]


def request(plan: Plan, body: Mapping[str, Json]) -> dict[str, Json]:
    """What SubmitJob is called with; `body` is the definition that `plan.definition` names.

    Attempts are always stated, so that a retry rule of the definition never adds runs that the plan does not know.
    """
    asked: dict[str, Json] = {
        "jobName": plan.job_name,
        "jobQueue": plan.queue,
        "jobDefinition": plan.definition,
        "retryStrategy": {"attempts": plan.attempts},
        "tags": _tags(plan),
        **_overrides(body, plan),
    }
    if plan.attempts > 1:
        asked["retryStrategy"]["evaluateOnExit"] = _SPOT_RULES
    if plan.timeout:
        asked["timeout"] = {"attemptDurationSeconds": plan.timeout}
    if plan.parents or plan.sequential:
        asked["dependsOn"] = _parents(plan)
    if plan.array:
        asked["arrayProperties"] = {"size": plan.array}
    if not body.get("eksProperties"):
        asked["propagateTags"] = True
    if plan.extra.get("share_identifier"):
        asked["shareIdentifier"] = str(plan.extra["share_identifier"])
    if plan.extra.get("priority") is not None:
        asked["schedulingPriorityOverride"] = int(plan.extra["priority"])
    return asked


def _parents(plan: Plan) -> list[dict[str, str]]:
    # Source of the types: the service model of SubmitJob. SEQUENTIAL names no job: it is the array's own children.
    whole = [{"jobId": job} for job in plan.after]
    each = [{"jobId": job, "type": "N_TO_N"} for job in plan.after_each]
    return whole + each + ([{"type": "SEQUENTIAL"}] if plan.sequential else [])


def _tags(plan: Plan) -> dict[str, str]:
    ours = {"rvexp:run": str(plan.run)}
    if plan.env.get("RVEXP_TAG"):
        ours["rvexp:tag"] = plan.env["RVEXP_TAG"]
    return {**{str(k): str(v) for k, v in plan.extra.get("tags", {}).items()}, **ours}


def _overrides(holder: Mapping[str, Json], plan: Plan) -> dict[str, Json]:
    if holder.get("nodeProperties"):
        ranges = holder["nodeProperties"]["nodeRangeProperties"]
        return {
            "nodeOverrides": {
                "nodePropertyOverrides": [{"targetNodes": r["targetNodes"], **_overrides(r, plan)} for r in ranges]
            }
        }
    if holder.get("ecsProperties"):
        container = {"name": _runner(holder, plan).name or "default", **_container(plan)}
        return {"ecsPropertiesOverride": {"taskProperties": [{"containers": [container]}]}}
    if holder.get("eksProperties"):
        return {"eksPropertiesOverride": {"podProperties": {"containers": [_pod_container(holder, plan)]}}}
    return {"containerOverrides": _container(plan)}


def _runner(holder: Mapping[str, Json], plan: Plan) -> Place:
    found = places(holder)
    chosen = [p for p in found if p.image == plan.image] or found
    if len(chosen) != 1:
        raise UsageError(
            f"the definition {plan.definition} has several containers, and it is not clear which runs the command\n"
            f"  {', '.join(p.name for p in found)}"
        )
    return chosen[0]


def _container(plan: Plan) -> dict[str, Json]:
    asked: dict[str, Json] = {
        "command": list(plan.command),
        "environment": [{"name": name, "value": value} for name, value in plan.env.items()],
    }
    amounts = _amounts(plan)
    if amounts:
        asked["resourceRequirements"] = [{"type": kind, "value": value} for kind, value in amounts.items()]
    return asked


def _pod_container(holder: Mapping[str, Json], plan: Plan) -> dict[str, Json]:
    # A pod's `args` are what Docker and ECS call the command; a pod's `command` would replace the entrypoint.
    asked: dict[str, Json] = {
        "name": _runner(holder, plan).name,
        "args": list(plan.command),
        "env": [{"name": name, "value": value} for name, value in plan.env.items()],
    }
    words = {"VCPU": "cpu", "MEMORY": "memory", "GPU": "nvidia.com/gpu"}
    amounts = {words[k]: f"{v}Mi" if k == "MEMORY" else v for k, v in _amounts(plan).items()}
    if amounts:
        asked["resources"] = {"limits": amounts, "requests": amounts}
    return asked


def _amounts(plan: Plan) -> dict[str, str]:
    wanted = plan.resources
    amounts = {"VCPU": f"{wanted.vcpus:g}", "MEMORY": str(wanted.memory), "GPU": str(wanted.gpus)}
    return {kind: value for kind, value in amounts.items() if value != "0"}
