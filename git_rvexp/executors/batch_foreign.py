"""Jobs that somebody else submitted to Batch: listed by the definition they run, described for the record.

What they printed, how they ended and stopping them is `batch`'s business, once they are on record.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from git_rvexp import aws
from git_rvexp.errors import RvexpError
from git_rvexp.model import Json
from git_rvexp.settings import Settings


@dataclass(frozen=True)
class Listed:
    """A job as ListJobs tells of it; `created` is in milliseconds since 1970."""

    job: str
    name: str
    status: str
    created: int


def jobs_on(settings: Settings, definition: str, queue: str) -> list[Listed]:
    """The jobs in `queue` that run exactly `definition` (`arn:…:revision`), oldest first; array children are left out.

    Only finished jobs that Batch still keeps (some days) are among them.
    """
    client = aws.client("batch", settings)
    with aws.calling(f"list the jobs of {definition} in queue {queue}"):
        pages = client.get_paginator("list_jobs").paginate(
            jobQueue=queue, filters=[{"name": "JOB_DEFINITION", "values": [definition]}]
        )
        found = [summary for page in pages for summary in page["jobSummaryList"]]
    # The filter also takes names; only jobs that say they run this revision count.
    return sorted((_listed(s) for s in found if s.get("jobDefinition") == definition), key=lambda j: (j.created, j.job))


def request_of(settings: Settings, job: str) -> Mapping[str, Json]:
    """What the job was asked to do, in the words of a plan: its queue, command and array size.

    Its environment is left out but for the names: whoever submitted it may have put a secret there.
    """
    with aws.calling(f"look at the job {job}"):
        found = aws.client("batch", settings).describe_jobs(jobs=[job]).get("jobs") or []
    if not found:
        raise RvexpError(f"AWS Batch does not know the job {job} (any more)")
    detail = found[0]
    container = detail.get("container") or {}
    facts = {
        "queue": detail.get("jobQueue"),
        "command": list(container.get("command") or []),
        "array": (detail.get("arrayProperties") or {}).get("size"),
        "env_names": sorted(str(e["name"]) for e in container.get("environment") or []),
    }
    return {key: value for key, value in facts.items() if value or key == "command"}


def _listed(summary: Mapping[str, Json]) -> Listed:
    return Listed(
        str(summary["jobId"]),
        str(summary.get("jobName", "")),
        str(summary.get("status", "")),
        int(summary.get("createdAt", 0)),
    )
