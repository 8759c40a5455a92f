"""The operations that the double answers, each from checked parameters to an answer's payload.

One account, one region; no HTTP and no planned failures here. Control of the jobs is with `batch.BatchDouble`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.doubles import describing, listing, rules, submission
from tests.doubles.board import EXITED, Board
from tests.doubles.definitions import Definition, Definitions
from tests.doubles.logs import LogsDouble
from tests.doubles.paging import Pager
from tests.doubles.queues import Queue, Queues

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doubles.jobs import Job

Json = dict[str, Any]


class Operations:
    """The state of the services and what can be asked of it.

    `visibility_lag_ms` hides a new job from ListJobs and DescribeJobs for that long, `stop_at_once` false leaves a
    terminated job RUNNING until the test ends it, `autorun` (an exit code) moves jobs one state on per DescribeJobs.
    """

    def __init__(self, account: str, region: str, clock: Callable[[], int]) -> None:
        prefix = f"arn:aws:batch:{region}:{account}"
        self.account = account
        self.user = f"arn:aws:iam::{account}:user/double"
        self.pager = Pager()
        self.board = Board(clock)
        self.definitions = Definitions(prefix, self.pager)
        self.queues = Queues(prefix, self.pager)
        self.logs = LogsDouble()
        self.visibility_lag_ms = 0
        self.stop_at_once = True
        self.autorun: int | None = None

    def table(self) -> dict[str, Callable[[Json, int], Json]]:
        """Operation name to function of the parameters and of the request body's size in bytes."""
        return {
            "RegisterJobDefinition": self._register,
            "DescribeJobDefinitions": lambda params, _: self.definitions.describe(params),
            "DeregisterJobDefinition": self._deregister,
            "DescribeJobQueues": lambda params, _: self.queues.describe(params),
            "DescribeComputeEnvironments": lambda params, _: self.queues.describe_environments(params),
            "SubmitJob": self._submit,
            "DescribeJobs": self._describe_jobs,
            "ListJobs": self._list_jobs,
            "TerminateJob": self._terminate,
            "CancelJob": self._cancel,
            "GetJobQueueSnapshot": self._snapshot,
            "TagResource": self._tag,
            "GetLogEvents": lambda params, _: self.logs.get_log_events(params),
            "GetCallerIdentity": self._identity,
        }

    def _register(self, params: Json, size: int) -> Json:
        rules.check_register(params, size)
        made = self.definitions.register(params)
        return {"jobDefinitionName": made.name, "jobDefinitionArn": made.arn, "revision": made.revision}

    def _deregister(self, params: Json, _: int) -> Json:
        self.definitions.deregister(params["jobDefinition"])
        return {}

    def _submit(self, params: Json, size: int) -> Json:
        queue = self.queues.find(params["jobQueue"])
        rules.check_submit(params, size, fair_share=queue.scheduling_policy is not None)
        rules.demand(queue.state == "ENABLED", f"JobQueue {queue.arn} is not in ENABLED state")
        definition = self.definitions.resolve(params["jobDefinition"])
        kinds_fit = "containerOverrides" not in params or "containerProperties" in definition.body
        rules.demand(kinds_fit, "containerOverrides need a definition with containerProperties")
        job = submission.submit(self.board, params, queue, definition)
        return {"jobArn": job.arn, "jobName": job.name, "jobId": job.job_id}

    def _visible(self) -> list[Job]:
        newest = self.board.clock() - self.visibility_lag_ms
        return [job for job in self.board.jobs.values() if job.created_at <= newest]

    def _describe_jobs(self, params: Json, _: int) -> Json:
        wanted = set(params["jobs"])
        rules.demand(len(params["jobs"]) <= 100, "Maximum number of jobs supported is 100")
        # Batch promises no order; the newest first is as likely as any and catches who counts on theirs.
        found = [job for job in reversed(self._visible()) if job.job_id in wanted]
        if self.autorun is not None:
            for job in found:
                self._move_on(job, self.autorun)
        return {"jobs": [describing.detail(job) for job in found]}

    def _move_on(self, job: Job, exit_code: int) -> None:
        for leaf in self.board.leaves(job):
            if leaf.status == "RUNNING":
                self.board.end_attempt(leaf, exit_code, EXITED)
            elif not leaf.done and not self.board.waiting(leaf):
                self.board.step(leaf)

    def _list_jobs(self, params: Json, _: int) -> Json:
        queue = self.queues.find(params["jobQueue"]).arn if "jobQueue" in params else None
        found = [describing.summary(job) for job in listing.select(self._visible(), params, queue)]
        page, more = self.pager.page(found, params, listing.page_size(params))
        return {"jobSummaryList": page, **more}

    def _stoppable(self, params: Json) -> Job:
        job = self.board.jobs.get(params["jobId"])
        rules.demand(len(params["reason"]) <= 1024, "reason may have at most 1024 characters")
        rules.demand(job, f"Job {params['jobId']} does not exist")
        assert job is not None
        return job

    def _terminate(self, params: Json, _: int) -> Json:
        submission.terminate(self.board, self._stoppable(params), params["reason"], at_once=self.stop_at_once)
        return {}

    def _cancel(self, params: Json, _: int) -> Json:
        submission.cancel(self.board, self._stoppable(params), params["reason"])
        return {}

    def _snapshot(self, params: Json, _: int) -> Json:
        arn, now = self.queues.find(params["jobQueue"]).arn, self.board.clock()
        waiting = [job for job in self.board.jobs.values() if job.queue_arn == arn and job.status == "RUNNABLE"]
        front = [{"jobArn": job.arn, "earliestTimeAtPosition": job.since} for job in waiting[:100]]
        return {"frontOfQueue": {"jobs": front, "lastUpdatedAt": now}}

    def _tag(self, params: Json, _: int) -> Json:
        arn = params["resourceArn"]
        jobs = {job.arn: job for job in self.board.jobs.values() if job.parent is None}
        holders: dict[str, Definition | Queue | Job] = {**jobs, **self.definitions.by_arn, **self.queues.by_arn}
        rules.demand(arn in holders, f"Resource {arn} does not exist")
        tags = {**holders[arn].tags, **params["tags"]}
        rules.check_tags(tags)
        holders[arn].tags = tags
        return {}

    def _identity(self, _: Json, __: int) -> Json:
        return {"UserId": "AIDADOUBLE", "Account": self.account, "Arn": self.user}
