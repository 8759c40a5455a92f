"""An executor in memory that answers from a script, for what Batch would take hours to show."""

from collections.abc import Mapping, Sequence

from git_rvexp.errors import RvexpError
from git_rvexp.model import JobState, Plan

Answer = JobState | RvexpError | None


class Scripted:
    """Each look takes the next answer (None: the job is not known), and the last one stays."""

    name = "batch"
    schedules = True
    place: Mapping[str, str] = {}

    def __init__(self, *script: Answer) -> None:
        self.script: list[Answer] = list(script)
        self.stopped: list[tuple[str, str]] = []

    def check(self, plan: Plan) -> None:
        """Everything is fine."""

    def prepare(self, plan: Plan) -> None:
        """Nothing to do."""

    def submit(self, plan: Plan) -> str:
        """Never asked for."""
        raise AssertionError(f"{plan.run} was submitted")

    def find(self, plan: Plan) -> list[str]:
        """Never asked for."""
        raise AssertionError(f"{plan.run} was looked up by name")

    def states(self, jobs: Sequence[str]) -> dict[str, JobState]:
        """The next answer."""
        now = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(now, RvexpError):
            raise now
        return {} if now is None or now.job not in jobs else {now.job: now}

    def cancel(self, job: str, reason: str, **_whose: str) -> None:
        """Remember it."""
        self.stopped.append((job, reason))
