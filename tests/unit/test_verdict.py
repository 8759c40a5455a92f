"""Verdicts: what is the same, what differs and how much, and when nothing can be said."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from git_rvexp.data.manifest import Item, lines, taken
from git_rvexp.data.tolerance import apart
from git_rvexp.model import Json
from git_rvexp.record.events import Event
from git_rvexp.record.events import lines as written
from git_rvexp.workflow.repeating.verdict import DIFFERS, EQUAL, IDENTICAL, NOT_COMPARABLE, Side, judged, summary

TIME = "2026-01-02T03:04:05.000Z"
KEPT: dict[str, str] = {}


def side(files: Mapping[str, str] | None, *, ended: Json = None, inputs: Json = None, **planned: Json) -> Side:
    """A run that wrote `files` (None: it declared none), and whatever else is said of it."""
    end = {"run": "r", "exit": 0} | (ended or {})
    plan = Event(TIME, "planned", {"image": "i@sha256:1", "executor": "docker", **planned})
    outputs = None if files is None else Event(TIME, "outputs", _outputs(files))
    return Side(plan, Event(TIME, "ended", end), outputs, Event(TIME, "inputs", inputs) if inputs else None)


def _outputs(files: Mapping[str, str]) -> dict[str, Json]:
    manifest = taken(Item(n, len(files[n]), f"sha256:{files[n].encode().hex()}") for n in sorted(files))
    KEPT[str(manifest.digest)] = manifest.text or ""
    texts = {name: f"text:{content}" for name, content in files.items() if name.endswith((".json", ".csv"))}
    KEPT.update({f"text:{content}": content for content in files.values()})
    return {"kept": str(manifest.digest), "count": manifest.count, "texts": texts}


def verdict(first: Side, again: Side, tolerance: float = 0) -> dict[str, Json]:
    """The verdict's fields, with everything that was kept at hand; whatever they are, the record takes them."""
    told = judged(first, again, tolerance, KEPT.get, listed)
    assert written([Event(TIME, "verdict", {"run": "k3v9q2m4x7", "of": "k3v9q2m4x8", **told})])
    return told


def listed(outputs: Event) -> Iterator[str] | None:
    """The lines of a manifest that was kept."""
    text = KEPT.get(str(outputs.get("kept")))
    return None if text is None else iter(lines(text))


ONE = {"out/a.bin": "abc", "out/m.json": '{"loss": 0.5}'}


def test_equal_bytes_are_identical() -> None:
    """All files and the exit code, a failing one too."""
    assert verdict(side(ONE), side(ONE)) == {"result": IDENTICAL, "same": 2}
    assert verdict(side(ONE, ended={"exit": 3}), side(ONE, ended={"exit": 3}))["result"] == IDENTICAL


def test_changed_missing_and_extra_files_are_told() -> None:
    """In both directions, with how far apart numbers are."""
    told = verdict(side({**ONE, "out/gone": "x"}), side({**ONE, "out/m.json": '{"loss": 0.7}', "out/new": "y"}))
    assert told["result"] == DIFFERS
    assert told["counts"] == {"changed": 1, "missing": 1, "extra": 1}
    assert (told["missing"], told["extra"]) == (["out/gone"], ["out/new"])
    assert told["changed"][0]["where"] == "loss"
    assert told["changed"][0]["most"] == pytest.approx(0.2)
    assert summary(told) == "differs; 1 missing (out/gone); 1 changed (out/m.json); 1 extra (out/new)"


@pytest.mark.parametrize(("tolerance", "result"), [(0, DIFFERS), (0.1, DIFFERS), (0.3, EQUAL)])
def test_numbers_within_the_tolerance_are_equal(tolerance: float, result: str) -> None:
    """And the tolerance is part of the verdict."""
    told = verdict(side(ONE), side({**ONE, "out/m.json": '{"loss": 0.7}'}), tolerance)
    assert told["result"] == result
    assert told.get("tolerance", 0) == tolerance


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("NaN", "0.5", "loss is 0.5, not NaN"),
        ("0.5", "NaN", "loss is NaN, not 0.5"),
        ("Infinity", "-Infinity", "loss is -Infinity, not Infinity"),
        ("1e999", "NaN", "loss is NaN, not Infinity"),
    ],
)
@pytest.mark.parametrize("tolerance", [0, 9e9])
def test_what_is_no_finite_number_differs_from_what_is(old: str, new: str, why: str, tolerance: float) -> None:
    """It is told in words: JSON, and so the record, has no number for such a distance."""
    told = verdict(side({"out/m.json": f'{{"loss": {old}}}'}), side({"out/m.json": f'{{"loss": {new}}}'}), tolerance)
    assert told["result"] == DIFFERS
    assert told["changed"][0]["why"] == why
    assert not told.get("most")


def test_the_largest_numbers_are_a_finite_distance_apart() -> None:
    """Though the difference of the two is more than a float holds."""
    told = verdict(side({"out/m.csv": "1.7e308"}), side({"out/m.csv": "-1.7e308"}))
    assert (told["result"], told["changed"][0]["most"]) == (DIFFERS, 2)


def test_a_changed_file_that_holds_no_numbers_is_never_within_a_tolerance() -> None:
    """However large the tolerance."""
    assert verdict(side(ONE), side({**ONE, "out/a.bin": "abd"}), 9e9)["result"] == DIFFERS


@pytest.mark.parametrize(
    ("again", "why"),
    [
        (side(ONE | {"out/a.bin": "x"}, image="i@sha256:2"), "another image"),
        (side(ONE | {"out/a.bin": "x"}, drift=["s3://b/k: 1 changed"]), "changed input s3://b/k"),
        (side(ONE | {"out/a.bin": "x"}, inputs={"changed": ["s3://b/k"]}), "input changed during the repeat"),
        (side(ONE | {"out/a.bin": "x"}, inputs={"untold": ["s3://b/k: denied"]}), "during the repeat cannot be told"),
        (side(ONE, ended={"exit": 137, "reason": "over its time limit of 60 s"}), "the repeat was stopped"),
        (side(None), "no outputs were declared for the repeat"),
        (side({}), "wrote nothing"),
    ],
)
def test_what_has_another_explanation_is_not_comparable(again: Side, why: str) -> None:
    """The reason is told."""
    told = verdict(side(ONE), again)
    assert told["result"] == NOT_COMPARABLE
    assert why in summary(told)


def test_an_output_that_could_not_be_read_is_not_called_unwritten() -> None:
    """What nobody has seen is not known to be empty."""
    first = side({})
    assert first.outputs is not None
    unread = Event(TIME, "outputs", {**first.outputs.fields, "unread": {"out": "no access"}})
    told = summary(verdict(replace(first, outputs=unread), side({})))
    assert "out of the original could not be read: no access" in told
    assert "the original wrote nothing" not in told
    assert "the repeat wrote nothing" in told


def test_equal_results_are_identical_whatever_else_changed() -> None:
    """What was not the same is told beside."""
    told = verdict(side(ONE), side(ONE, image="i@sha256:2"))
    assert told["result"] == IDENTICAL
    assert "another image" in told["although"][0]


@pytest.mark.parametrize(("ids", "result"), [(("sha256:7", "sha256:7"), DIFFERS), (("", ""), NOT_COMPARABLE)])
def test_a_copy_of_an_image_is_the_same_image(ids: tuple[str, str], result: str) -> None:
    """What ran in an engine by its id is repeated from a registry under another name; an unknown id proves nothing."""
    first, again = side(ONE, image="sha256:7"), side(ONE | {"out/a.bin": "x"}, image="i@sha256:2")
    told = verdict(replace(first, image=ids[0]), replace(again, image=ids[1]))
    assert told["result"] == result


def test_another_exit_code_differs_even_without_outputs() -> None:
    """An exit code is a result too."""
    told = verdict(side(None), side(None, ended={"exit": 1}))
    assert (told["result"], told["exit"]) == (DIFFERS, [0, 1])


def test_another_machine_is_noted_and_explains_nothing() -> None:
    """With an equal image and request a difference stays a difference."""
    told = verdict(side(ONE, ended={"host": "a"}), side({**ONE, "out/a.bin": "x"}, ended={"host": "b"}))
    assert told["result"] == DIFFERS
    assert told["noted"] == ["host: a, then b"]


def test_a_manifest_that_cannot_be_read_is_no_proof() -> None:
    """Neither of sameness nor of a difference."""
    first = side(ONE)
    assert first.outputs
    lost = Event(TIME, "outputs", {**first.outputs.fields, "kept": "elsewhere"})
    told = verdict(first, Side(first.planned, first.ended, lost))
    assert told["result"] == NOT_COMPARABLE


@pytest.mark.parametrize(
    ("name", "old", "new", "most"),
    [
        ("a.json", '{"b": 1, "a": [1, 2]}', '{"a": [1, 2.5], "b": 1}', 0.2),
        ("a.json", "NaN", "NaN", 0),
        ("a.json", "[1e300]", "[1.1e300]", 0.1 / 1.1),
        ("a.csv", "x,1\ny,2\n", "x,1\ny,3\n", 1 / 3),
        ("a.csv", "0.001", "0.002", 0.001),
    ],
)
def test_how_far_apart(name: str, old: str, new: str, most: float) -> None:
    """The larger of the numbers decides, but for small ones the difference itself."""
    assert apart(name, old, new).most == pytest.approx(most, rel=0.02)
    assert not apart(name, old, new).why


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.json", '{"a": 1}', '{"b": 1}'),
        ("a.json", "[1]", "[1, 2]"),
        ("a.json", "true", "1"),
        ("a.json", '"x"', '"y"'),
        ("a.json", "[1", "[1"),
        ("a.json", "1", "NaN"),
        ("a.csv", "a,1", "b,1"),
        ("a.csv", "1,2", "1"),
        ("a.json", "[" * 100000, "[" * 100000),
        ("a.json", json.dumps(10**400), "1"),
    ],
)
def test_what_no_tolerance_covers(name: str, old: str, new: str) -> None:
    """Other keys, lengths, texts, broken files, and infinite differences."""
    assert not apart(name, old, new).within(9e9)


def test_names_that_nothing_can_encode_are_not_compared() -> None:
    """JSON can hold half of a character, and the record cannot."""
    told = apart("m.json", '{"\\ud800": 1}', '{"\\ud800": 2}')
    assert told.why == "cannot be read: a text in it holds half of a character, \\ud800"


def test_the_largest_difference_says_how_it_is_measured() -> None:
    """It is no absolute one, as `diff` prints it."""
    told = verdict(side({"out/m.json": '{"loss": 13.077}'}), side({"out/m.json": '{"loss": 11.976}'}), 0.01)
    assert summary(told).endswith("; largest difference 0.0842 (relative; absolute below 1)")
