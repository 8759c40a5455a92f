"""What a public page leaves out: fields of the record by name, and their values wherever else they stand.

An account number that is private as a field would otherwise be read off an image's address. Leaving out more than was
meant is no harm here, so a private value is replaced in any text. What was left out can still be held against the
whole record: `matches` takes the mark for any text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from git_rvexp.record.events import Damaged, Event, Record
from git_rvexp.terms import Json

MARK = "(private)"
_SHORTEST = 6  # letters; shorter values ("1", "gpu") stand everywhere and tell nothing
_OURS = "RVEXP_"  # variables that every run has: they hold tag, image and run, which a page is about
_PERSON = re.compile(r"(?P<name>.*?) *<(?P<mail>[^<>]*)>")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ACCOUNT = re.compile(r"(?<=:)\d{12}(?=:)|\b\d{12}(?=\.dkr\.ecr\.)")  # in ARNs and in ECR's addresses


@dataclass(frozen=True)
class Veil:
    """What is left out: the fields called `names`, the `texts`, and what the patterns find. Falsy when nothing is."""

    names: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return bool(self.names)

    def text(self, text: str) -> str:
        """`text` with the mark in place of what is private."""
        for private in self.texts:
            text = text.replace(private, MARK)
        for pattern in self.patterns:
            text = pattern.sub(MARK, text)
        return text

    def value(self, value: Json) -> Json:
        """A JSON value without the private fields in it, and with the mark in its texts."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return self._mapping(value)
        return value

    def _mapping(self, told: Mapping[str, Json]) -> dict[str, Json]:
        shown: dict[str, Json] = {}
        for key, value in told.items():
            if key not in self.names:
                name = self.text(key)
                while name in shown:  # two that differ in what is private only
                    name += MARK
                shown[name] = self.value(value)
        return shown

    def record(self, record: Record) -> Record:
        """A record as the public may see it. A line nobody can read may hold anything: only its fault is told."""
        if not self:
            return record
        events = (Event(e.time, e.kind, self.value(dict(e.fields))) for e in record.events)
        return Record(tuple(events), tuple(Damaged(MARK, self.text(d.why)) for d in record.damaged))


def veil(names: Iterable[str], records: Iterable[Record]) -> Veil:
    """The veil over these records for these names of fields."""
    private = frozenset(names)
    leaves: set[str] = set()
    for event in (event for record in records for event in record.events):
        _collect(dict(event.fields), private, leaves)
    texts = {text for text in leaves if len(text) >= _SHORTEST}
    patterns = [_ACCOUNT] if "account" in private else []
    if "by" in private:
        people = [found for text in leaves if (found := _PERSON.fullmatch(text))]
        words = sorted({p["name"] for p in people if len(p["name"]) > 1}, key=len, reverse=True)
        patterns += [_MAIL, *(re.compile(rf"\b{re.escape(word)}\b") for word in words)]
    return Veil(private, tuple(sorted(texts, key=lambda t: (-len(t), t))), tuple(patterns))


def matches(shown: Json, real: Json, names: frozenset[str]) -> bool:
    """Whether `shown` is `real` but for what a veil with these names leaves out."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return _matching(shown, real, names)
    if isinstance(shown, list) and isinstance(real, list):
        return len(shown) == len(real) and all(matches(a, b, names) for a, b in zip(shown, real, strict=True))
    if isinstance(shown, str) and isinstance(real, str) and MARK in shown and names:
        return _fits(shown.split(MARK), real)
    return shown == real and type(shown) is type(real)


def _matching(shown: Mapping[str, Json], real: Mapping[str, Json], names: frozenset[str]) -> bool:
    """The same for two mappings, whose order is the same: what is private is passed over."""
    left = [key for key in real if key not in names or key in shown]
    if len(left) != len(shown):
        return False
    pairs = zip(shown.items(), left, strict=True)
    return all(matches(key, other, names) and matches(value, real[other], names) for (key, value), other in pairs)


def _fits(parts: list[str], real: str) -> bool:
    """Whether `real` is the parts in their order with anything between them; linear, since pages are hostile."""
    first, *between, last = parts
    if len(real) < len(first) + len(last) or not (real.startswith(first) and real.endswith(last)):
        return False
    at, end = len(first), len(real) - len(last)
    for part in between:
        found = real.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _collect(value: Json, names: frozenset[str], found: set[str], *, private: bool = False) -> None:
    """Add every text that stands in a private field. Of thousands of records: nothing is called for what is not."""
    if isinstance(value, dict):
        for key, inner in value.items():
            inside = private or key in names
            if (inside or not isinstance(inner, str)) and not key.startswith(_OURS):
                _collect(inner, names, found, private=inside)
    elif isinstance(value, list):
        for inner in value:
            if private or not isinstance(inner, str):
                _collect(inner, names, found, private=private)
    elif private and isinstance(value, str):
        found.add(value)
