"""AWS Batch as an executor: check, submit once, find by name, states, cancel, logs.

Reads may be repeated by botocore. SubmitJob has no client token, so it goes out once, and whatever leaves it open
whether a job exists is UnsureError: looking it up by name is the caller's next step, never another submission.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from git_rvexp import aws
from git_rvexp.errors import CredentialsError, RvexpError, UsageError
from git_rvexp.executors import batch_array_logs, batch_checks, batch_logs, batch_request, batch_state, limits
from git_rvexp.executors.batch_closer import Closer
from git_rvexp.executors.batch_definitions import Definitions
from git_rvexp.executors.batch_submit import NotSignedInError, submit_once
from git_rvexp.executors.protocol import RefusedError
from git_rvexp.model import JobState, Json, Plan
from git_rvexp.settings import Settings

__all__ = ["BatchExecutor", "NotSignedInError"]

_DESCRIBE_AT_ONCE = 100
_REASON_CHARACTERS = 1024
_QUEUE_SECONDS = 60  # how long what was seen of a queue counts: one submission looks more than once


class BatchExecutor:
    """Where runs happen: AWS Batch, as the settings reach it. `sleep` takes seconds."""

    name = "batch"
    schedules = True

    def __init__(
        self,
        settings: Settings,
        *,
        sleep: Callable[[float], None] = time.sleep,
        read_seconds: float = 60,
        poll_seconds: float = 5,
        definitions: Definitions | None = None,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._read_seconds = read_seconds
        self._poll_seconds = poll_seconds
        self._definitions = definitions or Definitions(settings)
        self._bodies: dict[str, Mapping[str, Json]] = {}
        self._queues: dict[str, tuple[float, Mapping[str, Json]]] = {}

    @functools.cached_property
    def place(self) -> Mapping[str, str]:
        """The account and the region that these settings reach."""
        account, region = aws.identity(self._settings)
        return {"account": account, "region": region}

    def check(self, plan: Plan) -> None:
        """Refuse what Batch would refuse, or accept and fail: limits, queue, definition, secrets, account."""
        limits.check_plan(plan)
        self._check_queue(plan)
        # Before anything is built there is no definition yet; the request can be measured all the same.
        body = self._definition(plan.definition) if plan.definition else {}
        if plan.definition:
            batch_checks.check_definition(plan, body)
        limits.check_request(batch_request.request(plan, body))

    def prepare(self, plan: Plan) -> None:
        """Nothing: Batch makes a job, an array too, in the one call."""

    def submit(self, plan: Plan) -> str:
        """The job's id, after exactly one SubmitJob. RefusedError: there is no job; UnsureError: there may be one."""
        try:
            request = batch_request.request(plan, self._definition(plan.definition))
            once = self._once
        except CredentialsError as why:
            raise NotSignedInError(str(why), hint=why.hint) from why
        except RvexpError as why:
            raise RefusedError(f"nothing was submitted: {why}", hint=why.hint) from why
        return submit_once(once, request)

    def find(self, plan: Plan) -> list[str]:
        """Ids of the jobs called exactly `plan.job_name` in the plan's queue, oldest first."""
        # Batch's filter ignores case and is the only one that every status answers to.
        summaries = self._named(plan.queue, plan.job_name)
        exact = [s for s in summaries if s.get("jobName") == plan.job_name]
        return [str(s["jobId"]) for s in sorted(exact, key=lambda s: (s.get("createdAt", 0), s["jobId"]))]

    def states(self, jobs: Sequence[str]) -> dict[str, JobState]:
        """The states of those of `jobs` that Batch still knows (it forgets ended ones after some days)."""
        found: dict[str, JobState] = {}
        wanted = list(dict.fromkeys(jobs))
        # Never an empty list: some services answer it with everything.
        for start in range(0, len(wanted), _DESCRIBE_AT_ONCE):
            for detail in self._details(wanted[start : start + _DESCRIBE_AT_ONCE]):
                found[str(detail["jobId"])] = batch_state.state(detail, self._exit_code(detail))
        return self._closer.look({job: found[job] for job in wanted if job in found})

    def cancel(self, job: str, reason: str, *, run: str) -> None:
        """Stop a job in any state. CancelJob would say yes to a running job and do nothing."""
        for detail in self._details([job]):  # one that does not show yet is told to stop all the same
            batch_checks.check_job(run, detail)
        with aws.calling(f"stop the job {job}"):
            self._reads.terminate_job(jobId=job, reason=reason[:_REASON_CHARACTERS] or "stopped by git rvexp")

    def logs(self, job: str, *, follow: bool = False, since: float = 0, attempt: int = 0) -> Iterator[str]:
        """The job's output, attempts in order, a line at a time; empty when it printed nothing.

        Of an array child after child, with `[index] ` before. While it follows it bears with AWS as a wait does, and
        with a job that AWS does not show yet.
        """
        pause = functools.partial(self._sleep, self._poll_seconds)
        ask: batch_logs.Ask = functools.partial(batch_logs.patiently, pause) if follow else batch_logs.once
        detail = ask(lambda: self._detail(job))
        group, region = batch_logs.place(detail)
        streams = batch_logs.Streams(self._client("logs", region=region), group, since, ask)
        if batch_state.size(detail):
            batch_array_logs.check_attempt(detail, attempt)
            return batch_array_logs.lines(
                detail, lambda jobs: ask(lambda: self._details(jobs)), streams, follow=follow, pause=pause
            )
        return batch_logs.lines(
            lambda: batch_logs.of_attempt(ask(lambda: self._detail(job)), attempt), streams, follow=follow, pause=pause
        )

    @functools.cached_property
    def _closer(self) -> Closer:
        return Closer(self._reads)

    @functools.cached_property
    def _reads(self) -> Any:
        return self._client("batch")

    @functools.cached_property
    def _once(self) -> Any:
        return self._client("batch", once=True)

    def _client(self, service: str, *, once: bool = False, region: str = "") -> Any:
        settings = dataclasses.replace(self._settings, aws_region=region) if region else self._settings
        return aws.client(service, settings, once=once, read_seconds=self._read_seconds)

    def expect_queue(self, name: str) -> None:
        """Look at a queue that a plan is going to name, so that its check need not wait."""
        self._queues[name] = time.monotonic(), self._queue(name)

    def ready(self) -> None:
        """Make what `submit` sends with, so that it need not wait. It says itself what is wrong with that."""
        with suppress(RvexpError):
            _ = self._once

    def _check_queue(self, plan: Plan) -> None:
        if not plan.queue:
            raise UsageError("no job queue is set", hint="git config rvexp.batch-queue NAME")
        seen, _ = self._queues.get(plan.queue, (-_QUEUE_SECONDS, {}))
        if time.monotonic() - seen >= _QUEUE_SECONDS:
            self.expect_queue(plan.queue)
        batch_checks.check_queue(plan, self._queues[plan.queue][1])

    def _queue(self, name: str) -> Mapping[str, Json]:
        with aws.calling(f"look at the job queue {name}"):
            found = self._client("batch").describe_job_queues(jobQueues=[name])["jobQueues"]
        if not found:
            raise UsageError(f"there is no job queue {name}", hint="aws batch describe-job-queues")
        queue: Mapping[str, Json] = found[0]
        return queue

    def _definition(self, arn: str) -> Mapping[str, Json]:
        if arn in self._bodies:  # a revision never changes
            return self._bodies[arn]
        if not arn.startswith("arn:") or not arn.rpartition(":")[2].isdigit():
            raise UsageError(f"a run needs a job definition as arn:…:revision, not {arn!r}", hint="git rvexp publish")
        known = self._definitions.revision(arn)
        if known is not None:
            return known
        with aws.calling(f"look at the job definition {arn}"):
            found = self._reads.describe_job_definitions(jobDefinitions=[arn])["jobDefinitions"]
        if not found or found[0].get("status") != "ACTIVE":
            says = f"is {found[0].get('status')}" if found else "does not exist"
            raise RvexpError(f"the job definition {arn} {says}", hint="git rvexp publish")
        self._bodies[arn] = found[0]
        return self._bodies[arn]

    def _details(self, jobs: Sequence[str]) -> list[dict[str, Json]]:
        with aws.calling(f"look at {len(jobs)} job(s)"):
            found = self._reads.describe_jobs(jobs=list(jobs)).get("jobs") or []
        return [d for d in found if d.get("jobId") in jobs]

    def _detail(self, job: str) -> dict[str, Json]:
        found = self._details([job])
        if not found:
            raise RvexpError(f"AWS Batch does not know the job {job} (any more)", hint="git rvexp show")
        return found[0]

    def _named(self, queue: str, name: str) -> list[dict[str, Json]]:
        pages = self._reads.get_paginator("list_jobs")
        with aws.calling(f"look for the job {name} in queue {queue}"):
            found = pages.paginate(jobQueue=queue, filters=[{"name": "JOB_NAME", "values": [name]}])
            return [summary for page in found for summary in page["jobSummaryList"]]

    def _exit_code(self, detail: Mapping[str, Json]) -> int | None:
        code = batch_state.exit_code(detail)
        if code is not None or detail.get("status") != "FAILED" or not detail.get("container"):
            return code
        # Some services tell the exit code in the list only. Batch tells none of a job that never ran or lost its host,
        # and what a list cannot tell, of a queue that is gone too, must not hide how the job ended.
        try:
            listed = self._named(str(detail["jobQueue"]), str(detail["jobName"]))
        except RvexpError:
            return None
        ours = [s for s in listed if s.get("jobId") == detail["jobId"]]
        return (ours[0].get("container") or {}).get("exitCode") if ours else None
