"""ListJobs: which jobs a request selects, and in what order.

Array children are listed by their parent's id only. The order is newest first, which Batch promises for filtered lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.doubles.retries import glob_matches
from tests.doubles.rules import demand, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doubles.jobs import Job

Json = dict[str, Any]

PAGE = 1000
FILTERED_PAGE = 100


def select(jobs: list[Job], params: Json, queue_arn: str | None) -> list[Job]:
    """The jobs asked for; `queue_arn` is the resolved queue when one was named. Refuses what Batch refuses."""
    places = [key for key in ("jobQueue", "arrayJobId", "multiNodeJobId") if key in params]
    demand(len(places) == 1, "exactly one of jobQueue, arrayJobId and multiNodeJobId must be given")
    demand(params.get("maxResults", 1) >= 1, "maxResults must be at least 1")
    filters = params.get("filters", [])
    demand(len(filters) <= 1, "only one filter can be used at a time")
    demand(not filters or queue_arn, "filters do not apply to child jobs")
    wanted = _filter(filters[0]) if filters else None
    by_status = wanted is None or filters[0]["name"] == "SHARE_IDENTIFIER"
    # Without a filter, no status means RUNNING; with one, a status counts beside SHARE_IDENTIFIER only.
    status = params.get("jobStatus", None if wanted else "RUNNING") if by_status else None
    found = [
        job
        for job in reversed(jobs)
        if _in_place(job, params, queue_arn) and status in (None, job.status) and (wanted is None or wanted(job))
    ]
    return sorted(found, key=lambda job: -job.created_at)


def page_size(params: Json) -> int:
    """How many rows Batch returns at most: fewer when a filter is used."""
    return FILTERED_PAGE if params.get("filters") else PAGE


def _in_place(job: Job, params: Json, queue_arn: str | None) -> bool:
    if queue_arn is not None:
        return job.queue_arn == queue_arn and job.parent is None
    return job.parent is not None and job.parent.job_id == params.get("arrayJobId")


def _filter(chosen: Json) -> Callable[[Job], bool]:
    name, values = chosen.get("name"), chosen.get("values", [])
    demand(values, "a filter needs a value")
    match name:
        case "JOB_NAME":
            return lambda job: any(glob_matches(value.lower(), job.name.lower()) for value in values)
        case "JOB_DEFINITION":
            demand(not any(_is_arn_glob(value) for value in values), "* is not supported with an ARN")
            return lambda job: any(_by_definition(value, job) for value in values)
        case "BEFORE_CREATED_AT" | "AFTER_CREATED_AT":
            demand(values[0].isdigit(), f"{values[0]!r} is not a number of milliseconds")
            sign = 1 if name == "AFTER_CREATED_AT" else -1
            return lambda job: (job.created_at - int(values[0])) * sign > 0
        case "SHARE_IDENTIFIER":
            return lambda job: job.request.get("shareIdentifier") in values
    raise refuse(f"unknown filter {name}: filter names are case sensitive")


def _is_arn_glob(value: str) -> bool:
    return value.startswith("arn:") and value.endswith("*")


def _by_definition(value: str, job: Job) -> bool:
    return value == job.definition.arn if value.startswith("arn:") else glob_matches(value, job.definition.name)
