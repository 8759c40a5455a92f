"""A record written by a hostile colleague: whatever it says, looking at it ends in words and drives no terminal."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from git_rvexp import cli
from git_rvexp.errors import RvexpError
from git_rvexp.git import notes
from git_rvexp.git.plumbing import Repo
from git_rvexp.record import events, shapes
from git_rvexp.record.events import Damaged, parse_line
from git_rvexp.settings import Settings
from git_rvexp.workflow.repeating.manifests import recorded
from tests.conftest import Clone

NASTY: tuple[Any, ...] = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e",
    5,
    -1e308,
    True,
    [],
    [[1], {"name": 7}],
    {},
    {"\x1b[2J": {"a": ["\x1b[31m", None]}, "name": []},
    [{"name": "\x1b[2J", "uri": 5, "count": "x", "manifest": [], "hazards": 3}],
    ["--upload-pack=x", "\x1b[2J", ""],
    10**30,
)
HEAD = "2026-11-22T07:10:0{}.000Z"
RUN = "k3v9q2abcd"
BASE: dict[str, dict[str, Any]] = {
    "image": {"ref": "127.0.0.1:1/x@sha256:" + "a" * 64, "id": "sha256:" + "b" * 64, "platform": "linux/amd64"},
    "definition": {"arn": "arn:aws:batch:us-east-1:1:job-definition/x:1", "name": "x", "body": {}},
    "planned": {
        "run": RUN,
        "executor": "batch",
        "job_name": f"rvexp-{RUN}-x",
        "image": "i",
        "command": ["true"],
        "outputs": ["out"],
    },
    "submitted": {"run": RUN, "job": "j"},
    "ended": {"run": RUN, "state": "SUCCEEDED", "exit": 0, "seconds": 1.5, "reason": "", "attempts": [{}, {}]},
    "inputs": {"run": RUN, "changed": []},
    "outputs": {"run": RUN, "count": 1, "bytes": 2, "unread": {}, "texts": {}, "manifest": "x"},
    "metrics": {"run": RUN, "values": {"a": 1.0}, "unread": {}, "left_out": 1},
    "verdict": {"run": RUN, "of": RUN, "result": "differs", "counts": {"changed": 1}, "changed": [], "most": 1.0},
    "log": {"run": RUN, "digest": "x", "lines": 1},
    "cancelled": {"run": RUN, "why": "x", "by": "y"},
    "snapshot": {"changes": "none", "by": "x"},
}


OBEYED = ("\x1b]", "\x1b[2J", "\x9b", "\u202e", "\x07")
LOOKS = (
    *(["list"], ["list", "--json"], ["show"], ["show", "--json"], ["status"]),
    *(["diff", "@", "@"], ["verify"], ["download"]),
)


def _line(kind: str, fields: dict[str, Any], second: int) -> str:
    told = " ".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in fields.items())
    return f"{HEAD.format(second)} {kind} {told}"


def _written(clone: Clone, oid: str, text: str) -> None:
    repo = Repo.discover(clone.path, os.environ)
    at = notes.tip(repo)
    assert notes.swap(repo, notes.write(repo, at, {oid: text}, "theirs"), at, "theirs")


def _looks(
    clone: Clone, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[object, str]]:
    monkeypatch.chdir(clone.path)
    environ = {**os.environ, "GIT_PAGER_IN_USE": "1", "COLUMNS": "100", "DOCKER_HOST": "tcp://127.0.0.1:1"}
    for words in LOOKS:
        code = cli.main(words, environ)
        caught = capsys.readouterr()
        assert code != 70, (words, caught.err)
        yield words, caught.out + caught.err


@pytest.fixture
def tag(clone: Clone) -> str:
    """The tag object of a snapshot whose record is about to be written by somebody else."""
    name = clone.rvexp("snapshot", "x").stdout.strip()
    return clone.git("rev-parse", name)


@pytest.mark.parametrize("kind", BASE)
def test_no_field_of_any_kind_breaks_a_look(
    kind: str, clone: Clone, tag: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every field as anything else, each on a line of its own among sound ones."""
    known = {**dict.fromkeys(shapes._SHAPES.get(kind, {})), **BASE[kind]}
    lines = [_line(k, f, 1) for k, f in BASE.items() if k != kind]
    lines += [_line(kind, {**BASE[kind], name: value}, 2) for name in known for value in NASTY]
    _written(clone, tag, "\n".join(lines) + "\n")
    for words, told in _looks(clone, capsys, monkeypatch):
        assert not [sign for sign in OBEYED if sign in told], words


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "\n",
        f"{HEAD.format(1)} planned run=" + "[" * 100_000 + "\n",
        f"{HEAD.format(1)} planned run=" + '{"a":' * 50_000 + "1" + "}" * 50_000 + "\n",
        f'{HEAD.format(1)} planned run="{RUN}" x="' + "y" * 2_000_000 + '"\n',
        f'{HEAD.format(1)} planned run="../../x" executor="docker"\n',
        f'{HEAD.format(1)} planned run="--upload-pack=x" executor="docker" job_name="-x"\n',
        f"{HEAD.format(1)} planned run={'9' * 5000}\n",
        "\0\x1b[2J\r\n" * 1000,
        "9999-99-99T99:99:99.999Z planned run=1\n",
        f'{HEAD.format(1)} planned run="\\ud800" executor="\\ud800"\n',
    ],
    ids=["deep", "deep value", "deep object", "huge", "path", "option", "long number", "control", "time", "surrogate"],
)
def test_lines_that_no_program_of_ours_writes(
    text: str, clone: Clone, tag: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deep, huge, forged or torn: told as damaged, or shown without effect."""
    _written(clone, tag, text)
    for words, told in _looks(clone, capsys, monkeypatch):
        assert "\x1b[2J" not in told, words


def test_known_fields_of_another_shape_are_damage() -> None:
    """And what is not known passes: a newer program may have written it."""
    found = parse_line(_line("metrics", {"run": RUN, "values": [1]}, 1))
    assert isinstance(found, Damaged)
    assert found.why == "is damaged: values is not a table"
    assert not isinstance(parse_line(_line("metrics", {"run": RUN, "values": {}, "new": [1]}, 1)), Damaged)
    assert not isinstance(parse_line(_line("news", {"values": [1]}, 1)), Damaged)
    missing = parse_line(_line("image", {"ref": "x"}, 1))
    assert isinstance(missing, Damaged)
    assert "does not say its id" in missing.why


@pytest.mark.parametrize(
    "entry",
    [
        {"manifest": "x"},
        {"uri": 5},
        {"uri": None},
        {"uri": "/x", "manifest": 5},
        {"uri": "/x", "count": "x"},
        {"uri": "/x", "manifest": "x", "count": 1, "hazards": 5},
        {"uri": "/x", "count": 1, "stored": []},
    ],
    ids=json.dumps,
)
def test_an_input_of_another_shape_is_damage(entry: dict[str, Any]) -> None:
    """One that names no place, or one whose list is none; what else a newer program says of it passes."""
    found = parse_line(_line("planned", {**BASE["planned"], "inputs": [{"uri": "/sound"}, entry]}, 1))
    assert isinstance(found, Damaged)
    assert found.why == "is damaged: inputs is not a list of inputs"
    known = {"uri": "s3://x/y", "manifest": "x", "count": 1, "hazards": {"x": 1}, "new": [1]}
    assert not isinstance(parse_line(_line("planned", {**BASE["planned"], "inputs": [known]}, 1)), Damaged)


@pytest.mark.parametrize("field", ["tag", "base"])
def test_half_a_character_ends_no_export(field: str, clone: Clone, tag: str) -> None:
    """Neither in what is handed over nor in what git is asked for; bytes of a name are escaped as JSON has them."""
    lines = [_line("planned", BASE["planned"], 1), f'{HEAD.format(2)} snapshot {field}="x\\ud800"']
    _written(clone, tag, "\n".join([*lines, f'{HEAD.format(3)} snapshot source="\\udcff"']) + "\n")
    for words in (["export", "--format", "json", "-o", "made"], ["export", "--format", "json", RUN], ["status", RUN]):
        done = clone.rvexp(*words)
        assert done.returncode == 0, done.stderr
    told = json.loads((clone.path / "made").read_bytes())
    assert told["facts"]["snapshot"]["source"] == "\udcff"
    assert "half of a character" in told["damaged_lines"][0]["why"]


@pytest.mark.parametrize(
    "forged",
    [
        {"ended": {"seconds": 1e308}},
        {"ended": {"seconds": 253402300799}},
        {"ended": {"stopped": "2026-11-22T07:10:03Z", "seconds": 300_000_000_000}},
        {"ended": {"stopped": 1e308}},
        {"ended": {"started": -1e308, "stopped": 1e308}},
        {"ended": {"started": "0001-01-01T00:00:00+23:59", "stopped": "9999-12-31T23:59:59-23:59"}},
        {"ended": {"attempts": [{"started": 10**18, "stopped": 10**18}, {"started": -1e308, "stopped": 1e308}]}},
        {"metrics": {"values": {"a": 1e308, "b": -1e308}}},
        {"planned": {"tolerance": -1e308}},
        {"planned": {"tolerance": 1e308}},
    ],
    ids=lambda forged: json.dumps(forged)[:60],
)
def test_no_number_or_moment_breaks_a_page(
    forged: dict[str, dict[str, Any]],
    clone: Clone,
    tag: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the calendar or a picture has no room for is not drawn; a repeat is drawn beside it."""
    again = "k3v9q2abce"
    lines = [_line(kind, {**fields, **forged.get(kind, {})}, 1) for kind, fields in BASE.items()]
    lines += [_line("planned", {**BASE["planned"], "run": again, "repeats": RUN}, 2)]
    lines += [_line("ended", {**BASE["ended"], "run": again}, 3)]
    lines += [_line("metrics", {"run": again, "values": {"a": 1.0, "b": 2}}, 4)]
    _written(clone, tag, "\n".join(lines) + "\n")
    _pages(clone, capsys, monkeypatch)


def test_the_last_day_of_the_calendar_has_a_column(
    clone: Clone, tag: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan of the year 9999 beside one of today, and one of the year 1."""
    lines = [_line("planned", {**BASE["planned"], "run": f"k3v9q2abc{n}"}, 1) for n in range(3)]
    lines[:2] = [f"{year}{lines[0].removeprefix('2026-11-22T07:10:01.000Z')}" for year in _ENDS]
    _written(clone, tag, "\n".join(lines) + "\n")
    _pages(clone, capsys, monkeypatch)


_ENDS = ("0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z")


@pytest.mark.parametrize("seconds", ["999999999999", "-5", "99999999999999999999"])
def test_a_tag_of_no_time_hides_no_other(
    seconds: str, clone: Clone, tag: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may push a tag may date it as they like; git takes what it can make of it."""
    body = clone.git("cat-file", "tag", tag).replace("/x\n", "/forged\n", 1)
    forged = clone.write("forged", re.sub(r"(?m)^(tagger .*) \d+ ", rf"\1 {seconds} ", body) + "\n")
    oid = clone.git("hash-object", "-t", "tag", "-w", "--literally", str(forged))
    name = clone.git("describe", "--exact-match", tag)[: -len("x")] + "forged"
    clone.git("update-ref", f"refs/tags/{name}", oid)
    told = _pages(clone, capsys, monkeypatch, ["show", name], ["report", name, "-o", "-", "--check", "0"])
    assert name in told
    assert name.replace("forged", "x") in told


def _pages(clone: Clone, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *more: list[str]) -> str:
    """What the list says, once it and the pages are made, without a number in them that is none."""
    monkeypatch.chdir(clone.path)
    page = ["report", "-o", "-", "--check", "0"]
    told = ""
    for words in (["show"], page, [*page, "--all"], *more, ["list"]):
        code = cli.main(words, {**os.environ})
        told, wrong = capsys.readouterr()
        assert code != 70, (words, wrong)
        assert not re.search(r"\b(nan|inf)\b", told), words
    return told


def test_one_hostile_line_hides_no_other(clone: Clone, tag: str) -> None:
    """What stands around it is read as before."""
    good = _line("planned", BASE["planned"], 1)
    record = events.parse(f"{good}\n{_line('planned', {'run': [1]}, 2)}\n{_line('ended', BASE['ended'], 3)}\n")
    assert [e.kind for e in record.events] == ["planned", "ended"]
    assert len(record.damaged) == 1
    _written(clone, tag, f"{good}\n{_line('planned', {'run': [1]}, 2)}\n")
    done = clone.rvexp("show")
    assert done.returncode == 1
    assert RUN in done.stdout
    assert "is damaged: run is not an id" in done.stdout


def test_a_chain_that_is_named_like_a_path_touches_no_file(clone: Clone, tag: str, tmp_path: Path) -> None:
    """Neither one that is there nor one that could be made: a line with such a name is damage."""
    victim, made = tmp_path / "victim", tmp_path / "made"
    victim.write_text("keep\n")
    plan = {**BASE["planned"], "executor": "docker", "step": "one", "nth": 1}
    for chain in (victim, made, "../../made", "."):
        _written(clone, tag, _line("planned", {**plan, "chain": str(chain)}, 1) + "\n")
        for words in (["cancel", RUN], ["wait", RUN], ["chain", "--resume"], ["chain", "--resume", str(chain)]):
            assert clone.rvexp(*words, env={"DOCKER_HOST": "tcp://127.0.0.1:1"}).returncode == 2, words
    assert victim.read_text() == "keep\n"
    assert not list(tmp_path.rglob("made"))
    assert "is damaged: chain is not an id" in clone.rvexp("show").stdout


@pytest.mark.parametrize("store", ["", "s3://mine/exp"])
def test_a_list_of_files_is_fetched_from_my_own_store_only(store: str, clone: Clone) -> None:
    """A record may name any bucket, and reading there would sign a request for whoever has it."""
    repo = Repo.discover(clone.path, os.environ)
    entry = {"count": 1, "manifest": "sha256:" + "a" * 64, "stored": "s3://mine/exports/x.tsv"}
    with pytest.raises(RvexpError, match="not in your store"):
        recorded(repo, entry, Settings(store=store))


def test_a_crash_log_is_the_only_file_that_looking_may_leave(clone: Clone, tag: str, tmp_path: Path) -> None:
    """Run ids that look like paths make no files."""
    before = {p for p in tmp_path.rglob("*") if ".git" not in p.parts}
    _written(clone, tag, _line("planned", {**BASE["planned"], "run": "../../../owned"}, 1) + "\n")
    for words in (["show"], ["status", "--refresh"], ["logs", "../../../owned"], ["verify"]):
        assert clone.rvexp(*words).returncode != 70
    assert {p for p in tmp_path.rglob("*") if ".git" not in p.parts} == before
