"""One event, one line: `<UTC time, ms> <kind> key=<JSON value> …`.

The line reads like a log, sorts into a timeline, and survives `cat_sort_uniq` and `union` merges. Readers are
tolerant: a line of a newer version or a damaged one is kept and reported, never rewritten, and the lines
around it stay usable.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from git_rvexp.errors import UsageError
from git_rvexp.jsontext import refuse_half
from git_rvexp.record.shapes import misshapen
from git_rvexp.terms import Json

VERSION = 1
_HEAD = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([a-z][a-z-]*)(?: |$)")
# With the value where that is a plain text, as most are: one call for both.
_KEY = re.compile(r'([a-z][a-z0-9_]*)=(?:"([^"\\\x00-\x1f]*)"(?= |\Z))?')


def _finite(text: str) -> float:
    """The number; ValueError for one that JSON does not have and that could not be written again."""
    number = float(text)
    if number - number != 0:  # infinite or none: anything else less itself is nothing
        raise ValueError(f"{text[:40]} is no finite number")
    return number


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def stamp(moment: dt.datetime) -> str:
    """`moment` (aware) as UTC with milliseconds, the first word of a line."""
    utc = moment.astimezone(dt.UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


class Event(NamedTuple):
    """A fact of the record. `time` is the stamp; `fields` keep their order."""

    time: str
    kind: str
    fields: Mapping[str, Json]

    @property
    def moment(self) -> dt.datetime:
        """The stamp as an aware datetime."""
        return dt.datetime.fromisoformat(self.time)

    def get(self, key: str, default: Json = None) -> Json:
        """A field's value, or `default`."""
        return self.fields.get(key, default)

    def __str__(self) -> str:
        """The line, without its newline."""
        return " ".join([self.time, self.kind, *(f"{k}={_value(v)}" for k, v in self.fields.items())])


class Damaged(NamedTuple):
    """A line that is not an event of this version, exactly as it stands, and why."""

    line: str
    why: str


class Record(NamedTuple):
    """All that one note says: its events in order of time, and the lines that could not be read."""

    events: tuple[Event, ...] = ()
    damaged: tuple[Damaged, ...] = ()

    def of(self, kind: str) -> list[Event]:
        """The events of one kind, oldest first."""
        return [e for e in self.events if e.kind == kind]

    def last(self, kind: str) -> Event | None:
        """The newest event of a kind."""
        return next((e for e in reversed(self.events) if e.kind == kind), None)

    def image_id(self, ref: str) -> str:
        """The id that is recorded of an image, which all its copies have; "" for none."""
        told = [str(e.get("id", "")) for e in self.of("image") if e.get("ref") == ref]
        return told[-1] if told else ref if ref.startswith("sha256:") else ""


def parse_line(line: str) -> Event | Damaged:
    """The event on `line`, or why it cannot be read."""
    head = _HEAD.match(line)
    return _event(line, head, None) if head else Damaged(line, "does not start with a time and a kind")


def _event(line: str, head: re.Match[str], until: frozenset[str] | None) -> Event | Damaged:
    try:
        dt.datetime.fromisoformat(head[1])
        fields = _fields(line, head.end(), until)
        refuse_half(line, fields)
    except (ValueError, RecursionError) as why:
        return Damaged(line, f"is damaged: {why}")
    if fields.get("v", VERSION) != VERSION:
        return Damaged(line, f"is of version {fields['v']!r}; this program writes {VERSION}")
    wrong = misshapen(head[2], fields, whole=until is None)
    if wrong:
        return Damaged(line, f"is damaged: {wrong}")
    return Event(head[1], head[2], fields)


def _fields(line: str, at: int, until: frozenset[str] | None) -> dict[str, Json]:
    """The fields from column `at` on; with `until` only as far as these keys go, where the rest looks sound."""
    fields: dict[str, Json] = {}
    end, match = len(line), _KEY.match
    while at < end:
        key = match(line, at)
        if not key:
            raise ValueError(f"no key=value at column {at + 1}")
        name, text = key.groups()
        at = key.end()
        if text is None:
            fields[name], at = _DECODER.raw_decode(line, at)
            if at < end and line[at] != " ":
                raise ValueError(f"something is stuck to the value of {name!r}")
        else:
            fields[name] = text
        at += 1
        if until and name in until and fields.keys() >= until and _sound(line, at):
            break
    return fields


def _sound(line: str, at: int) -> bool:
    """Whether the rest of a line was not cut, as far as counting can tell; False sends the reader through it."""
    rest = line[at:]
    if "\\" in rest or rest.count('"') % 2 or rest[-1:] in (" ", "="):
        return False
    return rest.count("[") == rest.count("]") and rest.count("{") == rest.count("}")


def parse(text: str) -> Record:
    r"""The record in a note's text. Only `\n` ends a line; blank lines and repeated lines count once or not at all."""
    events: list[Event] = []
    damaged: list[Damaged] = []
    for line in dict.fromkeys(text.split("\n")):
        if not line.strip():
            continue
        found = parse_line(line)
        if isinstance(found, Event):
            events.append(found)
        else:
            damaged.append(found)
    return Record(tuple(sorted(events, key=_time)), tuple(damaged))


def skim(text: str, wanted: Mapping[str, frozenset[str]]) -> Record:
    """The events of the kinds in `wanted`, each with at least the keys named there: for looks at thousands of notes.

    Lines of other kinds are passed over, and the rest of a line is only counted through: a line that was cut is
    noticed, subtler damage there is for `parse` to find.
    """
    events: list[Event] = []
    damaged: list[Damaged] = []
    for line in dict.fromkeys(text.split("\n")):
        head = _HEAD.match(line)
        keys = wanted.get(head[2]) if head else None
        if head is None or keys is None:
            continue
        found = _event(line, head, keys)
        if isinstance(found, Event):
            events.append(found)
        else:
            damaged.append(found)
    return Record(tuple(sorted(events, key=_time)), tuple(damaged))


def _time(event: Event) -> str:
    return event.time


def union(*texts: str) -> str:
    """The lines of all `texts` once each, sorted (so by time): what a merge of two notes must be."""
    return "".join(f"{line}\n" for line in sorted(set[str]().union(*map(distinct, texts))))


def distinct(text: str) -> set[str]:
    """The lines of a note's text, blank ones left out."""
    return {line for line in text.split("\n") if line.strip()}


def lines(events: Iterable[Event]) -> str:
    """The text that appends `events`; every line is read back before it is let out."""
    text = ""
    for event in events:
        line = str(event)
        if parse_line(line) != event:
            raise UsageError(f"this event cannot be written as one line: {event.kind}")
        text += line + "\n"
    return text


def _value(value: Json) -> str:
    """JSON on one line; what a terminal would obey or hide is escaped, other characters stay readable."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
