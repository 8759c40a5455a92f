"""Numbers in two texts held against each other: JSON by structure, CSV by cell. Everything but numbers must be equal.

Two numbers are equal within a tolerance t when they differ by at most t, or by at most t of the larger one.
"""

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from git_rvexp.jsontext import read
from git_rvexp.model import Json

READABLE = (".json", ".csv")
"""Endings of the files whose numbers can be compared."""


@dataclass(frozen=True)
class Apart:
    """How far two texts are apart: the largest distance of two numbers, always finite, and its place.

    `why` where something else than finite numbers differs.
    """

    most: float = 0.0
    where: str = ""
    why: str = ""

    def within(self, tolerance: float) -> bool:
        """Whether nothing but numbers differs, and none by more."""
        return not self.why and self.most <= tolerance


def apart(name: str, old: str, new: str) -> Apart:
    """How far the file `name` with the text `new` is from that with `old`."""
    try:
        pairs = list(_json(read(old), read(new), "")) if name.endswith(".json") else list(_csv(old, new))
    except (ValueError, ArithmeticError, RecursionError, csv.Error) as why:
        return Apart(why=f"cannot be read: {why}")
    wrong = next((pair for pair in pairs if pair.why), None)
    return wrong or max(pairs, key=lambda pair: pair.most, default=Apart())


def _json(old: Json, new: Json, where: str) -> Iterator[Apart]:
    if isinstance(old, dict) and isinstance(new, dict):
        if list(old) != list(new) and sorted(old) != sorted(new):
            yield Apart(where=where, why=f"{where or 'the top'} has other keys")
            return
        for key in old:
            yield from _json(old[key], new[key], f"{where}.{key}" if where else key)
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield Apart(where=where, why=f"{where or 'the list'} has {len(new)} values, not {len(old)}")
            return
        for number, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from _json(left, right, f"{where}[{number}]")
    elif _number(old) and _number(new):
        yield _numbers(float(old), float(new), where)
    elif old != new or type(old) is not type(new):
        yield _other(old, new, where)


def _csv(old: str, new: str) -> Iterator[Apart]:
    left, right = list(csv.reader(io.StringIO(old))), list(csv.reader(io.StringIO(new)))
    if [len(row) for row in left] != [len(row) for row in right]:
        yield Apart(why="has other rows or columns")
        return
    for number, (mine, theirs) in enumerate(zip(left, right, strict=True), start=1):
        for column, (a, b) in enumerate(zip(mine, theirs, strict=True), start=1):
            where = f"row {number}, column {column}"
            if a == b:
                continue
            try:
                yield _numbers(float(a), float(b), where)
            except ValueError:
                yield _other(a, b, where)


def _number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(a: float, b: float, where: str) -> Apart:
    """The smaller of the absolute and the relative difference; none where only one is finite, or none is."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return Apart(0.0, where)
    if not (math.isfinite(a) and math.isfinite(b)):
        return _other(a, b, where)
    # Halves: the difference of the two may be more than a float holds.
    return Apart(abs(a / 2 - b / 2) / max(0.5, abs(a / 2), abs(b / 2)), where)


def _other(old: Json, new: Json, where: str) -> Apart:
    """What no distance tells."""
    return Apart(where=where, why=f"{where or 'the value'} is {_short(new)}, not {_short(old)}")


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "…"
