"""The life of jobs in the double: states, attempts, retries, dependencies, array parents and children.

Nothing moves by itself: a job changes state when the test says so, or when a job it waits for ends. What callers may
ask and how a job is described is elsewhere.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from tests.doubles.jobs import ORDER, Attempt, Job
from tests.doubles.retries import retries
from tests.doubles.rules import OVERRIDES_LIMIT, overrides_length

if TYPE_CHECKING:
    from collections.abc import Callable

DEPENDENT = "Dependent Job failed"
CHILD_FAILED = "Array Child Job failed"
EXITED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"


class Board:
    """Every job of one account and region; `clock` gives ms since 1970."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.jobs: dict[str, Job] = {}
        self._dependents: dict[str, list[Job]] = defaultdict(list)
        self._unsettled: deque[Job] = deque()
        self._settling = False

    def add(self, job: Job) -> None:
        """Take in a new job, its children first linked to it, and let it wait or fail as its parents say."""
        job.open_children = len(job.children)
        for each in (job, *job.children):
            each.since = self.clock()
            self.jobs[each.job_id] = each
            for parent in each.waits_for:
                self._dependents[parent].append(each)
        for each in (*job.children, job):
            self._settle(each)

    def leaves(self, job: Job) -> list[Job]:
        """What really runs: the children of an array, else the job itself."""
        return job.children or [job]

    def step(self, job: Job) -> None:
        """One state onwards, as far as RUNNING; ValueError while it still waits for another job."""
        if job.status in ("SUBMITTED", "PENDING") and self.waiting(job):
            raise ValueError(f"{job.job_id} still waits for {', '.join(job.waits_for)}")
        refusal = _start_refusal(job) if job.status == "RUNNABLE" else None
        if refusal:
            self.finish(job, "FAILED", refusal)
            return
        self._enter(job, ORDER[ORDER.index(job.status) + 1])
        if job.status == "STARTING":
            job.current = Attempt()
        if job.status == "RUNNING":
            assert job.current is not None
            job.started_at = job.current.started_at = self.clock()
            job.current.log_stream = f"{job.definition.name[:200]}/default/{job.current.task_id}"

    def walk(self, job: Job, status: str) -> None:
        """Step until the status is reached, or until the job ends on the way there."""
        if job.done or ORDER.index(status) < ORDER.index(job.status):
            raise ValueError(f"{job.job_id} is {job.status} and cannot become {status}")
        while job.status not in (status, "SUCCEEDED", "FAILED"):
            self.step(job)

    def end_attempt(
        self, job: Job, exit_code: int | None, status_reason: str, reason: str | None = None, *, retry: bool = True
    ) -> None:
        """The attempt under way is over: SUCCEEDED on exit code 0, else what the retry strategy decides."""
        attempt = job.current
        assert attempt is not None
        attempt.exit_code, attempt.status_reason, attempt.reason = exit_code, status_reason, reason
        attempt.stopped_at = self.clock()
        job.attempts.append(attempt)
        job.current = None
        code = "" if exit_code is None else str(exit_code)
        facts = {"onStatusReason": status_reason, "onReason": reason or "", "onExitCode": code}
        if exit_code == 0:
            self.finish(job, "SUCCEEDED", status_reason)
        elif retry and not job.terminated and retries(job.setting("retryStrategy") or {}, len(job.attempts), facts):
            job.started_at = None
            self._enter(job, "RUNNABLE")
        else:
            self.finish(job, "FAILED", status_reason)

    def finish(self, job: Job, status: str, reason: str | None) -> None:
        """Reach a terminal state, and tell the array parent and every job that waited for this one."""
        job.stopped_at = self.clock()
        self._enter(job, status, reason)
        self._unsettled.extend(self._dependents.pop(job.job_id, []))
        # A SEQUENTIAL array may fail 10,000 children in one go: a loop, since recursion would overflow.
        if not self._settling:
            self._settling = True
            while self._unsettled:
                self._settle(self._unsettled.popleft())
            self._settling = False

    def _enter(self, job: Job, status: str, reason: str | None = None) -> None:
        job.status, job.status_reason, job.since = status, reason, self.clock()
        if job.parent is not None:
            self._update_parent(job.parent, child_ended=job.done)

    def _update_parent(self, parent: Job, *, child_ended: bool) -> None:
        parent.open_children -= child_ended
        if parent.open_children == 0:
            reasons = {child.status_reason for child in parent.children if child.status == "FAILED"}
            reason = DEPENDENT if reasons == {DEPENDENT} else CHILD_FAILED
            self.finish(parent, *(("FAILED", reason) if reasons else ("SUCCEEDED", None)))
        elif parent.status == "SUBMITTED":
            self._enter(parent, "PENDING")

    def waiting(self, job: Job) -> bool:
        """True while a job it depends on has not ended."""
        return any(not self.jobs[parent].done for parent in job.waits_for if parent in self.jobs)

    def _settle(self, job: Job) -> None:
        if job.status not in ("SUBMITTED", "PENDING") or not job.waits_for or job.children:
            return
        failed = any(self.jobs[parent].status == "FAILED" for parent in job.waits_for if parent in self.jobs)
        if failed or (job.cancelled and not self.waiting(job)):
            self.finish(job, "FAILED", job.status_reason if job.cancelled else DEPENDENT)
        elif self.waiting(job):
            self._enter(job, "PENDING", job.status_reason)
        else:
            self._enter(job, "RUNNABLE")


def _start_refusal(job: Job) -> str | None:
    if overrides_length(job.request.get("containerOverrides", {})) > OVERRIDES_LIMIT:
        return f"Container Overrides length must be at most {OVERRIDES_LIMIT}"
    if job.setting("propagateTags") and len(job.tags | job.definition.tags) > 50:
        return "Combined job and job definition tags exceed 50"
    return None
