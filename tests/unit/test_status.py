"""`git rvexp status`, `wait`, `logs` and `cancel` as a person calls them, on a strict Batch."""

import datetime as dt
import json
import time
from typing import Any

import pytest

from git_rvexp.model import Snapshot
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import SPOT_RULES, submit
from tests.notebook import Notebook

pytest_plugins = ["tests.doubles.fixtures"]


def row(book: Notebook, *args: str) -> list[str]:
    """The one line that status prints."""
    done = book.clone.rvexp("status", *args)
    (line,) = done.stdout.splitlines()
    return line.split("\t")


def test_without_refresh_nothing_is_asked(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """The record alone: the job has ended, and nobody has looked."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.run_to_end(job)
    assert row(book) == [str(plan.run), snapshot.tag, "batch", "submitted", "-"]
    assert double.called("DescribeJobs") == []
    assert book.clone.rvexp("status").stderr.startswith("as last recorded; git rvexp status -r asks")
    assert "git rvexp status -r first asks" in book.clone.rvexp("status", "first").stderr
    for asked in (("-r",), ()):  # nothing is left to ask about
        assert "as last recorded" not in book.clone.rvexp("status", *asked).stderr


def test_refresh_tells_what_batch_says_and_keeps_ends(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """A stuck job has its reason in words; an ended one is in the record after."""
    stuck, done = submit(batch, "stuck"), submit(batch, "done")
    double.advance(stuck, "RUNNABLE", reason="MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too large")
    waiting = book.submitted(snapshot, stuck)
    over = book.submitted(snapshot, done)
    double.run_to_end(done, exit_code=7)
    told = {r["run"]: r for r in json.loads(book.clone.rvexp("status", "--refresh", "--json").stdout)["runs"]}
    assert "no instance type of the queue is large enough" in told[str(waiting.run)]["reason"]
    assert (told[str(over.run)]["state"], told[str(over.run)]["exit"]) == ("failed", 7)
    assert row(book, str(over.run))[3] == "failed"


def test_a_waiting_job_has_its_place_in_the_queue(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """Where Batch tells who stands first; a service that does not is asked once and the rest is told."""
    plans = []
    for name in ("ahead", "behind"):
        job = submit(batch, name)
        double.advance(job, "RUNNABLE")
        plans.append(book.submitted(snapshot, job))
    assert row(book, str(plans[1].run), "-r")[4] == "waits in the queue for a machine, number 2 in line"
    double.fail_next("GetJobQueueSnapshot", "access_denied", count=9)
    asked = len(double.called("GetJobQueueSnapshot"))
    done = book.clone.rvexp("status", "--refresh")
    assert [line.split("\t")[4] for line in done.stdout.splitlines()] == ["waits in the queue for a machine"] * 2
    assert len(double.called("GetJobQueueSnapshot")) == asked + 1


def test_an_array_tells_which_child_failed(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """How many of how many, and the exit code of the failed one by its index; while it runs and from the record."""
    job = submit(batch, arrayProperties={"size": 4})
    plan = book.submitted(snapshot, job, array=4)
    children = [child.job_id for child in double.jobs[job].children]
    double.run_to_end(children[0])
    double.run_to_end(children[2], exit_code=5)
    double.advance(children[1], "RUNNING")
    double.advance(children[3], "RUNNING")
    assert row(book, "-r")[4].startswith("1/4 ok, 2 running, 1 failed (index 2: exit 5)")
    double.run_to_end(children[1])
    double.run_to_end(children[3])
    told = "3/4 ok, 1 failed (index 2: exit 5)"
    assert row(book, "-r")[4].startswith(told)
    double.forget(job)
    assert row(book, str(plan.run))[3] == "failed"
    assert row(book, str(plan.run))[4].startswith(told)
    assert told in book.clone.rvexp("show", str(plan.run)).stdout


def test_steps_of_a_chain_are_drawn(book: Notebook, snapshot: Snapshot) -> None:
    """Each run says which step it is; the picture is part of the story, and JSON has both names."""
    first = book.ended(snapshot, extra={"chain": "c1aaaaaaaa", "step": "chip", "nth": 0})
    book.submitted(snapshot, extra={"chain": "c1aaaaaaaa", "step": "train", "nth": 1}, after=(str(first.run),))
    done = book.clone.rvexp("status")
    assert [line.split("\t")[4] for line in done.stdout.splitlines()] == [
        "step chip, exit 0, took 1 min 30 s",
        "step train",
    ]
    story = done.stderr.splitlines()
    assert story[0] == "chain c1aaaaaaaa"
    assert story[1].startswith("  chip ")
    assert story[2].startswith("  └─ train")
    assert {r["step"] for r in json.loads(book.clone.rvexp("status", "--json").stdout)["runs"]} == {"chip", "train"}


def test_a_spot_kill_and_a_retry_are_shown(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """An attempt without an exit code is told as one; a job that only lost machines has failed and says why."""
    retry = {"attempts": 2, "evaluateOnExit": SPOT_RULES}
    saved, lost = (submit(batch, name, retryStrategy=retry) for name in ("saved", "lost"))
    plans = [book.submitted(snapshot, job) for job in (saved, lost)]
    double.spot_kill(saved)
    double.run_to_end(saved)
    double.spot_kill(lost)
    double.spot_kill(lost)
    book.clone.rvexp("status", "--refresh")
    assert row(book, str(plans[0].run))[3:] == ["ok", "exit 0, took 0 s, 2 attempts"]
    state, note = row(book, str(plans[1].run))[3:]
    assert state == "failed"
    assert "2 attempts, its machine was taken away" in note
    assert book.clone.rvexp("show", str(plans[1].run)).stdout.count("no exit code, Host EC2") == 2


def test_a_forgotten_job_is_unknown_for_good(book: Notebook, snapshot: Snapshot, double: BatchDouble) -> None:
    """Old enough to have been forgotten: said once, recorded, never asked for again, and waiting for it ends."""
    book.now -= dt.timedelta(days=9)
    plan = book.submitted(snapshot, "gone")
    book.now += dt.timedelta(days=9)
    assert row(book, "first", "-r")[3:] == ["unknown", "the executor no longer knows the job"]
    asked = len(double.called("DescribeJobs"))
    assert row(book, "first", "-r")[3] == "unknown"
    assert book.clone.rvexp("wait", str(plan.run)).returncode == 1
    assert len(double.called("DescribeJobs")) == asked


def test_the_exit_status_says_pending_failed_or_fine(book: Notebook, snapshot: Snapshot) -> None:
    """8 while anything is pending, else 1 when anything failed, else 0; without the flag always 0."""
    book.ended(snapshot)
    assert book.clone.rvexp("status", "--exit-status").returncode == 0
    book.ended(snapshot, 3)
    assert book.clone.rvexp("status", "--exit-status").returncode == 1
    book.submitted(snapshot)
    assert book.clone.rvexp("status", "--exit-status").returncode == 8
    assert book.clone.rvexp("status").returncode == 0


def test_old_runs_without_an_end_are_warned_of(book: Notebook, snapshot: Snapshot) -> None:
    """Executors forget: a count, the oldest age, and the command that asks."""
    book.now -= dt.timedelta(days=5, minutes=1)
    book.submitted(snapshot)
    book.now += dt.timedelta(days=2)
    book.submitted(snapshot)
    err = book.clone.rvexp("status").stderr
    assert "2 runs have no recorded end, the oldest was submitted 5 d ago" in err
    assert "git rvexp status -r asks" in err


def test_runs_that_ended_long_ago_are_left_out_unless_named(book: Notebook, snapshot: Snapshot) -> None:
    """Without a name only what is open or recent; by name all of it."""
    book.now -= dt.timedelta(days=3)
    book.ended(snapshot)
    assert book.clone.rvexp("status").stdout == ""
    assert row(book, "first")[3:] == ["ok", "exit 0, took 1 min 30 s"]


def test_denied_is_said_and_is_no_end(book: Notebook, snapshot: Snapshot, double: BatchDouble) -> None:
    """The run stays pending, and the reason that it cannot be told is shown."""
    book.submitted(snapshot, "job")
    double.fail_next("DescribeJobs", "access_denied", count=9)
    done = book.clone.rvexp("status", "--refresh", "--exit-status")
    assert done.returncode == 8
    assert "cannot tell" in done.stdout
    assert "denies it to these credentials" in done.stderr


@pytest.mark.parametrize(("code", "wanted"), [(0, 0), (3, 1)])
def test_wait_returns_when_the_job_is_over(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any, code: int, wanted: int
) -> None:
    """Exit 0 for a success and 1 for a failure; by nickname or by run id."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.run_to_end(job, exit_code=code)
    for name in ("first", str(plan.run)):
        done = book.clone.rvexp("wait", name)
        assert (done.returncode, done.stdout.split("\t")[0].strip()) == (wanted, str(plan.run))


@pytest.mark.parametrize(("code", "word"), [(0, "ok"), (3, "failed"), (None, "cancelled")])
def test_every_verb_calls_an_end_by_the_same_word(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any, code: int | None, word: str
) -> None:
    """Whether the executor is asked, or the record read that keeps the executor's own word."""
    plan = book.plan(snapshot)
    run, job = str(plan.run), submit(batch, plan.job_name)
    book.tell(snapshot, "submitted", run=run, job=job)
    if code is None:
        assert book.clone.rvexp("cancel", run).stdout.split("\t")[:2] == [run, word]
    else:
        double.run_to_end(job, exit_code=code)
    assert book.clone.rvexp("wait", run).stdout.split()[:2] == [run, word]
    assert row(book, run)[3] == word
    assert book.clone.rvexp("list").stdout.split("\t")[3] == f"1 {word}"
    shown = book.clone.rvexp("show", run).stdout
    assert f"run {run}  {word}\n" in shown
    assert f"Z {word}" in shown
    assert f"over ({word})" in book.clone.rvexp("logs", run).stderr
    assert all(text not in shown for text in ("SUCCEEDED", "FAILED", "succeeded"))


def test_wait_counts_runs_that_had_ended_before(book: Notebook, snapshot: Snapshot, batch: Any) -> None:
    """Whoever calls it a second late learns the same: every run is told, and one that failed makes the code 1."""
    failed = book.ended(snapshot, 3)
    book.now += dt.timedelta(seconds=1)
    fine = book.ended(snapshot)
    for words in (("first",), ()):
        done = book.clone.rvexp("wait", *words, env={"RVEXP_INITIALS": "al"})
        assert done.stdout == f"{failed.run}\tfailed\texit 3\n{fine.run}\tok\texit 0\n"
        assert done.returncode == book.clone.rvexp("status", "first", "--exit-status").returncode == 1
    assert book.clone.rvexp("wait", str(fine.run)).returncode == 0


def test_wait_gives_up_when_told_to(book: Notebook, snapshot: Snapshot, batch: Any) -> None:
    """Exit 8, and the way back."""
    plan = book.submitted(snapshot, submit(batch))
    done = book.clone.rvexp("wait", "first", "--timeout", "1s")
    assert done.returncode == 8
    assert f"git rvexp wait {plan.run}" in done.stderr


def test_wait_gives_up_on_a_running_job_in_whole_words(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """A job that runs has no reason to be told."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.advance(job, "RUNNING")
    done = book.clone.rvexp("wait", "first", "--timeout", "1s")
    assert f"run {plan.run} has not ended yet (running)\n" in done.stderr


def test_wait_names_all_that_have_not_ended(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """What has ended is told at once, and of the others where they stand when the time is up."""
    jobs = [submit(batch, name) for name in ("slow", "queued", "quick")]
    slow, queued, quick = [book.submitted(snapshot, job) for job in jobs]
    double.advance(jobs[0], "RUNNING")
    double.run_to_end(jobs[2], exit_code=3)
    done = book.clone.rvexp("wait", "first", "--timeout", "1s")
    assert (done.returncode, done.stdout.split("\t")[:2]) == (8, [str(quick.run), "failed"])
    assert "2 runs have not ended yet\n" in done.stderr
    for told in (f"run {slow.run}: running\n", f"run {queued.run}: submitted: handed over"):
        assert f"  {told}" in done.stderr


def test_list_and_status_tell_one_duration(book: Notebook, snapshot: Snapshot) -> None:
    """The recorded one: the times beside it are cut to milliseconds."""
    plan = book.submitted(snapshot)
    times = {"started": "2026-11-22T07:10:00.001Z", "stopped": "2026-11-22T07:10:06.264Z"}
    book.tell(snapshot, "ended", run=str(plan.run), state="SUCCEEDED", exit=0, seconds=6.262, **times)
    (row,) = json.loads(book.clone.rvexp("list", "--json").stdout)["snapshots"]
    (run,) = json.loads(book.clone.rvexp("status", "--json", "first").stdout)["runs"]
    assert [told["seconds"] for told in (*row["runs"], run)] == [6.262, 6.262]


def test_verify_says_that_a_refused_run_never_began(book: Notebook, snapshot: Snapshot) -> None:
    """It does not call it one that goes on."""
    for plan, word in ((book.plan(snapshot), "never began"), (book.submitted(snapshot), "has not ended")):
        if word == "never began":
            book.tell(snapshot, "refused", run=str(plan.run), why="no such queue")
        told = book.clone.rvexp("verify", str(plan.run)).stdout.splitlines()
        assert told[-1] == f"nothing to repeat: the run {word}"


def test_logs_come_back_line_by_line(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """All of it to a pipe, filtered with --grep, and inert on a terminal."""
    job = submit(batch)
    book.submitted(snapshot, job)
    double.advance(job, "RUNNING")
    double.log(job, "epoch 1", "\x1b[31mred", "epoch 2")
    assert book.clone.rvexp("logs", "first").stdout == "epoch 1\n\x1b[31mred\nepoch 2\n"
    assert book.clone.rvexp("logs", "--grep", "2$").stdout == "epoch 2\n"
    nothing = book.clone.rvexp("logs", "--grep", "epoch none")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "none of 3 lines matches\n")
    assert "\x1b[31m" not in book.clone.rvexp("logs", "first", env={"GIT_PAGER_IN_USE": "1", "NO_COLOR": "1"}).stdout


def test_logs_of_a_job_that_never_ran_say_why(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """No stream will ever exist: the reason is told, and it is no error."""
    job = submit(batch)
    book.submitted(snapshot, job)
    double.advance(job, "FAILED", reason="CannotPullContainerError: no such image")
    done = book.clone.rvexp("logs", "first")
    assert (done.returncode, done.stdout) == (0, "")
    assert "the image could not be pulled" in done.stderr


def test_a_kept_log_outlives_batch(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """--save keeps it with a checksum; when Batch has forgotten the job it is read from here, unless it was changed."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.advance(job, "RUNNING")
    double.log(job, "one", "two")
    double.run_to_end(job)
    saved = book.clone.rvexp("logs", "first", "--save")
    assert saved.returncode == 0, saved.stderr
    double.forget(job)
    assert book.clone.rvexp("logs", str(plan.run)).stdout == "one\ntwo\n"
    (book.clone.path / ".git" / "rvexp" / "logs" / f"{plan.run}.log").write_text("forged\n")
    forged = book.clone.rvexp("logs", str(plan.run))
    assert (forged.returncode, forged.stdout) == (1, "")


@pytest.mark.parametrize("verb", ["show", "cancel", "wait", "repeat"])
def test_a_job_of_an_array_is_for_logs_alone(book: Notebook, snapshot: Snapshot, verb: str) -> None:
    """Others say so, and what to name instead."""
    run = book.submitted(snapshot, "job", array=4).run
    done = book.clone.rvexp(verb, f"{run}:2")
    assert done.returncode == 2
    assert "names one job of an array" in done.stderr
    assert f"hint: git rvexp logs {run}:2; or {run} alone\n" in done.stderr


def test_cancel_stops_the_job_and_records_why(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """TerminateJob with the reason; the double stops it, and the record says cancelled."""
    plan = book.plan(snapshot)
    book.tell(snapshot, "submitted", run=str(plan.run), job=submit(batch, plan.job_name))
    done = book.clone.rvexp("cancel", str(plan.run), "--reason", "wrong data")
    assert done.returncode == 0, done.stderr
    assert [call["reason"] for call in double.called("TerminateJob")] == ["wrong data"]
    assert row(book, "first")[3] == "cancelled"
    assert book.clone.rvexp("cancel", "first").returncode == 1


def test_watch_prints_until_all_has_ended(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """With everything over it prints once and stops."""
    job = submit(batch)
    book.submitted(snapshot, job)
    double.run_to_end(job)
    begin = time.monotonic()
    done = book.clone.rvexp("status", "--watch", "--json")
    assert [r["state"] for r in json.loads(done.stdout)["runs"]] == ["ok"]
    assert time.monotonic() - begin < 60
