"""Time on a line: moments to percent of its width, with long stretches in which nothing happened folded away.

A repeat weeks after its original would otherwise make both invisible. A fold is drawn and labelled, never hidden.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_FOLD = 5.0  # percent of the width
_LEAST = 0.5  # an episode's share of an even division, at least


@dataclass(frozen=True)
class Episode:
    """A stretch of time in which something happened: epoch seconds, and where it lies in percent."""

    start: float
    stop: float
    left: float
    width: float

    @property
    def right(self) -> float:
        """Where it ends, in percent."""
        return self.left + self.width


@dataclass(frozen=True)
class Axis:
    """The episodes in order; between two of them a fold."""

    episodes: tuple[Episode, ...]

    def at(self, moment: float) -> float:
        """Where a moment lies, in percent; one in a fold lies at its beginning, one outside at the edge."""
        before = [e for e in self.episodes if e.start <= moment]
        if not before:
            return self.episodes[0].left if self.episodes else 0.0
        episode = before[-1]
        share = (moment - episode.start) / (episode.stop - episode.start)
        return round(episode.left + episode.width * min(share, 1.0), 3)

    @property
    def folds(self) -> list[tuple[float, float]]:
        """Where each fold is (percent), and how many seconds it leaves out."""
        pairs = zip(self.episodes, self.episodes[1:], strict=False)
        return [(round((a.right + b.left) / 2, 3), b.start - a.stop) for a, b in pairs]


def axis(spans: Iterable[tuple[float, float]], *, most: int) -> Axis:
    """The axis for these spans of epoch seconds, in at most `most` episodes."""
    known = sorted(spans)
    if not known:
        return Axis(())
    limit = max(0.2 * sum(stop - start for start, stop in known), 20.0)
    while len(found := _merged(known, limit)) > most:
        limit *= 2
    return Axis(tuple(_laid_out(found)))


def _merged(spans: Sequence[tuple[float, float]], limit: float) -> list[tuple[float, float]]:
    found = [spans[0]]
    for start, stop in spans[1:]:
        if start - found[-1][1] <= limit:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return [(start, max(stop, start + 1.0)) for start, stop in found]


def _laid_out(found: Sequence[tuple[float, float]]) -> Iterable[Episode]:
    total = sum(stop - start for start, stop in found)
    least = _LEAST * total / len(found)
    weights = [max(stop - start, least) for start, stop in found]
    scale = (100.0 - _FOLD * (len(found) - 1)) / sum(weights)
    left = 0.0
    for (start, stop), weight in zip(found, weights, strict=True):
        yield Episode(start, stop, round(left, 3), round(weight * scale, 3))
        left += weight * scale + _FOLD
