"""Which image of an index is for a platform: system and architecture exactly, and the variant as Docker takes it."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from git_rvexp.model import Json

# What is meant where no variant is named. https://github.com/containerd/platforms
_USUAL = {"amd64": 1, "arm": 7, "arm64": 8}


class Platform(NamedTuple):
    """A platform; `variant` is empty where none is named."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The platform of `os/arch` or `os/arch/variant`."""
        return cls(*(*text.split("/", 2), "", "")[:3])

    @classmethod
    def of(cls, place: Mapping[str, Json]) -> Self:
        """The platform that an index names for one of its manifests."""
        return cls(*(str(place.get(name) or "") for name in ("os", "architecture", "variant")))

    def best(self, offered: Iterable[Self]) -> Self | None:
        """Which of `offered` to run here: of its variants the newest that is not beyond ours; None when none fits."""
        fitting = [other for other in offered if other[:2] == self[:2] and self._runs(other)]
        return max(fitting, key=Platform._level, default=None)

    def _runs(self, other: Self) -> bool:
        return other.variant == self.variant or 0 <= other._level() <= self._level()

    def _level(self) -> int:
        """The number of the variant; -1 for one that has none, which is only like itself."""
        if not self.variant:
            return _USUAL.get(self.architecture, 0)
        found = re.fullmatch(r"v?([0-9]{1,3})", self.variant)
        return int(found[1]) if found else -1
