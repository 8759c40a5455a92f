"""How a job looks from outside: JobDetail (DescribeJobs) and JobSummary (ListJobs), times in ms.

Members without a value are left out, `startedAt` of a job that never ran included, as Batch does against its own model.
`Ref::` parameters are shown unsubstituted; the variables that Batch itself sets in the container are not shown.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.doubles.jobs import Attempt, Job, summary_of

Json = dict[str, Any]

_LISTS = ("command", "volumes", "environment", "mountPoints", "ulimits", "resourceRequirements", "secrets")


def detail(job: Job) -> Json:
    """A JobDetail."""
    facts = {
        **_common(job),
        "jobQueue": job.queue_arn,
        "dependsOn": copy.deepcopy(job.request.get("dependsOn", [])),
        "parameters": {**job.definition.body.get("parameters", {}), **job.request.get("parameters", {})},
        "attempts": [_attempt(job, each) for each in job.attempts],
        "tags": dict(job.tags),
        "propagateTags": bool(job.setting("propagateTags")),
        "platformCapabilities": job.definition.body.get("platformCapabilities", ["EC2"]),
        "retryStrategy": {"attempts": 1, "evaluateOnExit": [], **(job.setting("retryStrategy") or {})},
        "timeout": job.setting("timeout"),
        **_container(job),
    }
    return {key: value for key, value in facts.items() if value is not None}


def summary(job: Job) -> Json:
    """A JobSummary, with the exit code and reason of the last attempt."""
    last = job.latest
    ended = {"exitCode": last.exit_code, "reason": last.reason} if last else {}
    container = {key: value for key, value in ended.items() if value is not None}
    facts = {**_common(job), "container": container or None}
    return {key: value for key, value in facts.items() if value is not None}


def _common(job: Job) -> Json:
    return {
        "jobArn": job.arn,
        "jobId": job.job_id,
        "jobName": job.name,
        "status": job.status,
        "statusReason": job.status_reason,
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "stoppedAt": job.stopped_at,
        "jobDefinition": job.definition.arn,
        "shareIdentifier": job.request.get("shareIdentifier"),
        "isCancelled": job.cancelled,
        "isTerminated": job.terminated,
        "arrayProperties": _array(job),
    }


def _array(job: Job) -> Json | None:
    if job.index is not None:
        return {"index": job.index}
    if not job.children:
        return None
    updated = max(child.since for child in job.children)
    return {"size": len(job.children), "statusSummary": summary_of(job), "statusSummaryLastUpdatedAt": updated}


def _where(job: Job, attempt: Attempt) -> Json:
    base = job.arn.partition(":job/")[0].replace(":batch:", ":ecs:")
    instance = f"{base}:container-instance/double/{attempt.task_id[::-1]}"
    return {"taskArn": f"{base}:task/double/{attempt.task_id}", "containerInstanceArn": instance}


def _ended(attempt: Attempt) -> Json:
    facts = {"exitCode": attempt.exit_code, "reason": attempt.reason, "logStreamName": attempt.log_stream}
    return {key: value for key, value in facts.items() if value is not None}


def _attempt(job: Job, attempt: Attempt) -> Json:
    facts: Json = {
        "startedAt": attempt.started_at,
        "stoppedAt": attempt.stopped_at,
        "statusReason": attempt.status_reason,
        "container": {},
    }
    tasks = job.definition.body.get("ecsProperties", {}).get("taskProperties")
    if tasks:
        containers = [{"name": each.get("name", "default"), **_ended(attempt)} for each in tasks[0]["containers"]]
        facts["taskProperties"] = [{**_where(job, attempt), "containers": containers}]
    else:
        facts["container"] = {**_where(job, attempt), **_ended(attempt), "networkInterfaces": []}
    return {key: value for key, value in facts.items() if value is not None}


def _container(job: Job) -> Json:
    body, last = job.definition.body, job.latest
    ended = _ended(last) if last else {}
    if "containerProperties" in body:
        merged = {**{key: [] for key in _LISTS}, **copy.deepcopy(body["containerProperties"])}
        _override(merged, job.request.get("containerOverrides", {}))
        return {"container": {**merged, "networkInterfaces": [], **ended, **(_where(job, last) if last else {})}}
    if "ecsProperties" in body:
        shown = copy.deepcopy(body["ecsProperties"])
        for container in shown["taskProperties"][0]["containers"]:
            container.update(ended)
        return {"container": {}, "ecsProperties": shown}
    return {key: copy.deepcopy(body[key]) for key in ("eksProperties", "nodeProperties") if key in body}


def _override(container: Json, overrides: Json) -> None:
    overrides = copy.deepcopy(overrides)
    for key, name in (("environment", "name"), ("resourceRequirements", "type")):
        theirs = {entry[name]: entry for entry in container[key]}
        theirs |= {entry[name]: entry for entry in overrides.pop(key, [])}
        container[key] = list(theirs.values())
    container.update(overrides)
