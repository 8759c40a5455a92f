"""When a run waited and ran, in epoch seconds, as far as its record tells."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from git_rvexp.record.runs import Run
from git_rvexp.terms import Json
from git_rvexp.workflow.looking.moments import FIRST, LAST

OPEN = "open"
_LARGEST = 1e150  # two of them can be added and multiplied, and nothing becomes infinite


@dataclass(frozen=True)
class Span:
    """A stretch of a run: `kind` is wait, open (it goes on), or the run's own word."""

    start: float
    stop: float
    kind: str
    label: str


def epoch(told: Json) -> float | None:
    """A time of the record, text or number, as UTC epoch seconds; None for what is none of the calendar."""
    found = _timestamp(told) if isinstance(told, str) else number(told)
    return found if found is not None and FIRST <= found <= LAST else None


def _timestamp(told: str) -> float | None:
    try:
        moment = dt.datetime.fromisoformat(told)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def number(told: Json) -> float | None:
    """A number of the record that can be drawn; None for what is none, or has no room to be reckoned with."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not abs(told) <= _LARGEST:
        return None
    return float(told)


def spans(run: Run, now: float) -> list[Span]:
    """The run from its plan to its end, in order; what has not ended goes on until `now`."""
    planned = run.planned.moment.timestamp()
    ended = run.first("ended")
    if ended is None:
        return [] if run.phase.over else [Span(planned, max(now, planned), OPEN, f"{run.word} since")]
    stop = epoch(ended.get("stopped")) or ended.moment.timestamp()
    seconds = number(ended.get("seconds"))
    start = epoch(ended.get("started")) or epoch(stop - (seconds or 0.0)) or stop
    tries = list(_attempts(ended.get("attempts"), run.word))
    if not tries:
        tries = [Span(min(start, stop), stop, run.word, "ran")]
    return [Span(min(planned, tries[0].start), tries[0].start, "wait", "waited"), *tries]


def wall(run: Run) -> float | None:
    """Seconds that a run took; None while unknown."""
    ended = run.first("ended")
    return number(ended.get("seconds")) if ended else None


def _attempts(told: Json, word: str) -> Iterator[Span]:
    """Attempts that tell when they were; of several all but the last have failed."""
    known = [a for a in told if isinstance(a, dict)] if isinstance(told, list) else []
    for place, attempt in enumerate(known, start=1):
        start, stop = epoch(attempt.get("started")), epoch(attempt.get("stopped"))
        if start is not None and stop is not None and stop >= start:
            last = place == len(known)
            yield Span(start, stop, word if last else "failed", f"attempt {place}" if len(known) > 1 else "ran")
