"""The newest runs of all experiments on one axis, with an arc from each original to its repeat, as geometry."""

from collections.abc import Sequence
from dataclasses import dataclass

from git_rvexp.record.runs import Run
from git_rvexp.workflow.reporting.axis import axis
from git_rvexp.workflow.reporting.moments import spans
from git_rvexp.workflow.reporting.rows import Row
from git_rvexp.workflow.reporting.timeline import Bar, Tick, bars, folds, ticks

_RUNS = 40
_EPISODES = 5
HEIGHT = 22
"""Pixels of a line."""


@dataclass(frozen=True)
class Line:
    """A run: its experiment's nickname, its id, its bars, and where its middle is (pixels from the top)."""

    name: str
    run: str
    word: str
    bars: tuple[Bar, ...]
    middle: int


@dataclass(frozen=True)
class Arc:
    """From the end of an original to the beginning of its repeat, with the verdict."""

    x1: float
    y1: int
    x2: float
    y2: int
    result: str
    title: str

    @property
    def middle(self) -> float:
        """Half way down."""
        return (self.y1 + self.y2) / 2


@dataclass(frozen=True)
class Gantt:
    """The picture; `more` runs are not on it."""

    lines: tuple[Line, ...]
    arcs: tuple[Arc, ...]
    ticks: tuple[Tick, ...]
    folds: tuple[tuple[float, str], ...]
    height: int
    more: int


def gantt(rows: Sequence[Row], now: float) -> Gantt:
    """The newest runs that have lasted, newest first, and the originals of those that are repeats."""
    every = sorted(((row, run) for row in rows for run in row.runs), key=lambda p: p[1].planned.time, reverse=True)
    lived = [(row, run, told) for row, run in every[: 2 * _RUNS] if (told := spans(run, now))][:_RUNS]
    here = {run.run for _, run, _ in lived}
    wanted = {_original(run) for _, run, _ in lived} - here - {""}
    old = ((row, run, spans(run, now)) for row, run in every if run.run in wanted) if wanted else ()
    lived += [each for each in old if each[2]][:_RUNS]
    line = axis([(s.start, s.stop) for _, _, told in lived for s in told], most=_EPISODES)
    found = [
        Line(row.parts[-1], run.run, run.word, tuple(bars(line, told)), place * HEIGHT + HEIGHT // 2)
        for place, (row, run, told) in enumerate(lived)
    ]
    arcs = _arcs(found, [run for _, run, _ in lived])
    return Gantt(tuple(found), arcs, ticks(line), folds(line), len(found) * HEIGHT, len(every) - len(found))


def _arcs(lines: Sequence[Line], runs: Sequence[Run]) -> tuple[Arc, ...]:
    by_run = {line.run: line for line in lines}
    found = []
    for again, run in zip(lines, runs, strict=True):
        first = by_run.get(_original(run))
        if first is None:
            continue
        verdict = run.verdict
        result = str(verdict.get("result", "")) if verdict else "no verdict"
        end, begin = first.bars[-1], again.bars[0]
        title = f"{again.run} repeats {first.run}: {result.replace('-', ' ')}"
        found.append(Arc(round(end.left + end.width, 3), first.middle, begin.left, again.middle, result, title))
    return tuple(found)


def _original(run: Run) -> str:
    return str(run.planned.get("repeats", ""))
