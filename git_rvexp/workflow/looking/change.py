"""One thing that differs between two snapshots or runs, and how two values are taken apart into such things."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from git_rvexp.terms import Json


@dataclass(frozen=True)
class Change:
    """One thing that differs; None where a side does not have it.

    `detail` says more in one line; `counts` how many files are changed, missing on the right, extra there, or unknown.
    """

    what: str
    left: Json
    right: Json
    detail: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def difference(self) -> float | None:
        """By how much a measured number is larger on the right; None for what is not measured, or has no number."""
        if self.what != "seconds" and not self.what.startswith("metrics "):
            return None
        numbers = [v for v in (self.left, self.right) if isinstance(v, int | float) and not isinstance(v, bool)]
        return numbers[1] - numbers[0] if len(numbers) == 2 else None


def between(what: str, left: Json, right: Json) -> Iterator[Change]:
    """What differs between two values; of two mappings each key by itself."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in dict.fromkeys([*left, *right]):
            yield from between(f"{what} {key}", left.get(key), right.get(key))
    elif left != right:
        yield Change(what, left, right)
