"""The timeline of one experiment as geometry: rows of bars and points on one axis, in percent of its width."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from git_rvexp.record.events import Record
from git_rvexp.record.runs import Run
from git_rvexp.workflow.looking.moments import age, duration, iso
from git_rvexp.workflow.reporting.axis import Axis, axis
from git_rvexp.workflow.reporting.moments import Span, spans

_EPISODES = 4  # as many labels as fit a telephone
_RUNS = 24
_ROOM = 55  # percent of the width that two labels need on a telephone
_PREPARED = {"snapshot": "snapshot", "image": "published", "definition": "definition"}


@dataclass(frozen=True)
class Bar:
    """A stretch (or with no width a point) of a row, and what it is in words."""

    left: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True)
class Row:
    """One line of the picture."""

    label: str
    note: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Tick:
    """A label on the axis: date and time where an episode begins, or (`last`) where all ends."""

    left: float
    day: str
    time: str
    last: bool = False


@dataclass(frozen=True)
class Timeline:
    """The picture. `folds` are where time is left out, and how long; `more` runs have no row."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    folds: tuple[tuple[float, str], ...]
    more: int = 0


def timeline(record: Record, runs: Sequence[Run], now: float) -> Timeline:
    """The picture of a snapshot's record: how it was prepared, then its runs (of many the newest)."""
    shown = runs[-_RUNS:]
    lived = [(run, spans(run, now)) for run in shown]
    points = [(e.moment.timestamp(), _PREPARED[e.kind]) for e in record.events if e.kind in _PREPARED]
    every = [(at, at) for at, _ in points] + [(s.start, s.stop) for _, told in lived for s in told]
    line = axis(every, most=_EPISODES)
    prepared = tuple(Bar(line.at(at), 0, "point", f"{word} {iso(at)}") for at, word in points)
    first = Row("prepared", ", ".join(dict.fromkeys(word for _, word in points)), prepared)
    rows = [first] if prepared else []
    rows += [_row(line, run, told) for run, told in lived if told]
    return Timeline(tuple(rows), ticks(line), folds(line), len(runs) - len(shown))


def ticks(line: Axis) -> tuple[Tick, ...]:
    """Where each episode begins, and where the last one ends if there is room to say so."""
    begins = [Tick(e.left, iso(e.start)[:10], iso(e.start)[11:16]) for e in line.episodes]
    end = line.episodes[-1] if line.episodes else None
    if end and end.width >= _ROOM:
        begins.append(Tick(100.0, iso(end.stop)[:10], iso(end.stop)[11:16], last=True))
    return tuple(begins)


def folds(line: Axis) -> tuple[tuple[float, str], ...]:
    """Where time is left out, and how much."""
    return tuple((at, age(seconds)) for at, seconds in line.folds)


def bars(line: Axis, told: Sequence[Span]) -> Iterator[Bar]:
    """A run's stretches on an axis."""
    for span in told:
        left = line.at(span.start)
        title = f"{span.label} {duration(span.stop - span.start)} from {iso(span.start)}"
        yield Bar(left, round(line.at(span.stop) - left, 3), span.kind, title)


def _row(line: Axis, run: Run, told: Sequence[Span]) -> Row:
    waited = told[0].stop - told[0].start if told[0].kind == "wait" else 0.0
    ran = sum(span.stop - span.start for span in told if span.kind not in ("wait", "open"))
    words = [run.word, duration(ran) if ran else "", f"after waiting {duration(waited)}" if waited >= 1 else ""]
    repeats = " ↻" if run.planned.get("repeats") else ""
    return Row(run.run + repeats, " · ".join(w for w in words if w), tuple(bars(line, told)))
