"""AWS Batch, CloudWatch Logs and STS in one strict double behind one loopback URL, driven by the test that holds it.

The caller uses real boto3 with `endpoint_url=double.url`; all it sends is checked against botocore's service models and
against the limits in `rules`. Jobs move only when the test moves them. No container runs here: for that there is moto.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from tests.doubles.board import EXITED, TIMED_OUT
from tests.doubles.front import Call, Front
from tests.doubles.logs import DEFAULT_GROUP, LogsDouble
from tests.doubles.operations import Operations
from tests.doubles.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doubles.jobs import Job
    from tests.doubles.queues import Queue

Json = dict[str, Any]


class BatchDouble:
    """A context manager; everything public may be used from the test's thread while clients are served."""

    def __init__(
        self,
        *,
        account: str = "123456789012",
        region: str = "us-east-1",
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.services = Operations(account, region, clock)
        self._front = Front(self.services, region)
        self._lock = self._front.lock
        self._server = LoopbackServer(self._front.respond)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        """The endpoint for all three services."""
        return self._server.url

    @property
    def jobs(self) -> dict[str, Job]:
        """Every job that was accepted and not forgotten, by id, oldest first; array children included."""
        return self.services.board.jobs

    @property
    def logs(self) -> LogsDouble:
        """The CloudWatch Logs side."""
        return self.services.logs

    @property
    def calls(self) -> list[Call]:
        """Every request that could be read, as (operation, params), spoilt and refused ones included."""
        return self._front.calls

    def called(self, operation: str) -> list[Json]:
        """The parameters of every call of one operation, in order."""
        return [call.params for call in self._front.calls if call.operation == operation]

    def fail_next(self, operation: str, kind: str, *, count: int = 1, delay: float = 0.0) -> None:
        """Spoil the next `count` calls; the kinds are in `failures.KINDS`, `delay` (seconds) is for `slow_after`."""
        self._front.failures.add(operation, kind, count=count, delay=delay)

    def release(self) -> int:
        """Let the calls spoilt as `held` land now; returns how many there were."""
        return self._front.failures.release()

    def add_queue(self, name: str, **settings: Any) -> Queue:
        """A queue with a compute environment; `settings` are fields of Queue (state, status, scheduling_policy…)."""
        with self._lock:
            return self.services.queues.add(name, **settings)

    def advance(
        self,
        job_id: str,
        status: str,
        *,
        exit_code: int | None = None,
        reason: str | None = None,
        container_reason: str | None = None,
    ) -> None:
        """Move a job (or each child of an array) on to a status, through the states between.

        `FAILED` ends the attempt under way, and the retry strategy decides what follows; with an exit code the job runs
        first, without one a job that has not started fails with no attempt. `reason` is the statusReason. ValueError
        for a way back or past a dependency.
        """
        with self._lock:
            for job in self._leaves(job_id):
                if status in ("SUCCEEDED", "FAILED"):
                    self._end(job, 0 if status == "SUCCEEDED" else exit_code, reason, container_reason)
                else:
                    self.services.board.walk(job, status)
                    job.status_reason = reason if not job.done else job.status_reason

    def run_to_end(self, job_id: str, exit_code: int = 0) -> None:
        """Run a job (or each child of an array) until it has ended, every attempt with this exit code."""
        with self._lock:
            for job in self._leaves(job_id):
                while not job.done:
                    self._end(job, exit_code, None, None)

    def spot_kill(self, job_id: str) -> None:
        """Take the host away under a running job; it has no exit code, and is retried if its strategy says so."""
        with self._lock:
            job = self.jobs[job_id]
            self.services.board.walk(job, "RUNNING")
            assert job.current is not None
            host = f"i-{job.current.task_id[:17]}"
            self.services.board.end_attempt(job, None, f"Host EC2 (instance {host}) terminated.")

    def time_out(self, job_id: str) -> None:
        """End a running job for exceeding its timeout, which is never retried."""
        with self._lock:
            job = self.jobs[job_id]
            self.services.board.walk(job, "RUNNING")
            self.services.board.end_attempt(job, 137, TIMED_OUT, retry=False)

    def log(self, job_id: str, *lines: str) -> None:
        """Write lines to the stream of a job's latest attempt, in the log group its definition names."""
        with self._lock:
            job = self.jobs[job_id]
            if job.latest is None or job.latest.log_stream is None:
                raise ValueError(f"{job_id} has not run yet, so it has no log stream")
            options = job.definition.body.get("containerProperties", {}).get("logConfiguration", {}).get("options", {})
            group = options.get("awslogs-group", DEFAULT_GROUP)
            self.logs.put(group, job.latest.log_stream, self.services.board.clock(), *lines)

    def forget(self, job_id: str) -> None:
        """Drop a finished job and its children, as Batch does after its retention; ValueError if it has not ended."""
        with self._lock:
            job = self.jobs[job_id]
            if not job.done:
                raise ValueError(f"{job_id} is {job.status}: Batch keeps jobs that have not ended")
            for each in (job, *job.children):
                del self.jobs[each.job_id]

    def forget_definition(self, arn: str) -> None:
        """Drop an INACTIVE definition, as Batch does after 180 days."""
        with self._lock:
            del self.services.definitions.by_arn[arn]

    def _leaves(self, job_id: str) -> list[Job]:
        return self.services.board.leaves(self.jobs[job_id])

    def _end(self, job: Job, exit_code: int | None, reason: str | None, container_reason: str | None) -> None:
        board = self.services.board
        if exit_code is not None and job.status != "RUNNING":
            board.walk(job, "RUNNING")
        if job.done:
            return
        if job.current is None:
            board.finish(job, "FAILED", reason)
        else:
            default = (job.status_reason if job.terminated else None) or EXITED
            board.end_attempt(job, exit_code, reason or default, container_reason)
