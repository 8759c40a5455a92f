"""What is exported stays within its format, whatever names and messages hold, and tells when a job really began."""

import ast
import json
import re

import pytest

from git_rvexp.git.tags import snapshots
from git_rvexp.record.kept import keep
from tests.conftest import Clone
from tests.notebook import Notebook

MESSAGE = "\U0001f680 base\u00a0line \U0001fae8 a\u00adb"
STARTED, NAME = "2026-11-02T15:30:00.000Z", "out/my \u00a0 file#1.csv"


@pytest.fixture
def run(clone: Clone) -> str:
    """A run that waited in its queue for hours, of a snapshot with such a message, which wrote such a file."""
    assert clone.rvexp("snapshot", "first", "-m", MESSAGE).returncode == 0
    book = Notebook(clone)
    (taken,) = snapshots(book.repo)
    image = "registry.example.org/images@sha256:" + "ab" * 32
    book.tell(taken, "image", ref=image, id="sha256:" + "cd" * 32, platform="linux/amd64")
    (wrote,) = keep(book.ledger, [f"{NAME.encode('unicode_escape').decode()}\t10\tsha256:{'22' * 32}\t\n"])
    plan = book.submitted(taken, image=image, extra={"inputs": [{"uri": "s3://data/my place/"}]})
    book.tell(taken, "ended", run=str(plan.run), state="SUCCEEDED", exit=0, started=STARTED)
    book.tell(taken, "outputs", run=str(plan.run), manifest="sha256:" + "55" * 32, count=1, bytes=10, kept=wrote)
    return str(plan.run)


def exported(clone: Clone, form: str, what: str = "first") -> str:
    """What goes to stdout, which is what goes to a file too."""
    done = clone.rvexp("export", what, "--format", form)
    assert done.returncode == 0, done.stderr
    assert clone.rvexp("export", what, "--format", form, "-o", f"../{form}.json").returncode == 0
    assert (clone.path.parent / f"{form}.json").read_bytes() == done.stdout.encode()
    return done.stdout


def test_json_is_json(clone: Clone, run: str) -> None:
    """What a terminal would obey or hide is escaped as JSON does it."""
    text = exported(clone, "json")
    assert json.loads(text)["message"] == MESSAGE
    assert all(c.isprintable() or c == "\n" for c in text)


def test_a_citation_is_yaml(clone: Clone, run: str) -> None:
    """YAML knows no characters of two halves."""
    text = exported(clone, "citation")
    title = next(line for line in text.splitlines() if line.startswith("title: "))
    assert ast.literal_eval(title.removeprefix("title: ")).endswith(MESSAGE)  # Python's escapes are those of YAML
    assert "\U0001f680" in text
    assert all(c.isprintable() or c == "\n" for c in text)


def test_a_crate_has_addresses_and_the_time_of_the_run(clone: Clone, run: str) -> None:
    """No address holds a blank; each is referred to as it is called. Hours in a queue are not running."""
    graph = json.loads(exported(clone, "ro-crate"))["@graph"]
    known = {each["@id"]: each for each in graph}
    assert [name for name in known if re.search(r"[^!-~]", name) or name.count("#") > 1] == []
    action = known[f"#run-{run}"]
    assert [known[each["@id"]]["name"] for each in (*action["object"], *action["result"])] == [
        "s3://data/my place/",
        NAME,
    ]
    assert action["startTime"] == "2026-11-02T15:30:00Z"


def test_a_statement_has_the_time_of_the_run(clone: Clone, run: str) -> None:
    """Of what it wrote, too."""
    told = json.loads(exported(clone, "slsa", run))["predicate"]["runDetails"]["metadata"]
    assert told["startedOn"] == "2026-11-02T15:30:00Z"
