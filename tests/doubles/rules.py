"""Limits of AWS Batch that its machine-readable model does not hold: the model's prose, the user guide, users' reports.

Each check raises a ClientException in Batch's own envelope. Where AWS's behaviour is not known (a dependency on an
unknown id, the same id twice) the double refuses, since a client must not rely on it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.doubles.dialects import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = dict[str, Any]

REQUEST_LIMIT = 30 * 1024
DEFINITION_LIMIT = 24 * 1024
OVERRIDES_LIMIT = 8192
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_SHARE = re.compile(r"[A-Za-z0-9]{1,255}\*?")
_REASON_GLOB = re.compile(r"[A-Za-z0-9.:\s]{0,512}\*?")
_CODE_GLOB = re.compile(r"[0-9]{0,512}\*?")


def refuse(why: str) -> Refusal:
    """A ClientException worded as Batch words them."""
    return Refusal("ClientException", f"Error executing request, Exception : {why}, RequestId: {uuid4()}")


def demand(condition: object, why: str) -> None:
    """Refuse with `why` unless the condition holds."""
    if not condition:
        raise refuse(why)


def check_queue_name(name: str) -> None:
    """A queue is named with at most 128 letters, digits, hyphens and underscores."""
    demand(_NAME.fullmatch(name), f"Job queue name {name!r} is invalid")


def check_tags(tags: Mapping[str, str]) -> None:
    """At most 50 tags (the model has that and the lengths), none under the reserved prefix."""
    demand(len(tags) <= 50, "Too many tags: at most 50")
    reserved = sorted(key for key in tags if key.lower().startswith("aws:"))
    demand(not reserved, f"Tag keys may not begin with aws: ({', '.join(reserved)})")


def check_environment(pairs: Iterable[Mapping[str, str]]) -> None:
    """Names have a text and stay out of Batch's own namespace."""
    for pair in pairs:
        name = pair.get("name", "")
        demand(name, "Environment variable names may not be empty")
        demand(not name.startswith("AWS_BATCH"), f"Environment variable {name} uses the reserved prefix AWS_BATCH")


def check_overrides(overrides: Mapping[str, Any]) -> None:
    """No empty word in the command, no reserved environment name."""
    demand(all(overrides.get("command", ["-"])), "Container command may not contain an empty string")
    check_environment(overrides.get("environment", []))


def overrides_length(overrides: Mapping[str, Any]) -> int:
    """Characters of the overrides as compact JSON, which is what ECS counts when the task starts."""
    return len(json.dumps(overrides, separators=(",", ":"), ensure_ascii=False))


def check_retry(strategy: Mapping[str, Any]) -> None:
    """1 to 10 attempts; at most 5 rules, each with a condition in the glob grammar Batch allows."""
    rules = strategy.get("evaluateOnExit", [])
    demand("attempts" in strategy or not rules, "retryStrategy.attempts is required with evaluateOnExit")
    demand(1 <= strategy.get("attempts", 1) <= 10, "retryStrategy.attempts must be between 1 and 10")
    demand(len(rules) <= 5, "retryStrategy.evaluateOnExit may hold at most 5 rules")
    for rule in rules:
        demand(rule.keys() - {"action"}, "each evaluateOnExit rule needs a condition")
        for key in ("onReason", "onStatusReason"):
            demand(_REASON_GLOB.fullmatch(rule.get(key, "")), f"{key} {rule.get(key)!r} is not a valid pattern")
        demand(_CODE_GLOB.fullmatch(rule.get("onExitCode", "")), "onExitCode must be digits with an optional *")


def check_timeout(timeout: Mapping[str, Any]) -> None:
    """At least 60 seconds."""
    demand(timeout.get("attemptDurationSeconds", 60) >= 60, "attemptDurationSeconds must be at least 60")


def check_register(params: Json, size: int) -> None:
    """Everything RegisterJobDefinition refuses; `size` is the request's body in bytes."""
    demand(_NAME.fullmatch(params["jobDefinitionName"]), "jobDefinitionName must match [A-Za-z0-9_-]{1,128}")
    demand(size <= DEFINITION_LIMIT, f"Job definition size is above the limit of 24 KiB, got {size} bytes")
    check_tags(params.get("tags", {}))
    check_retry(params.get("retryStrategy", {}))
    check_timeout(params.get("timeout", {}))
    if params["type"] == "multinode":
        demand("nodeProperties" in params, "nodeProperties is required for type multinode")
        return
    kinds = params.keys() & {"containerProperties", "ecsProperties", "eksProperties"}
    demand(len(kinds) == 1, "exactly one of containerProperties, ecsProperties and eksProperties is required")
    if "containerProperties" in kinds:
        _check_container(params["containerProperties"], params.get("platformCapabilities", ["EC2"]))


def _check_container(container: Mapping[str, Any], platforms: list[str]) -> None:
    image = container.get("image", "")
    demand(1 <= len(image) <= 255, f"Container.image must have 1 to 255 characters, got {len(image)}")
    given = {entry.get("type") for entry in container.get("resourceRequirements", [])}
    for old, kind in (("vcpus", "VCPU"), ("memory", "MEMORY")):
        demand(old in container or kind in given, f"{kind} is required in resourceRequirements")
    demand("FARGATE" not in platforms or container.get("executionRoleArn"), "executionRoleArn is required on Fargate")
    check_environment(container.get("environment", []))


def check_submit(params: Json, size: int, *, fair_share: bool) -> None:
    """What SubmitJob refuses from the request alone; whether queue, definition and parents exist is asked elsewhere."""
    demand(_JOB_NAME.fullmatch(params["jobName"]), "jobName must match [A-Za-z0-9][A-Za-z0-9_-]{0,127}")
    demand(size < REQUEST_LIMIT, f"Job size must be less than 30 KiB, got {size / 1024:.0f} KiB")
    check_overrides(params.get("containerOverrides", {}))
    check_retry(params.get("retryStrategy", {}))
    check_timeout(params.get("timeout", {}))
    check_tags(params.get("tags", {}))
    array = params.get("arrayProperties")
    demand(array is None or 2 <= array.get("size", 0) <= 10_000, "Array size must be between 2 and 10,000")
    _check_dependencies(params.get("dependsOn", []), is_array=array is not None)
    share = params.get("shareIdentifier")
    demand((share is not None) == fair_share, "shareIdentifier goes with a queue that has a scheduling policy, only")
    demand(share is None or _SHARE.fullmatch(share), "shareIdentifier must be alphanumeric")
    demand(0 <= params.get("schedulingPriorityOverride", 0) <= 9999, "schedulingPriorityOverride must be 0 to 9999")


def _check_dependencies(dependencies: list[Json], *, is_array: bool) -> None:
    demand(len(dependencies) <= 20, f"A job can depend on at most 20 jobs, got {len(dependencies)}")
    ids = [entry["jobId"] for entry in dependencies if "jobId" in entry]
    demand(len(ids) == len(set(ids)), "dependsOn names the same job twice")
    for entry in dependencies:
        demand("type" not in entry or is_array, "typed dependencies are for array jobs")
        demand("jobId" in entry or entry.get("type") == "SEQUENTIAL", "dependsOn needs a jobId")
