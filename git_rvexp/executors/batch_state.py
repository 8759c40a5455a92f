"""What a JobDetail of Batch means in our words. Pure; asking Batch is `batch`'s business."""

from collections.abc import Iterator, Mapping

from git_rvexp.model import JobState, Json, Phase

_PHASES = {
    "SUBMITTED": Phase.SUBMITTED,
    "PENDING": Phase.SUBMITTED,
    "RUNNABLE": Phase.SUBMITTED,
    "STARTING": Phase.SUBMITTED,
    "RUNNING": Phase.RUNNING,
    "SUCCEEDED": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
}
_OF_CHILDREN = {
    "FAILED": "RUNNING",
    "SUCCEEDED": "RUNNING",
    "RUNNING": "RUNNING",
    "STARTING": "STARTING",
    "RUNNABLE": "RUNNABLE",
}  # the status of an array that goes on, by the first of these that one of its children is in


def state(detail: Mapping[str, Json], exit_code: int | None) -> JobState:
    """The state that `detail` describes. A status of a later Batch counts as not over; `details` has its word."""
    status = _status(detail)
    return JobState(
        job=str(detail["jobId"]),
        phase=_PHASES.get(status, Phase.SUBMITTED),
        exit_code=exit_code,
        reason=_reason(detail),
        started=_seconds(detail.get("startedAt")),
        stopped=_seconds(detail.get("stoppedAt")),
        details=_filled(
            {
                "status": status,
                "status_reason": detail.get("statusReason"),
                "name": detail.get("jobName"),
                "queue": detail.get("jobQueue"),
                "definition": detail.get("jobDefinition"),
                "image": _container(detail).get("image"),
                "instance": _container(detail).get("containerInstanceArn"),
                "log_stream": _container(detail).get("logStreamName"),
                "attempts": [_attempt(a) for a in detail.get("attempts") or []],
                "array": _array(detail.get("arrayProperties") or {}),
                "terminated": detail.get("isTerminated") or None,
                "cancelled": detail.get("isCancelled") or None,
            }
        ),
    )


def _status(detail: Mapping[str, Json]) -> str:
    """The job's status; of an array that goes on, how far the first of its children has come.

    Its own stays PENDING from the moment on that one of them can start until all have ended.
    """
    status = str(detail.get("status", ""))
    counts = (detail.get("arrayProperties") or {}).get("statusSummary") or {}
    if status in ("SUCCEEDED", "FAILED"):
        return status
    return next((shown for child, shown in _OF_CHILDREN.items() if counts.get(child)), status)


def exit_code(detail: Mapping[str, Json]) -> int | None:
    """The exit code in `detail`: of the container, else of the last attempt, of several containers the first not 0.

    SUCCEEDED means 0 by Batch's own definition of it. None: not ended, killed with its host, or not told here.
    """
    if detail.get("status") == "SUCCEEDED":
        return 0
    codes = [c["exitCode"] for c in _ends(detail) if isinstance(c.get("exitCode"), int)]
    return next((c for c in codes if c), codes[0] if codes else None)


def streams(detail: Mapping[str, Json]) -> list[str]:
    """Names of the log streams of all attempts, in order; empty until something ran."""
    found = [c.get("logStreamName") for a in detail.get("attempts") or [] for c in _attempt_containers(a)]
    found += [c.get("logStreamName") for c in _containers(detail)]
    return list(dict.fromkeys(str(name) for name in found if name))


def size(detail: Mapping[str, Json]) -> int:
    """How many children an array has; 0 for what is no array."""
    return int((detail.get("arrayProperties") or {}).get("size") or 0)


def log_group(detail: Mapping[str, Json]) -> tuple[str, str, str]:
    """Driver, group and region (may be empty) of the job's logs."""
    for container in _containers(detail):
        config = container.get("logConfiguration") or {}
        if config:
            options = config.get("options") or {}
            group = str(options.get("awslogs-group") or DEFAULT_GROUP)
            return str(config.get("logDriver", "awslogs")), group, str(options.get("awslogs-region") or "")
    return "awslogs", DEFAULT_GROUP, ""


DEFAULT_GROUP = "/aws/batch/job"


def _container(detail: Mapping[str, Json]) -> Mapping[str, Json]:
    return next(_containers(detail), {})


def _containers(detail: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    if detail.get("container"):
        yield detail["container"]
    for task in (detail.get("ecsProperties") or {}).get("taskProperties") or []:
        yield from task.get("containers") or []
    yield from ((detail.get("eksProperties") or {}).get("podProperties") or {}).get("containers") or []


def _attempt_containers(attempt: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    if attempt.get("container"):
        yield attempt["container"]
    for task in attempt.get("taskProperties") or []:
        yield from task.get("containers") or []
    yield from attempt.get("containers") or []  # of eksAttempts


def _ends(detail: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    now = [c for c in _containers(detail) if c.get("exitCode") is not None]
    attempts = [*(detail.get("attempts") or []), *(detail.get("eksAttempts") or [])]
    return now or (list(_attempt_containers(attempts[-1])) if attempts else [])


def _attempt(attempt: Mapping[str, Json]) -> dict[str, Json]:
    containers = list(_attempt_containers(attempt))
    return _filled(
        {
            "started": _seconds(attempt.get("startedAt")),
            "stopped": _seconds(attempt.get("stoppedAt")),
            "status_reason": attempt.get("statusReason"),
            "reason": "; ".join(str(c["reason"]) for c in containers if c.get("reason")),
            "exit": next((c["exitCode"] for c in containers if c.get("exitCode") is not None), None),
            "log_stream": next((c["logStreamName"] for c in containers if c.get("logStreamName")), None),
            "instance": next((c["containerInstanceArn"] for c in containers if c.get("containerInstanceArn")), None),
        }
    )


def _array(array: Mapping[str, Json]) -> dict[str, Json] | None:
    counts = {k: v for k, v in (array.get("statusSummary") or {}).items() if v}
    return _filled({"size": array.get("size"), "index": array.get("index"), "counts": counts}) or None


def _reason(detail: Mapping[str, Json]) -> str:
    texts = [detail.get("statusReason"), *(c.get("reason") for c in _containers(detail))]
    return "; ".join(dict.fromkeys(str(t).strip() for t in texts if t))


def _seconds(milliseconds: Json) -> float | None:
    return milliseconds / 1000 if isinstance(milliseconds, int | float) and milliseconds else None


def _filled(fields: dict[str, Json]) -> dict[str, Json]:
    return {k: v for k, v in fields.items() if v not in (None, "", [], {})}
