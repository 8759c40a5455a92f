"""The state of a run, computed from its events and never stored."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from git_rvexp.model import Phase, Plan
from git_rvexp.record.events import Event, Record


@dataclass(frozen=True)
class Run:
    """One run as the record tells it: where it stands, its jobs (the first is the one that counts), its events."""

    run: str
    phase: Phase
    jobs: tuple[str, ...] = ()
    events: tuple[Event, ...] = field(default=(), repr=False)

    @property
    def job(self) -> str:
        """The executor's id; "" while none is known."""
        return self.jobs[0] if self.jobs else ""

    @property
    def planned(self) -> Event:
        """The event that began the run."""
        return self.events[0]

    @property
    def plan(self) -> Plan:
        """The plan as recorded; UsageError when it cannot be read."""
        return Plan.from_fields(self.planned.fields)

    def last(self, kind: str) -> Event | None:
        """The newest event of a kind."""
        return next((e for e in reversed(self.events) if e.kind == kind), None)


_PHASES = {
    "planned": Phase.PLANNED,
    "ambiguous": Phase.AMBIGUOUS,
    "refused": Phase.REFUSED,
    "notfound": Phase.NOTFOUND,
    "submitted": Phase.SUBMITTED,
    "unknown": Phase.UNKNOWN,
}
# A later line of a lower rank changes nothing: a job that was found stays found, one that ended stays ended.
_RANK = {
    Phase.PLANNED: 0,
    Phase.AMBIGUOUS: 1,
    Phase.REFUSED: 1,
    Phase.NOTFOUND: 2,
    Phase.SUBMITTED: 3,
    Phase.UNKNOWN: 4,
    Phase.SUCCEEDED: 5,
    Phase.FAILED: 5,
}


def runs(record: Record) -> list[Run]:
    """The runs of a record, oldest first. Events of a run nobody planned are left to `verify` to report."""
    by_run: dict[str, list[Event]] = {}
    for event in record.events:
        run = event.get("run")
        if isinstance(run, str) and (event.kind == "planned" or run in by_run):
            by_run.setdefault(run, []).append(event)
    return [_fold(run, events) for run, events in by_run.items()]


def _fold(run: str, events: Iterable[Event]) -> Run:
    told = tuple(events)
    phase = Phase.PLANNED
    jobs: list[str] = []
    for event in told:
        new = _phase(event)
        if new and _RANK[new] > _RANK[phase]:
            phase = new
        job = event.get("job")
        if event.kind in ("submitted", "duplicate") and isinstance(job, str) and job not in jobs:
            jobs.append(job)
    return Run(run, phase, tuple(jobs), told)


def _phase(event: Event) -> Phase | None:
    if event.kind == "ended":
        return Phase.SUCCEEDED if event.get("state") == "SUCCEEDED" else Phase.FAILED
    return _PHASES.get(event.kind)
