"""The line format: what is written is read back; what is damaged or newer is kept and reported, never lost."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_rvexp.errors import UsageError
from git_rvexp.record.events import Damaged, Event, lines, parse, parse_line, skim, stamp, union
from git_rvexp.record.shapes import misshapen

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=4), max_leaves=8
)
keys = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True).filter(lambda k: k != "v")
times = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2999, 1, 1)).map(lambda t: stamp(t.replace(tzinfo=dt.UTC)))  # noqa: DTZ001  made aware in the map
events = st.builds(
    Event, times, st.from_regex(r"[a-z][a-z-]{0,12}", fullmatch=True), st.dictionaries(keys, values, max_size=5)
).filter(lambda e: not misshapen(e.kind, e.fields))  # what we would not write ourselves


@given(events)
def test_an_event_survives_its_line(event: Event) -> None:
    """Any JSON values, any text: one printable line, read back equal."""
    line = str(event)
    assert "\n" not in line
    assert line.isprintable()
    assert parse_line(line) == event


@given(st.lists(events, max_size=6), st.lists(events, max_size=6))
def test_union_loses_nothing_and_repeats_nothing(ours: list[Event], theirs: list[Event]) -> None:
    """The union of two notes holds every line of both once, in order of time; merging again changes nothing."""
    one, two = lines(ours), lines(theirs)
    merged = union(one, two)
    assert set(merged.splitlines()) == set(one.splitlines()) | set(two.splitlines())
    assert merged == union(two, one) == union(merged, one)
    assert [e.time for e in parse(merged).events] == sorted(e.time for e in parse(merged).events)


@given(st.text())
def test_the_reader_never_fails(text: str) -> None:
    """Whatever stands in a note, every non-blank line comes out as an event or as damaged."""
    record = parse(text)
    wanted = {line for line in text.split("\n") if line.strip()}
    assert len(record.events) + len(record.damaged) == len(wanted)


def test_a_damaged_line_is_isolated() -> None:
    """The lines around a broken one stay usable."""
    good = '2026-01-01T00:00:00.000Z planned run="k3v9q2abcd"'
    record = parse(f'{good}\n2026-01-01T00:00:00.000Z planned run="k3v9q2abcd\ngarbage\n\n{good}\n')
    assert [str(e) for e in record.events] == [good]
    assert [d.line for d in record.damaged] == ['2026-01-01T00:00:00.000Z planned run="k3v9q2abcd', "garbage"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "2026-01-01T00:00:00Z a",
        "2026-13-01T00:00:00.000Z a",
        "2026-01-01T00:00:00.000Z A b=1",
        "2026-01-01T00:00:00.000Z a b",
        "2026-01-01T00:00:00.000Z a b=",
        "2026-01-01T00:00:00.000Z a b=1c=2",
        "2026-01-01T00:00:00.000Z a b=" + "[" * 100000,
    ],
)
def test_what_is_no_line_is_damaged(line: str) -> None:
    """Nothing half-read passes for an event."""
    assert isinstance(parse_line(line), Damaged)


def test_a_newer_version_is_kept_as_it_is() -> None:
    """A line of version 2 is not guessed at."""
    found = parse_line('2026-01-01T00:00:00.000Z planned v=2 run="a"')
    assert isinstance(found, Damaged)
    assert "version 2" in found.why


def test_what_drives_a_terminal_is_escaped() -> None:
    """Escape sequences, bidirectional marks and line separators stand as JSON escapes; letters stay letters."""
    line = str(Event("2026-01-01T00:00:00.000Z", "note", {"text": "Zoë \x1b[31m \u202e \u2028 \x85"}))
    assert line == '2026-01-01T00:00:00.000Z note text="Zoë \\u001b[31m \\u202e \\u2028 \\u0085"'


def test_what_cannot_be_read_back_is_not_written() -> None:
    """A field name outside the grammar is refused before it reaches the record."""
    with pytest.raises(UsageError):
        lines([Event("2026-01-01T00:00:00.000Z", "note", {"Bad Key": 1})])


@pytest.mark.parametrize("value", ['"\\ud800"', '{"\\uDFFF": 1}', '[["a\\ud83d"]]', '"\\udc7f"', '"\\udd00"'])
def test_half_a_character_is_damage(value: str) -> None:
    """Nothing could encode it; what stands for a byte of a name is taken, and a whole character in two escapes."""
    head = "2026-11-22T07:10:00.123Z"
    found = parse_line(f"{head} custom x={value}")
    assert isinstance(found, Damaged)
    assert "half of a character" in found.why
    (skimmed,) = skim(f"{head} custom y=1 x={value}", {"custom": frozenset("y")}).damaged
    assert skimmed.why == found.why
    taken = parse_line(f'{head} custom x="\\udc80\\udcff\\ud83d\\ude00"')
    assert isinstance(taken, Event)
    assert taken.get("x") == "\udc80\udcff\U0001f600"


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity", "[1, 1e400]"])
def test_a_number_that_is_none_is_damage(number: str) -> None:
    """It could not be written again; the largest that can is taken."""
    head = "2026-11-22T07:10:00.123Z custom x="
    assert isinstance(parse_line(f"{head}{number}"), Damaged)
    assert isinstance(parse_line(f"{head}1.7e308"), Event)
