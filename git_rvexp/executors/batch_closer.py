"""What DescribeJobs leaves out: a waiting job's place in its queue, and which children of an array failed.

Both are extras: a service that has no answer (or does not give it to these credentials) is asked once and then left
alone, and the state is told without.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from git_rvexp import aws
from git_rvexp.errors import RvexpError
from git_rvexp.model import JobState, Json

_TOLD = 50  # failed children that are told one by one


class Closer:
    """Looks closer at jobs through a Batch client for reads."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._silent: set[str] = set()

    def look(self, states: Mapping[str, JobState]) -> dict[str, JobState]:
        """The same states with what else is known: `details["position"]`, `details["array"]["failed"]`."""
        queues = {str(s.details.get("queue")) for s in states.values() if s.details.get("status") == "RUNNABLE"}
        places = {job: place for queue in sorted(queues) for job, place in self._front(queue).items()}
        return {job: self._closer(state, places.get(job)) for job, state in states.items()}

    def _closer(self, state: JobState, place: int | None) -> JobState:
        more: dict[str, Json] = {"position": place} if place else {}
        array = state.details.get("array") or {}
        if (array.get("counts") or {}).get("FAILED"):
            failed = self._failed(state.job)
            more |= {"array": {**array, "failed": failed}} if failed else {}
        return dataclasses.replace(state, details={**state.details, **more}) if more else state

    def _front(self, queue: str) -> dict[str, int]:
        """Place (from 1) of the jobs that stand first in a queue, as far as Batch lists them."""
        pages = self._asked("the front of the queue", "get_job_queue_snapshot", jobQueue=queue)
        jobs: Sequence[Mapping[str, Json]] = [
            job for page in pages for job in (page.get("frontOfQueue") or {}).get("jobs") or []
        ]
        return {str(job.get("jobArn")).rpartition("job/")[2]: place for place, job in enumerate(jobs, start=1)}

    def _failed(self, array: str) -> dict[str, Json]:
        """By index the exit code and the reason of the first children that failed.

        All pages are read, since Batch lists them in an order of its own and whoever looks has to tell the same ones.
        """
        pages = self._asked("the failed jobs of an array", "list_jobs", arrayJobId=array, jobStatus="FAILED")
        ended: dict[int, dict[str, Json]] = {}
        for each in (summary for page in pages for summary in page.get("jobSummaryList") or []):
            container = each.get("container") or {}
            reason = "; ".join(dict.fromkeys(t for t in (each.get("statusReason"), container.get("reason")) if t))
            told = {"exit": container.get("exitCode"), "reason": reason}
            index = (each.get("arrayProperties") or {}).get("index")
            ended[int(index or 0)] = {k: v for k, v in told.items() if v not in (None, "")}
        return {str(index): ended[index] for index in sorted(ended)[:_TOLD]}

    def _asked(self, what: str, operation: str, **params: str) -> list[Mapping[str, Json]]:
        """All pages of the answer; none when there is no answer."""
        if operation in self._silent or not hasattr(self._client, operation):  # a botocore that is older than it
            return []
        try:
            with aws.calling(f"look at {what}"):
                if self._client.can_paginate(operation):
                    return list(self._client.get_paginator(operation).paginate(**params))
                return [getattr(self._client, operation)(**params)]
        except RvexpError:
            self._silent.add(operation)
            return []
