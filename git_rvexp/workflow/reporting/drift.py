"""How the numbers of repeats lie beside those of their original, as geometry in percent of a strip's width."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from git_rvexp.record.runs import Run
from git_rvexp.terms import Json
from git_rvexp.workflow.looking import metrics
from git_rvexp.workflow.reporting.moments import number

_EDGE = 6.0  # percent kept free at both ends
_STRIPS = 12


@dataclass(frozen=True)
class Dot:
    """A repeat's number."""

    left: float
    run: str
    text: str


@dataclass(frozen=True)
class Strip:
    """One metric: where the original's number lies, what is tolerated around it, and the repeats' numbers.

    `apart` says how far the farthest repeat is off, in words.
    """

    name: str
    text: str
    left: float
    band: tuple[float, float] | None
    dots: tuple[Dot, ...]
    apart: str


def strips(original: Run, repeats: Sequence[Run]) -> list[Strip]:
    """A strip for each metric that the original and at least one repeat have; the first dozen."""
    told = _numbers(original)
    again = [(run, values) for run in repeats if (values := _numbers(run))]
    known = (number(run.planned.get("tolerance")) for run in (*repeats[::-1], original))
    tolerated = max(0.0, next((t for t in known if t is not None), 0.0))
    names = [name for name in told if any(name in values for _, values in again)]
    return [
        _strip(name, told[name], [(r, v[name]) for r, v in again if name in v], tolerated) for name in names[:_STRIPS]
    ]


def _strip(name: str, first: float, again: Sequence[tuple[Run, float]], tolerated: float) -> Strip:
    far = max(abs(value - first) for _, value in again)
    allowed = tolerated * max(1.0, abs(first))
    reach = max(far, min(allowed, far * 4) if far else allowed) or 1.0

    def at(value: float) -> float:
        return round(50 + (50 - _EDGE) * (value - first) / reach, 2)

    band = (max(0.0, at(first - allowed)), min(100.0, at(first + allowed))) if allowed else None
    dots = tuple(Dot(at(value), run.run, f"{shown(value)} ({value - first:+.3g})") for run, value in again)
    return Strip(name, shown(first), 50.0, band, dots, _apart(first, far, len(again)))


def _apart(first: float, far: float, count: int) -> str:
    if not far:
        return "equal in the repeat" if count == 1 else f"equal in all {count} repeats"
    share = f" ({100 * far / abs(first):.2g} %)" if first else ""
    return f"at most {far:.3g} apart{share}"


def shown(value: Json) -> str:
    """A number as people read it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _numbers(run: Run) -> dict[str, float]:
    return dict(_finite(run))


def _finite(run: Run) -> Iterator[tuple[str, float]]:
    for name, told in metrics.of(run).items():
        value = number(told)
        if value is not None:
            yield name, value
