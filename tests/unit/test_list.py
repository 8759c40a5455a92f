"""`git rvexp list`: what it shows, in which order, of which snapshots."""

import datetime as dt
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from git_rvexp.config import Config
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.ledger import Ledger
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.snapshotting.matching import same
from git_rvexp.workflow.snapshotting.naming import Request
from git_rvexp.workflow.snapshotting.take import take
from tests.conftest import Clone
from tests.notebook import BEGIN, IMAGE, Notebook
from tests.schemas import check


@pytest.fixture
def book(clone: Clone) -> Notebook:
    """Four snapshots of two people and two projects, with runs in several states."""
    book = Notebook(clone)
    first = book.snapshot("al/roads/2026-11-01/first")
    book.ended(first, seed=20817)
    book.ended(first, 1, command=("python", "special.py"))
    book.now += dt.timedelta(hours=1)
    second = book.snapshot("al/clouds/2026-11-02/second")
    book.tell(second, "image", ref=IMAGE, id="sha256:" + "cd" * 32)
    book.submitted(second, "job-2")
    book.now += dt.timedelta(hours=1)
    book.snapshot("gh/roads/2026-11-02/third")
    book.now += dt.timedelta(hours=1)
    late = book.snapshot("gh/roads/2026-10-01/late")
    stopped = book.ended(late, 137)
    book.tell(late, "cancelled", run=str(stopped.run), reason="too slow")
    return book


def listed(book: Notebook, *args: str) -> list[str]:
    """The nicknames that list prints, in order."""
    done = book.clone.rvexp("list", "--format", "%(nickname)", *args)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def document(book: Notebook, *args: str) -> Any:
    """What list --json prints."""
    return json.loads(book.clone.rvexp("list", "--json", *args).stdout)


def test_newest_first_by_the_date_in_the_name_then_by_time(book: Notebook) -> None:
    """A tag that was made late under an old date stands with its date."""
    assert listed(book) == ["third", "second", "first", "late"]


@pytest.mark.parametrize("others", [3, 150])
def test_on_one_date_the_time_decides_however_many_there_are(book: Notebook, others: int) -> None:
    """The newest is found among a hundred of its date though its name comes last."""
    book.now += dt.timedelta(days=30)
    early = book.snapshot("zz/roads/2026-11-02/early")
    book.now += dt.timedelta(hours=1)
    book.snapshot("aa/roads/2026-11-02/zz-late")
    refs = (f"create refs/tags/zz/roads/2026-11-02/mid-{n:03d} {early.oid}\n" for n in range(others))
    subprocess.run(["git", "update-ref", "--stdin"], cwd=book.clone.path, input="".join(refs), text=True, check=True)
    assert listed(book, "-n", "1") == ["zz-late"]
    assert len(listed(book, "-n", "5")) == 5


@pytest.mark.parametrize(
    ("flags", "nicknames"),
    [
        (["-n", "1"], ["third"]),
        (["-n", "3"], ["third", "second", "first"]),
        (["--project", "roads"], ["third", "first", "late"]),
        (["--project", "roads", "-n", "1"], ["third"]),
        (["--mine"], ["second", "first"]),
        (["--state", "failed"], ["first"]),
        (["--state", "cancelled"], ["late"]),
        (["--state", "submitted"], ["second"]),
        (["--state", "none"], ["third"]),
        (["--grep", "SPECIAL"], ["first"]),
        (["--grep", "roads.*t", "-n", "2"], ["third", "first"]),
        (["--since", (BEGIN + dt.timedelta(minutes=90)).isoformat()], ["third", "late"]),
        (["--grep", "nothing like it"], []),
    ],
)
def test_filters(book: Notebook, flags: list[str], nicknames: list[str]) -> None:
    """Every filter keeps the order, and the number counts what is left."""
    book.clone.git("config", "rvexp.initials", "al")
    assert listed(book, *flags) == nicknames


def test_a_colleagues_snapshots_are_found(book: Notebook) -> None:
    """By the name or the address of who took them, or by initials."""
    book.clone.git("config", "user.name", "Ann Lee")
    book.snapshot("al/roads/2026-11-05/hers")
    assert listed(book, "--grep", "ann lee") == ["hers"]
    assert listed(book, "--initials", "gh") == ["third", "late"]
    wrong = book.clone.rvexp("list", "--initials", "*")
    assert (wrong.returncode, "not a legal name part" in wrong.stderr) == (2, True)
    assert book.clone.rvexp("list", "--initials", "gh", "--mine").returncode == 2


def test_a_piped_list_is_tab_separated_and_whole(book: Notebook) -> None:
    """Columns for programs: tag, UTC time, changes, states of the runs, last run."""
    row = book.clone.rvexp("list", "--grep", "first").stdout.rstrip("\n").split("\t")
    last = document(book, "--grep", "first")["snapshots"][0]["runs"][-1]["run"]
    assert row == ["al/roads/2026-11-01/first", "2026-11-02T12:00:00Z", "1 modified", "1 ok, 1 failed", last]


def test_json_holds_what_the_record_says(book: Notebook) -> None:
    """One document with schema, ids, and each run's state, job and outcome."""
    told = document(book, "--all")
    assert told["schema"] == "rvexp.list/1"
    by_tag = {row["tag"].rpartition("/")[2]: row for row in told["snapshots"]}
    assert [(r["state"], r.get("exit"), r["executor"]) for r in by_tag["first"]["runs"]] == [
        ("ok", 0, "batch"),
        ("failed", 1, "batch"),
    ]
    assert by_tag["first"]["runs"][1]["command"] == ["python", "special.py"]
    assert by_tag["first"]["runs"][0]["seed"] == 20817
    check(told)
    assert by_tag["first"]["states"] == {"ok": 1, "failed": 1}
    assert by_tag["second"]["image"] == IMAGE
    assert by_tag["second"]["runs"][0]["job"] == "job-2"
    assert by_tag["third"]["commit"] == book.clone.git("rev-parse", "gh/roads/2026-11-02/third^{commit}")
    assert by_tag["third"]["tree"] == book.clone.git("rev-parse", "gh/roads/2026-11-02/third^{tree}")


def test_a_format_with_an_unknown_field_is_refused(book: Notebook) -> None:
    """The nearest field is offered, and it is a usage error."""
    done = book.clone.rvexp("list", "--format", "%(tga)")
    assert done.returncode == 2
    assert "did you mean %(tag)?" in done.stderr


def test_a_format_and_json_together_are_refused(book: Notebook) -> None:
    """One of the two would be ignored."""
    done = book.clone.rvexp("list", "--json", "--format", "%(tag)")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not allowed with" in done.stderr


def test_a_format_may_hold_percent_signs_and_bytes(book: Notebook) -> None:
    """%% is a percent sign, %xx a byte; everything else stands as it is."""
    assert book.clone.rvexp("list", "-n1", "--format", "%%%09%(nickname) %x").stdout == "%\tthird %x\n"


@pytest.mark.parametrize(
    "line",
    [
        '2026-11-02T12:00:00.000Z ended run="RUN" state="SUCCEEDED" exit=0 seconds=9 reason="cut he',
        '2026-11-02T12:00:00.000Z ended run="RUN" state="SUCCEEDED" exit=0 seconds=9 attempts=[{"exit":0}',
        '2026-11-02T12:00:00.000Z ended run="RUN" state="SUCCEEDED" exit=0 seconds=',
        '2026-11-02T12:00:00.000Z ended v=2 run="RUN" state="SUCCEEDED" exit=0 seconds=9',
    ],
)
def test_a_cut_line_is_not_believed(book: Notebook, line: str) -> None:
    """Half an outcome is no outcome, and the damage is counted."""
    second = next(s for s in document(book)["snapshots"] if s["tag"].endswith("second"))
    run = second["runs"][0]["run"]
    book.clone.git("notes", "--ref", "rvexp", "append", "-m", line.replace("RUN", run), second["oid"])
    told = next(s for s in document(book)["snapshots"] if s["tag"].endswith("second"))
    assert told["runs"][0]["state"] == "submitted"
    assert told["damaged_lines"] == 1


def test_numbers_are_those_of_the_run_that_is_shown(book: Notebook) -> None:
    """A last column where any row has them: exact for programs; by --format, and per run in JSON."""
    snapshot = book.snapshot("al/roads/2026-11-05/judged")
    first, second = book.ended(snapshot), book.ended(snapshot)
    book.tell(snapshot, "metrics", run=str(first.run), values={"accuracy": 0.5})
    book.tell(snapshot, "metrics", run=str(second.run), values={"accuracy": 0.961234567, "n_test": 360, "odd": "text"})
    rows = [line.split("\t") for line in book.clone.rvexp("list", "-n", "2").stdout.splitlines()]
    assert [row[4:] for row in rows] == [[str(second.run), "accuracy 0.961234567, n_test 360"], [rows[1][4], "-"]]
    form = ("--format", "%(run) %(metrics)")
    shown = book.clone.rvexp("list", "-n", "1", *form).stdout
    assert shown == f"{second.run} accuracy 0.961234567, n_test 360\n"
    failed = book.ended(snapshot, 1)
    assert book.clone.rvexp("list", "-n", "1", *form).stdout == f"{failed.run} \n"
    told = document(book, "-n", "1")["snapshots"][0]["runs"]
    assert [run.get("metrics") for run in told] == [{"accuracy": 0.5}, {"accuracy": 0.961234567, "n_test": 360}, None]
    assert len(book.clone.rvexp("list", "--project", "clouds").stdout.split("\t")) == 5


def test_what_is_no_finite_number_is_shown_as_a_word(book: Notebook) -> None:
    """A loss that became NaN stands in the list, and in JSON beside the numbers; other words are no metrics."""
    snapshot = book.snapshot("al/roads/2026-11-05/judged")
    run = book.ended(snapshot)
    words = {"loss": "NaN", "odd": "text"}
    book.tell(snapshot, "metrics", run=str(run.run), values={"epoch": 3}, not_finite=words)
    assert book.clone.rvexp("list", "-n", "1", "--format", "%(metrics)").stdout == "epoch 3, loss NaN\n"
    (told,) = document(book, "-n", "1")["snapshots"][0]["runs"]
    assert (told["metrics"], told["not_finite"]) == ({"epoch": 3}, {"loss": "NaN"})
    check(document(book))


def test_text_in_a_value_is_not_taken_for_a_field(book: Notebook) -> None:
    """A reason that looks like fields stays a reason."""
    second = next(s for s in document(book)["snapshots"] if s["tag"].endswith("second"))
    run = second["runs"][0]["run"]
    line = f'2026-11-02T12:00:00.000Z ended run="{run}" state="FAILED" reason="then exit=0 state=" seconds=3'
    book.clone.git("notes", "--ref", "rvexp", "append", "-m", line, second["oid"])
    told = next(s for s in document(book)["snapshots"] if s["tag"].endswith("second"))["runs"][0]
    assert (told["state"], told.get("exit"), told["seconds"]) == ("failed", None, 3)


def test_hostile_messages_do_not_reach_a_terminal(book: Notebook) -> None:
    """Escape sequences in a record are shown as text."""
    book.snapshot("zz/roads/2026-11-03/bad", changes="\x1b]0;owned\x07")
    done = book.clone.rvexp("list", "-n1", env={"GIT_PAGER_IN_USE": "1"})
    assert "\\x1b]0;owned\\x07" in done.stdout
    assert "\x1b]0" not in done.stdout


def test_other_tags_are_not_snapshots(book: Notebook) -> None:
    """Lightweight tags, releases and names of four parts that are no snapshots stay out, whatever their date."""
    book.clone.git("tag", "v1.0")
    book.clone.git("tag", "-a", "-m", "x", "al/roads/2027-13-45/impossible")
    book.clone.git("tag", "-a", "-m", "x", "AL/roads/2027-01-01/loud")
    book.clone.git("tag", "al/roads/2027-01-01/light")
    assert listed(book, "-n", "2") == ["third", "second"]
    assert listed(book) == ["third", "second", "first", "late"]


def test_no_snapshots_is_said(clone: Clone) -> None:
    """An empty list is a success that prints nothing on stdout."""
    done = clone.rvexp("list")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no snapshots" in done.stderr


def test_my_newest_is_the_one_taken_last_and_not_the_one_with_the_last_date(clone: Clone) -> None:
    """A name holds the date where it was taken: on a journey westwards the same day comes twice."""
    for zone, nickname in (("Pacific/Kiritimati", "east"), ("Pacific/Pago_Pago", "west")):  # always different days
        clone.write("a.py", nickname)
        assert clone.rvexp("snapshot", nickname, env={"TZ": zone}).returncode == 0
    assert "/west\n" in clone.rvexp("show", "@").stdout.splitlines(keepends=True)[0]
    assert clone.rvexp("list", "--format", "%(nickname)").stdout == "east\nwest\n"


def test_snapshots_of_one_second_are_in_the_order_they_were_taken(clone: Clone, tmp_path: Path) -> None:
    """Not by their names: in lists, for @, for the work tree's snapshot, and in a clone that has only the tags."""
    repo = Repo.discover(clone.path, os.environ)
    context = None
    for nickname, moment in (("b", 100), ("c", 200), ("a", 300)):
        ledger = Ledger(repo, dt.datetime(2026, 11, 29, 12, 0, 5, moment * 1000, tzinfo=dt.UTC).astimezone)
        context = Context(repo, Config(Settings()), ledger, os.environ, lambda _text: None, lambda _text: None)
        take(context, Request(nickname, message="Rvexp-Taken: 2026-11-29T12:00:05.999Z"))
    assert clone.rvexp("list", "--format", "%(nickname)").stdout == "a\nc\nb\n"
    assert "/a\n" in clone.rvexp("show", "@").stdout.splitlines(keepends=True)[0]
    assert context is not None
    found, _ = same(context)
    assert found is not None
    assert found.tag.endswith("/a")
    clone.git("clone", "-q", ".", str(tmp_path / "elsewhere"))
    assert Clone(tmp_path / "elsewhere").rvexp("list", "--format", "%(nickname)").stdout == "a\nc\nb\n"
