"""What a Docker engine says of layers on their way, pushed or pulled, as steps in bytes."""

from collections.abc import Mapping

from git_rvexp.model import Json
from git_rvexp.progress import Step


class Heard:
    """Sums what has passed of each layer; a layer that is unpacked after it came does not count twice."""

    def __init__(self, step: Step) -> None:
        """`step` hears of the bytes."""
        self._step = step
        self._had: dict[str, int] = {}

    def hear(self, line: Mapping[str, Json]) -> None:
        """Count what a layer's line tells beyond its last ones."""
        layer, now = str(line.get("id", "")), int((line.get("progressDetail") or {}).get("current") or 0)
        had = self._had.get(layer, 0)
        if now > had:
            self._step(now - had)
            self._had[layer] = now
