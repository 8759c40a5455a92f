"""`git rvexp logs`: which part of a log, and logs that are kept, on a strict Batch."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from git_rvexp.model import Snapshot
from git_rvexp.workflow.following import copies
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import NOW, SPOT_RULES, Clock, submit
from tests.notebook import Notebook

pytest_plugins = ["tests.doubles.fixtures"]


def printed(book: Notebook, *args: str) -> list[str]:
    """The lines of a log."""
    done = book.clone.rvexp("logs", *args)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def retried(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> str:
    """A job whose first attempt lost its machine and whose second runs; the job."""
    job = submit(batch, retryStrategy={"attempts": 3, "evaluateOnExit": SPOT_RULES})
    book.submitted(snapshot, job)
    double.advance(job, "RUNNING")
    double.log(job, "of the first")
    double.spot_kill(job)
    double.advance(job, "RUNNING")
    double.log(job, "of the second")
    return job


def test_one_attempt_of_several(book: Notebook, retried: str, double: BatchDouble) -> None:
    """While the last one runs and after its end; an attempt that never was is an error that counts them."""
    for _ in range(2):
        assert printed(book, "first") == ["of the first", "of the second"]
        assert printed(book, "first", "--attempt", "1") == ["of the first"]
        assert printed(book, "first", "--attempt", "2") == ["of the second"]
        if not double.jobs[retried].done:
            double.advance(retried, "SUCCEEDED", exit_code=0)
    done = book.clone.rvexp("logs", "first", "--attempt", "3")
    assert done.returncode == 1
    assert "has had 2 attempts, not 3" in done.stderr


def test_the_next_attempt_has_not_printed_what_the_last_one_did(
    book: Notebook, retried: str, double: BatchDouble
) -> None:
    """Between two attempts the job still shows the last one's stream."""
    double.spot_kill(retried)
    assert printed(book, "first", "--attempt", "3") == []
    assert printed(book, "first", "--attempt", "2") == ["of the second"]


def test_only_what_came_since(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any, clock: Clock
) -> None:
    """By date and time; what is neither a date nor a span is a usage error."""
    job = submit(batch)
    book.submitted(snapshot, job)
    double.advance(job, "RUNNING")
    double.log(job, "early")
    clock.now += 3_600_000
    double.log(job, "late")
    middle = dt.datetime.fromtimestamp((NOW + 1_800_000) / 1000, dt.UTC)
    assert printed(book, "first", "--since", middle.isoformat()) == ["late"]
    assert printed(book, "first", "--since", "9999d") == ["early", "late"]
    assert book.clone.rvexp("logs", "first", "--since", "yesteryear").returncode == 2


def test_one_child_of_an_array(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """RUN:N; RUN alone is all of them."""
    job = submit(batch, arrayProperties={"size": 2})
    plan = book.submitted(snapshot, job, array=2)
    double.advance(job, "RUNNING")
    for child in double.jobs[job].children:
        double.log(child.job_id, f"child {child.job_id.rpartition(':')[2]}")
    assert printed(book, f"{plan.run}:1") == ["child 1"]
    assert printed(book, str(plan.run)) == ["[0] child 0", "[1] child 1"]
    beyond = book.clone.rvexp("logs", f"{plan.run}:2")
    assert (beyond.returncode, "an array of 2 jobs, 0 to 1" in beyond.stderr) == (2, True)
    saved = book.clone.rvexp("logs", f"{plan.run}:1", "--save")
    assert saved.returncode == 0, saved.stderr
    (kept,) = (e for e in book.ledger.record(snapshot.oid).of("log"))
    assert kept.get("child") == 1


def test_a_child_of_what_is_no_array(book: Notebook, snapshot: Snapshot, batch: Any) -> None:
    """Said before anybody is asked, with the command that does it."""
    run = book.submitted(snapshot, submit(batch)).run
    done = book.clone.rvexp("logs", "@:0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: run {run} is no array, so it has no job 0\nhint: git rvexp logs {run}\n"


def test_a_kept_log_can_be_proven(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """The record holds checksum and size of exactly the file that --save names, and the remote has that line."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.advance(job, "RUNNING")
    double.log(job, "one", "zwei: ä")
    double.run_to_end(job)
    path = book.clone.rvexp("logs", "first", "--save").stdout.strip()
    content = (book.clone.path / path).read_bytes()
    assert content == "one\nzwei: ä\n".encode()
    (kept,) = (e.fields for e in book.ledger.record(snapshot.oid).of("log"))
    sha256 = hashlib.sha256(content).hexdigest()
    assert kept == {"run": str(plan.run), "sha256": sha256, "bytes": len(content), "lines": 2}


def test_only_a_whole_log_is_kept(book: Notebook, retried: str) -> None:
    """--save refuses parts, and asks nobody."""
    for part in (["--attempt", "1"], ["--since", "1h"]):
        done = book.clone.rvexp("logs", "first", "--save", *part)
        assert (done.returncode, done.stdout) == (2, "")


def test_a_kept_log_is_whole_and_says_so_when_a_part_was_wanted(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """It knows no times: nothing is left out silently."""
    job = submit(batch)
    book.submitted(snapshot, job)
    double.advance(job, "RUNNING")
    double.log(job, "one")
    double.run_to_end(job)
    book.clone.rvexp("logs", "first", "--save")
    double.forget(job)
    done = book.clone.rvexp("logs", "first", "--since", "1s")
    assert done.stdout == "one\n"
    assert "neither times nor attempts" in done.stderr


def test_a_log_can_be_kept_by_several_at_once(book: Notebook, snapshot: Snapshot) -> None:
    """One that begins and ends while another is at it takes nothing from it; nothing else is left."""
    found = book.found(book.ended(snapshot).run)

    def slow() -> Iterator[str]:
        yield "one"
        copies.written(book.context, found.run, "", ["one", "two"])
        yield "two"

    kept = copies.written(book.context, found.run, "", slow())
    assert kept.path.read_text() == "one\ntwo\n"
    assert list(kept.path.parent.iterdir()) == [kept.path]
