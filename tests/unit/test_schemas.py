"""Every JSON document has a published schema, and is what it says; `Clone.rvexp` checks what other tests print."""

import ast
import json
import re
from pathlib import Path

import pytest

from git_rvexp.commands.manual.verbs import verbs
from git_rvexp.commands.parsing import load
from tests.conftest import Clone
from tests.notebook import Notebook
from tests.schemas import FOLDER, check, path_of

NAME = re.compile(r"rvexp\.[a-z-]+/\d+")
PACKAGE = Path(__file__).parents[2] / "git_rvexp"


def named(path: Path) -> set[str]:
    """The names of schemas that a module writes."""
    strings = (n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant))
    return {text for text in strings if isinstance(text, str) and NAME.fullmatch(text)}


def test_every_schema_is_published_and_used() -> None:
    """None lacks its file, and no file is left of something that nobody writes."""
    written = {name for path in PACKAGE.rglob("*.py") for name in named(path)}
    assert {path_of(name) for name in written} == set(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.name)
def test_a_schema_says_which_it_is(path: Path) -> None:
    """Its name and version stand in its file's name, its title, and the document."""
    schema = json.loads(path.read_text())
    assert path_of(schema["title"]) == path
    assert schema["$id"] == path.name
    told = [part["properties"]["schema"]["const"] for part in schema.get("anyOf", [schema])]
    assert set(told) == {schema["title"]}


def test_every_verb_with_json_names_a_schema() -> None:
    """A new one cannot be forgotten."""
    asked = [verb.name for verb in verbs() if "--json" in verb.flags]
    assert len(asked) > 8
    assert [name for name in asked if not named(Path(str(load(name).__file__)))] == []


@pytest.fixture
def book(clone: Clone) -> Notebook:
    """Two snapshots with runs that ended well, badly, and not yet, and a line that is damaged."""
    book = Notebook(clone)
    first, second = book.snapshot("al/roads/2026-11-01/first"), book.snapshot("al/roads/2026-11-02/second")
    judged = book.ended(first)
    book.tell(first, "metrics", run=str(judged.run), values={"accuracy": 0.96})
    book.ended(second, 1, env={"A": "b"})
    book.submitted(second, extra={"chain": "c1aaaaaaaa", "step": "train", "nth": 1})
    book.damage(first, "not a line")
    book.make_remote()
    clone.git("config", "rvexp.experiments-remote", f"file://{clone.path.parent / 'experiments.git'}")
    clone.rvexp("sync")
    return book


@pytest.mark.parametrize(
    "words",
    [
        "list --json",
        "show first --json",
        "status --json",
        "diff first second --json",
        "doctor --json",
        "config list --json",
        "config get job.env --json",
        "export first --format json",
        "verify second --json",
    ],
)
def test_what_is_printed_is_what_the_schema_says(book: Notebook, words: str) -> None:
    """Checked twice: `Clone.rvexp` does it for whatever begins as a document."""
    done = book.clone.rvexp(*words.split())
    check(json.loads(done.stdout))


def test_a_document_with_another_field_is_refused(book: Notebook) -> None:
    """What nobody published is noticed, and so is what is missing or of another kind."""
    whole = json.loads(book.clone.rvexp("list", "--json").stdout)
    row = whole["snapshots"][0]
    for changed in ({**row, "colour": "red"}, {k: v for k, v in row.items() if k != "tag"}, {**row, "tag": 1}):
        with pytest.raises(AssertionError, match=r"rvexp\.list/1"):
            check({**whole, "snapshots": [changed]})


def test_what_a_page_carries_is_what_the_schema_says(book: Notebook) -> None:
    """The record that is embedded in a report."""
    page = book.clone.rvexp("report", "second", "--check", "0", "-o", "-").stdout
    found = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found
    check(json.loads(found[1]))
