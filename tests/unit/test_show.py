"""`git rvexp show`: the chain of custody for people and as JSON; damage is told, hostile text inert."""

import json

import pytest

from git_rvexp.model import Snapshot
from tests.conftest import Clone
from tests.notebook import IMAGE, Notebook


@pytest.fixture
def book(clone: Clone) -> Notebook:
    """A clone."""
    return Notebook(clone)


@pytest.fixture
def snapshot(book: Notebook) -> Snapshot:
    """A published snapshot with a failed run."""
    made = book.snapshot("al/roads/2026-11-01/first")
    book.tell(made, "image", ref=IMAGE, id="sha256:" + "cd" * 32, platform="linux/amd64")
    book.tell(made, "definition", arn="arn:aws:batch:us-east-1:123456789012:job-definition/x:3", name="x", body={})
    run = book.submitted(made, "job-1", seed=7)
    attempts = [{"status_reason": "Host EC2 (instance i-1) terminated."}, {"exit": 3, "log_stream": "s/2"}]
    book.tell(made, "ended", run=str(run.run), state="FAILED", exit=3, seconds=3725.5, reason="boom", attempts=attempts)
    return made


def test_everything_is_told(book: Notebook, snapshot: Snapshot) -> None:
    """Snapshot, commit, tree, image, definition, plan, job, outcome and attempts, each on a line with its label."""
    done = book.clone.rvexp("show", "first")
    assert done.returncode == 0
    lines = {line.strip().partition("  ")[0]: line for line in done.stdout.splitlines()}
    for label, text in {
        "snapshot": snapshot.tag,
        "commit": snapshot.commit,
        "tree": snapshot.tree,
        "tag object": snapshot.oid,
        "definition": "job-definition/x:3",
        "command": "python train.py",
        "seed": "7",
        "job": "job-1",
        "ended": "failed, exit 3 after 1 h 2 min",
        "attempt 1": "no exit code, Host EC2",
        "attempt 2": "exit 3, s/2",
    }.items():
        assert text in lines[label]
    assert IMAGE in done.stdout
    assert "next: git rvexp logs" in done.stderr


def test_json_holds_every_event(book: Notebook, snapshot: Snapshot) -> None:
    """The record's events whole, in order."""
    told = json.loads(book.clone.rvexp("show", "first", "--json").stdout)
    assert (told["schema"], told["commit"]) == ("rvexp.show/1", snapshot.commit)
    assert [e["kind"] for e in told["runs"][0]["events"]] == ["planned", "submitted", "ended"]
    assert told["facts"]["image"]["ref"] == IMAGE


def test_one_run_by_its_id_its_prefix_or_its_job(book: Notebook, snapshot: Snapshot) -> None:
    """Only that run is shown; of a job's id the beginning does that `submit` prints of a container's."""
    other = book.submitted(snapshot, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")
    for name in (str(other.run), str(other.run)[:7], "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "aaaaaaaa-bbb"):
        told = json.loads(book.clone.rvexp("show", name, "--json").stdout)
        assert [r["run"] for r in told["runs"]] == [str(other.run)]


def test_the_beginning_of_a_jobs_id_names_one_run_or_none(book: Notebook, snapshot: Snapshot) -> None:
    """Seven characters are too few; of two jobs that begin so the runs are listed."""
    ids = sorted(str(book.submitted(snapshot, f"{'c0ffee' * 10}{end}").run) for end in ("0000", "1111"))
    few = book.clone.rvexp("show", "c0ffeec")
    assert (few.returncode, "no snapshot or run 'c0ffeec' in this clone" in few.stderr) == (2, True)
    both = book.clone.rvexp("show", "c0ffeec0ffee")
    assert both.returncode == 2
    assert sorted(line.strip() for line in both.stderr.splitlines() if line.startswith("  ")) == ids


def test_damaged_lines_are_shown_and_make_the_answer_no(book: Notebook, snapshot: Snapshot) -> None:
    """What cannot be read is told as it stands; the rest is told all the same."""
    book.damage(snapshot, "2026-11-02T12:00:00.000Z ended run=")
    done = book.clone.rvexp("show", "first")
    assert done.returncode == 1
    assert "2026-11-02T12:00:00.000Z ended run=" in done.stdout
    assert snapshot.tree in done.stdout
    (damaged,) = json.loads(book.clone.rvexp("show", "first", "--json").stdout)["damaged_lines"]
    assert damaged["line"] == "2026-11-02T12:00:00.000Z ended run="


def test_hostile_text_is_inert(book: Notebook, snapshot: Snapshot) -> None:
    """Escape sequences and direction marks in a message, a reason or a damaged line are shown, not obeyed."""
    book.tell(snapshot, "refused", run=str(book.plan(snapshot).run), why="\x1b[2Jgone\u202etxt")
    book.damage(snapshot, "junk \x1b]0;owned\x07")
    out = book.clone.rvexp("show", "first").stdout
    assert "\\x1b[2Jgone\\u202etxt" in out
    assert "junk \\x1b]0;owned\\x07" in out
    assert "\x1b" not in out


def test_an_unknown_name_has_a_neighbour(book: Notebook, snapshot: Snapshot) -> None:
    """A slip is answered with the nearest nickname."""
    done = book.clone.rvexp("show", "frist")
    assert done.returncode == 2
    assert "did you mean first?" in done.stderr


def test_an_ambiguous_name_lists_candidates(book: Notebook, snapshot: Snapshot) -> None:
    """Several snapshots hold the text: all are named."""
    book.snapshot("al/roads/2026-11-02/first-again")
    book.snapshot("al/roads/2026-11-03/first-once-more")
    done = book.clone.rvexp("show", "first-")
    assert done.returncode == 2
    assert "al/roads/2026-11-02/first-again" in done.stderr
    assert "al/roads/2026-11-03/first-once-more" in done.stderr


def test_metrics_are_shown_and_why_there_are_none(book: Notebook, snapshot: Snapshot) -> None:
    """Each number on its line, and what is no finite number; a file that could not be read with the reason."""
    run = book.ended(snapshot)
    unread = {"out/eval.json": "is not there"}
    told = {"values": {"accuracy": 0.961234567}, "not_finite": {"loss": "NaN"}, "left_out": 3, "unread": unread}
    book.tell(snapshot, "metrics", run=str(run.run), **told)
    lines = [line.strip() for line in book.clone.rvexp("show", str(run.run)).stdout.splitlines()]
    shown = [line.partition("  ")[2].strip() for line in lines if line.startswith(("metrics", "no metrics"))]
    assert shown == ["accuracy 0.961234567", "loss NaN", "… and 3 more", "out/eval.json: is not there"]


def test_what_a_run_waits_for_and_where_it_runs_are_told(book: Notebook, snapshot: Snapshot) -> None:
    """Account, region and the runs that it comes after; what was not asked for has no line."""
    run = book.submitted(snapshot, "job-2", after=("aaaaaaaaaa", "bbbbbbbbbb"), sequential=True, array=4)
    lines = book.clone.rvexp("show", str(run.run)).stdout.splitlines()
    told = dict(line.strip().split("  ", 1) for line in lines if line.startswith("  "))
    assert {key: told[key].strip() for key in ("account", "region", "after", "sequential", "array")} == {
        "account": "123456789012",
        "region": "us-east-1",
        "after": "aaaaaaaaaa bbbbbbbbbb",
        "sequential": "yes",
        "array": "4",
    }
    assert not {"after each", "engine", "gpus"} & told.keys()
