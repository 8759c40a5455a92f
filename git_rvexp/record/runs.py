"""The state of a run, computed from its events and never stored."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from git_rvexp.record.events import Event, Record
from git_rvexp.terms import Phase

if TYPE_CHECKING:
    from git_rvexp.model import Plan


class Run(NamedTuple):
    """One run as the record tells it: where it stands, its jobs (the first is the one that counts), its events."""

    run: str
    phase: Phase
    jobs: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def job(self) -> str:
        """The executor's id; "" while none is known."""
        return self.jobs[0] if self.jobs else ""

    @property
    def planned(self) -> Event:
        """The event that began the run."""
        return self.events[0]

    @property
    def plan(self) -> "Plan":
        """The plan as recorded; UsageError when it cannot be read."""
        from git_rvexp.model import Plan  # noqa: PLC0415  a list looks at no plan whole

        return Plan.from_fields(self.planned.fields)

    def first(self, kind: str) -> Event | None:
        """The oldest event of a kind: of several lines about the end, the one that was believed."""
        for event in self.events:  # a loop: this is asked of each of thousands of runs, several times
            if event.kind == kind:
                return event
        return None

    def last(self, kind: str) -> Event | None:
        """The newest event of a kind."""
        return next((e for e in reversed(self.events) if e.kind == kind), None)

    @property
    def outputs(self) -> Event | None:
        """What it wrote: of several lists the one that lacks the fewest places, of equal ones the oldest."""
        told = [event for event in self.events if event.kind == "outputs"]
        return min(told, key=lambda event: len(event.get("unread") or {}), default=None)

    @property
    def verdict(self) -> Event | None:
        """What it showed as a repeat: the newest, which was found with the most at hand."""
        return self.last("verdict")

    @property
    def executor(self) -> str:
        """The executor's name; "" when the plan does not say."""
        return str(self.planned.fields.get("executor", ""))

    @property
    def word(self) -> str:
        """Its recorded state in one word."""
        return self.word_at(None)

    def word_at(self, seen: Phase | None) -> str:
        """Its state in the one word that every verb shows; `seen` just now counts while no end is recorded."""
        phase = self.phase if self.phase.over or seen is None else seen
        stopped = phase is Phase.FAILED and self.first("cancelled") is not None
        return "cancelled" if stopped else phase.value


# A later line of a lower rank changes nothing: a job that was found stays found, one that ended stays ended.
_STEPS = {
    "planned": (0, Phase.PLANNED),
    "ambiguous": (1, Phase.AMBIGUOUS),
    "refused": (1, Phase.REFUSED),
    "notfound": (2, Phase.NOTFOUND),
    "submitted": (3, Phase.SUBMITTED),
    "unknown": (4, Phase.UNKNOWN),
}
_SUCCEEDED, _FAILED = (5, Phase.SUCCEEDED), (5, Phase.FAILED)


def runs(record: Record) -> list[Run]:
    """The runs of a record, oldest first. Events of a run nobody planned are left to `verify` to report."""
    by_run: dict[str, list[Event]] = {}
    for event in record.of("planned"):
        run = event.fields.get("run")
        if isinstance(run, str):
            by_run.setdefault(run, []).append(event)
    # In a second pass: another clock than the planner's may put an outcome before its plan.
    for event in record.events:
        run = event.fields.get("run")
        if isinstance(run, str) and event.kind != "planned" and run in by_run:
            by_run[run].append(event)
    return [_fold(run, events) for run, events in by_run.items()]


def _fold(run: str, events: Iterable[Event]) -> Run:
    told = tuple(events)
    rank, phase = _STEPS["planned"]
    jobs: list[str] = []
    for event in told:
        kind = event.kind
        step = _ended(event) if kind == "ended" else _STEPS.get(kind)
        if step and step[0] > rank:
            rank, phase = step
        if kind in ("submitted", "duplicate"):
            job = event.fields.get("job")
            if isinstance(job, str) and job not in jobs:
                jobs.append(job)
    return Run(run, phase, tuple(jobs), told)


def _ended(event: Event) -> tuple[int, Phase]:
    return _SUCCEEDED if event.fields.get("state") == "SUCCEEDED" else _FAILED
