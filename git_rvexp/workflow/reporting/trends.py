"""Metrics and numbers of runs over the whole time of a history, as geometry in percent, few shapes for many runs."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from git_rvexp.workflow.looking import metrics
from git_rvexp.workflow.looking.moments import iso
from git_rvexp.workflow.reporting.drift import shown
from git_rvexp.workflow.reporting.moments import number
from git_rvexp.workflow.reporting.rows import Row

_METRICS = 6
_DOTS = 300  # more are drawn as a band
_BINS = 120
_COLUMNS = 80  # of the picture of activity
_DAY = 86_400.0

Point = tuple[float, float, str]


@dataclass(frozen=True)
class Dot:
    """A run's number; y is from the top."""

    x: float
    y: float
    title: str
    repeat: bool


@dataclass(frozen=True)
class Trend:
    """One metric: single dots, or (of many) a band from least to most and a line of medians, as SVG points."""

    name: str
    count: int
    least: str
    most: str
    begin: str
    end: str
    dots: tuple[Dot, ...] = ()
    band: str = ""
    line: str = ""


@dataclass(frozen=True)
class Column:
    """The runs planned in one stretch of time: the height of each kind in percent, stacked from the bottom."""

    x: float
    width: float
    parts: tuple[tuple[str, float, float], ...]
    title: str


def trends(rows: Iterable[Row]) -> list[Trend]:
    """The metrics that most runs have."""
    found: dict[str, list[tuple[float, float, str, bool]]] = {}
    for row in rows:
        for run in row.runs:
            for name, told in metrics.of(run).items():
                value = number(told)
                if value is not None:
                    at = run.planned.moment.timestamp()
                    again = bool(run.planned.get("repeats"))
                    found.setdefault(name, []).append((at, value, f"{row.parts[-1]} {run.run}", again))
    names = sorted(found, key=lambda name: (-len(found[name]), name))[:_METRICS]
    return [_trend(name, sorted(found[name])) for name in names]


def _trend(name: str, points: Sequence[tuple[float, float, str, bool]]) -> Trend:
    begin, end = points[0][0], points[-1][0]
    values = [value for _, value, _, _ in points]
    least, most = min(values), max(values)
    across, up = (end - begin) or 1.0, (most - least) or 1.0

    def place(at: float, value: float) -> tuple[float, float]:
        return round(2 + 96 * (at - begin) / across, 2), round(92 - 84 * (value - least) / up, 2)

    told = Trend(name, len(points), shown(least), shown(most), iso(begin)[:10], iso(end)[:10])
    if len(points) <= _DOTS:
        dots = (Dot(*place(at, v), f"{who}: {shown(v)}, {iso(at)[:10]}", again) for at, v, who, again in points)
        return _with(told, dots=tuple(dots))
    bins: dict[int, list[float]] = {}
    for at, value, _, _ in points:
        bins.setdefault(int((_BINS - 1) * (at - begin) / across), []).append(value)
    middles = [(begin + across * (n + 0.5) / _BINS, inside) for n, inside in sorted(bins.items())]
    upper = [place(at, max(inside)) for at, inside in middles]
    lower = [place(at, min(inside)) for at, inside in reversed(middles)]
    line = [place(at, statistics.median(inside)) for at, inside in middles]
    return _with(told, band=_points([*upper, *lower]), line=_points(line))


def _with(trend: Trend, *, dots: tuple[Dot, ...] = (), band: str = "", line: str = "") -> Trend:
    t = trend
    return Trend(t.name, t.count, t.least, t.most, t.begin, t.end, dots, band, line)


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)


def activity(rows: Iterable[Row]) -> list[Column]:
    """How many runs were planned when, by how they ended; from the first to the last."""
    planned = [(run.planned.moment.timestamp(), _kind(run.word)) for row in rows for run in row.runs]
    if not planned:
        return []
    begin, end = (edge([at for at, _ in planned]) // _DAY for edge in (min, max))
    days = max(1, -int(-(end - begin + 1) // _COLUMNS))
    counts: dict[int, Counter[str]] = {}
    for at, kind in planned:
        counts.setdefault(int((at // _DAY - begin) // days), Counter())[kind] += 1
    highest = max(each.total() for each in counts.values())
    width = 100 / (int((end - begin) // days) + 1)
    return [_column(n, counts[n], width, highest, (begin + n * days) * _DAY, days) for n in sorted(counts)]


def _column(place: int, counts: Counter[str], width: float, highest: int, begin: float, days: int) -> Column:
    parts, top = [], 100.0
    for kind in ("ok", "failed", "other"):
        height = 100 * counts[kind] / highest
        if height:
            top -= height
            parts.append((kind, round(top, 2), round(height, 2)))
    span = iso(begin)[:10] + (f" to {iso(begin + (days - 1) * _DAY)[:10]}" if days > 1 else "")
    words = ", ".join(f"{counts[kind]} {kind}" for kind in ("ok", "failed", "other") if counts[kind])
    return Column(round(place * width, 3), round(width * 0.86, 3), tuple(parts), f"{span}: {words}")


def _kind(word: str) -> str:
    return word if word in ("ok", "failed") else "other"
