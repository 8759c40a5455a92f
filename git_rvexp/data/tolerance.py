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
    """How far two texts are apart: the largest `_distance` of two numbers and its place; `why` when it is no number."""

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
        yield Apart(_distance(float(old), float(new)), where)
    elif old != new or type(old) is not type(new):
        yield Apart(where=where, why=f"{where or 'the value'} is {_short(new)}, not {_short(old)}")


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
                yield Apart(_distance(float(a), float(b)), where)
            except ValueError:
                yield Apart(where=where, why=f"{where} is {_short(b)}, not {_short(a)}")


def _number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _distance(a: float, b: float) -> float:
    """The smaller of the absolute and the relative difference; infinite where only one is a number."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return abs(a - b) / max(1.0, abs(a), abs(b))


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "…"
