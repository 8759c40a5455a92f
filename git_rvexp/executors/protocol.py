"""What every executor can do, in our words. Status strings, ARNs and container labels stay behind this door."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from git_rvexp.errors import RvexpError
from git_rvexp.model import JobState, Plan


class RefusedError(RvexpError):
    """The executor said no: no job exists, and asking again will not help."""


class UnsureError(RvexpError):
    """The executor's reply was lost or made no sense: a job may exist. Look it up by name before anything else."""


class BusyError(UnsureError):
    """The executor asked to come back later. It may have acted all the same: look up first, then try again."""


class Executor(Protocol):
    """Where runs happen."""

    name: str
    schedules: bool
    """Whether it starts a job by itself once the jobs that it waits for have succeeded."""

    @property
    def place(self) -> Mapping[str, str]:
        """The plan fields that say which account and region, or which engine: "not found" elsewhere means nothing."""

    def check(self, plan: Plan) -> None:
        """Refuse (RvexpError) what the executor would refuse or let fail later; nothing is written anywhere.

        A draft, whose image is still empty, is checked as far as it goes.
        """

    def prepare(self, plan: Plan) -> None:
        """Do what `submit` needs, takes long and makes no job yet. RvexpError when it cannot be done."""

    def submit(self, plan: Plan) -> str:
        """Start the run with exactly one attempt at the call; the job's id. RefusedError or UnsureError otherwise."""

    def find(self, plan: Plan) -> list[str]:
        """Ids of all jobs that bear the plan's job name, oldest first."""

    def states(self, jobs: Sequence[str]) -> dict[str, JobState]:
        """What the executor knows of `jobs` now; ids it does not know are absent."""

    def cancel(self, job: str, reason: str, *, run: str) -> None:
        """Stop a job, whatever state it is in. RvexpError, and nothing is done, when it is not that of `run`."""


class LogSource(Protocol):
    """Where a job's output is read."""

    def logs(self, job: str, *, follow: bool = False, since: float = 0, attempt: int = 0) -> Iterator[str]:
        """The job's output, a line at a time without newlines; with `follow` until the job has ended.

        `since` is in epoch seconds; `attempt` counts from 1, and 0 means all. `JOB:N` is child N of an array.
        """
