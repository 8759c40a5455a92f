"""Job queues of the double, each with one compute environment of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.doubles.rules import check_queue_name, demand

if TYPE_CHECKING:
    from tests.doubles.paging import Pager

Json = dict[str, Any]


@dataclass
class Queue:
    """A queue as the test set it up; every field may be changed while the double runs."""

    name: str
    arn: str
    state: str = "ENABLED"
    status: str = "VALID"
    scheduling_policy: str | None = None
    max_vcpus: int = 256
    platform: str = "EC2"
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def environment_arn(self) -> str:
        """The ARN of the queue's compute environment, which is called after it."""
        return self.arn.replace(":job-queue/", ":compute-environment/") + "-ce"

    def describe(self) -> Json:
        """A JobQueueDetail."""
        policy = {"schedulingPolicyArn": self.scheduling_policy} if self.scheduling_policy else {}
        order = [{"order": 1, "computeEnvironment": self.environment_arn}]
        detail = {"jobQueueName": self.name, "jobQueueArn": self.arn, "state": self.state, "status": self.status}
        return {**detail, **policy, "priority": 1, "computeEnvironmentOrder": order, "tags": dict(self.tags)}

    def describe_environment(self) -> Json:
        """A ComputeEnvironmentDetail."""
        resources = {"type": self.platform, "minvCpus": 0, "maxvCpus": self.max_vcpus}
        names = {"computeEnvironmentName": f"{self.name}-ce", "computeEnvironmentArn": self.environment_arn}
        state = {"type": "MANAGED", "state": "ENABLED", "status": "VALID", "containerOrchestrationType": "ECS"}
        return {**names, **state, "computeResources": resources}


class Queues:
    """The queues of one account and region."""

    def __init__(self, prefix: str, pager: Pager) -> None:
        self.by_arn: dict[str, Queue] = {}
        self._prefix, self._pager = f"{prefix}:job-queue/", pager

    def add(self, name: str, **settings: Any) -> Queue:
        """A new queue; `settings` are the fields of Queue. Refuses a name that Batch would refuse."""
        check_queue_name(name)
        queue = Queue(name, self._prefix + name, **settings)
        self.by_arn[queue.arn] = queue
        return queue

    def find(self, reference: str) -> Queue:
        """The queue of this name or ARN; refuses when there is none."""
        arn = reference if reference.startswith("arn:") else self._prefix + reference
        demand(arn in self.by_arn, f"JobQueue {reference} not found")
        return self.by_arn[arn]

    def describe(self, params: Json) -> Json:
        """DescribeJobQueues."""
        page, more = self._page([queue.describe() for queue in self.by_arn.values()], params, "jobQueue")
        return {"jobQueues": page, **more}

    def describe_environments(self, params: Json) -> Json:
        """DescribeComputeEnvironments."""
        rows = [queue.describe_environment() for queue in self.by_arn.values()]
        page, more = self._page(rows, params, "computeEnvironment")
        return {"computeEnvironments": page, **more}

    def _page(self, rows: list[Json], params: Json, kind: str) -> tuple[list[Json], Json]:
        wanted = params.get(f"{kind}s")
        demand(wanted is None or len(wanted) <= 100, f"at most 100 {kind}s can be described at once")
        if wanted is not None:
            return [row for row in rows if {row[f"{kind}Name"], row[f"{kind}Arn"]} & set(wanted)], {}
        return self._pager.page(rows, params, 100)
