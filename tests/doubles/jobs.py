"""What a job of the double is: its request, its state, its attempts. How it moves is in `board`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from tests.doubles.definitions import Definition

Json = dict[str, Any]

ORDER = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
STATUSES = (*ORDER, "SUCCEEDED", "FAILED")


@dataclass
class Attempt:
    """One run of the container; times in ms, `log_stream` named once the container runs."""

    task_id: str = field(default_factory=lambda: uuid4().hex)
    started_at: int | None = None
    stopped_at: int | None = None
    exit_code: int | None = None
    status_reason: str | None = None
    reason: str | None = None
    log_stream: str | None = None


@dataclass
class Job:
    """A job, an array parent (`children`) or a child (`parent`, `index`); `request` is SubmitJob's parameters."""

    job_id: str
    arn: str
    queue_arn: str
    definition: Definition
    request: Json
    created_at: int
    tags: dict[str, str]
    parent: Job | None = None
    index: int | None = None
    children: list[Job] = field(default_factory=list)
    open_children: int = 0
    waits_for: list[str] = field(default_factory=list)
    status: str = "SUBMITTED"
    status_reason: str | None = None
    since: int = 0
    started_at: int | None = None
    stopped_at: int | None = None
    attempts: list[Attempt] = field(default_factory=list)
    current: Attempt | None = None
    cancelled: bool = False
    terminated: bool = False

    @property
    def name(self) -> str:
        """The name it was submitted under."""
        return str(self.request["jobName"])

    @property
    def done(self) -> bool:
        """SUCCEEDED or FAILED."""
        return self.status in ("SUCCEEDED", "FAILED")

    @property
    def latest(self) -> Attempt | None:
        """The attempt under way, else the last one made."""
        return self.current or (self.attempts[-1] if self.attempts else None)

    def setting(self, key: str) -> Any:
        """A setting that the request may override and the definition may hold (`retryStrategy`, `timeout`…)."""
        return self.request.get(key, self.definition.body.get(key))


def summary_of(parent: Job) -> dict[str, int]:
    """How many children are in each state, every state named."""
    return dict.fromkeys(STATUSES, 0) | Counter(child.status for child in parent.children)
