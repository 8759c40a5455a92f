"""Asking executors about runs and keeping what they say, against a strict Batch with faults."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from git_rvexp.errors import AmbiguousError, CredentialsError, PendingError, RvexpError
from git_rvexp.executors.protocol import Executor
from git_rvexp.model import JobState, Phase, Plan, Snapshot
from git_rvexp.record.events import Event
from git_rvexp.record.runs import runs
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import Patience, until_over, wait_for
from git_rvexp.workflow.following.harvest import Look, refresh
from git_rvexp.workflow.following.stopping import stop
from git_rvexp.workflow.following.together import ends
from tests.conftest import Clone
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import CONTAINER, SPOT_RULES, register, submit
from tests.doubles.scripted import Answer, Scripted
from tests.notebook import ACCOUNT, Notebook, shared_notebook

pytest_plugins = ["tests.doubles.fixtures"]


@pytest.fixture
def book(clone: Clone, double: BatchDouble, aws_credentials: None) -> Notebook:
    """A clone with an experiments remote and a Batch."""
    return shared_notebook(clone, double.url)


def look_at(book: Notebook, *plans: Plan) -> Look:
    """What a refresh of these runs shows."""
    return refresh(book.context, [book.found(p.run) for p in plans], Executors(book.context))


def events(book: Notebook, snapshot: Snapshot, kind: str) -> list[Mapping[str, Any]]:
    """The fields of the events of one kind."""
    return [e.fields for e in book.ledger.record(snapshot.oid).of(kind)]


def test_an_ended_job_is_kept_with_its_attempts_and_shared(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """Outcome, times, image, log stream and every attempt, the spot-killed one without an exit code."""
    job = submit(batch, retryStrategy={"attempts": 3, "evaluateOnExit": SPOT_RULES})
    plan = book.submitted(snapshot, job)
    double.spot_kill(job)
    double.advance(job, "FAILED", exit_code=3)
    look = look_at(book, plan)
    assert look.ended == [str(plan.run)]
    (told,) = events(book, snapshot, "ended")
    assert (told["state"], told["exit"], told["job"]) == ("FAILED", 3, job)
    assert told["log_stream"] == double.jobs[job].attempts[-1].log_stream
    assert [a.get("exit") for a in told["attempts"]] == [None, 3]
    assert told["attempts"][0]["status_reason"].startswith("Host EC2")
    assert told["started"] <= told["stopped"]
    remote = book.clone.path.parent / "experiments.git"
    assert f'"{plan.run}" state="FAILED"' in book.clone.git(
        "--git-dir", str(remote), "notes", "--ref", "rvexp", "show", snapshot.oid
    )


def test_looking_twice_writes_once(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """A second look has nothing to ask, and one with an old reading writes nothing new."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.run_to_end(job)
    before = [book.found(plan.run)]
    look_at(book, plan)
    refresh(book.context, before, Executors(book.context))
    assert len(events(book, snapshot, "ended")) == 1
    asked = len(double.called("DescribeJobs"))
    look_at(book, plan)
    assert len(double.called("DescribeJobs")) == asked


def test_two_clones_that_harvest_the_same_run_write_the_same_line(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """The line comes from the executor's facts, whenever somebody looks: a union of both has it once."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.run_to_end(job)
    before = book.clone.git("rev-parse", "refs/notes/rvexp")
    look_at(book, plan)
    first = book.clone.git("notes", "--ref", "rvexp", "show", snapshot.oid)
    book.clone.git("update-ref", "refs/notes/rvexp", before)
    book.now += dt.timedelta(hours=3)
    look_at(book, plan)
    assert book.clone.git("notes", "--ref", "rvexp", "show", snapshot.oid) == first


def thousand(book: Notebook, snapshot: Snapshot, last: str) -> list[Found]:
    """A thousand submitted runs; the last one's job is `last`, the others' are not known to anybody."""
    fields = book.plan(snapshot).fields()
    lines = []
    for number in range(1000):
        run = f"{number:010d}"
        when = f"2026-11-02T12:00:{number % 60:02d}.{number // 60:03d}Z"
        lines.append(Event(when, "planned", {**fields, "run": run}))
        lines.append(Event(when, "submitted", {"run": run, "job": last if number == 999 else f"job-{number}"}))
    book.ledger.append(snapshot.oid, *lines)
    told = sorted(runs(book.ledger.record(snapshot.oid)), key=lambda r: r.run)
    return [Found(snapshot, r) for r in told if r.job]


def test_a_thousand_jobs_take_ten_questions(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """One hundred ids a call, and no call per job."""
    found = thousand(book, snapshot, submit(batch))
    look = refresh(book.context, found, Executors(book.context))
    assert len(double.called("DescribeJobs")) == 10
    assert list(look.states) == ["0000000999"]


def test_throttling_leaves_some_untold_and_the_rest_told(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """A hundred that could not be asked about are named so; the others are looked at, and ends are kept."""
    job = submit(batch)
    double.run_to_end(job)
    found = thousand(book, snapshot, job)
    double.fail_next("DescribeJobs", "429_before")
    look = refresh(book.context, found, Executors(book.context))
    assert sorted(look.untold) == [f"{n:010d}" for n in range(100)]
    assert "slow down" in str(look.untold["0000000000"])
    assert look.ended == ["0000000999"]


def test_an_executor_that_only_throttles_is_left_alone(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """After two refusals in a row nothing more is asked, and nothing is written."""
    found = thousand(book, snapshot, submit(batch))
    book.now += dt.timedelta(days=30)
    double.fail_next("DescribeJobs", "429_before", count=50)
    look = refresh(book.context, found, Executors(book.context))
    assert len(look.untold) == 1000
    assert len(double.called("DescribeJobs")) == 2
    assert look.expired == []


@pytest.mark.parametrize("kind", ["access_denied", "expired_token"])
def test_an_executor_that_denies_is_no_news_about_the_job(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, kind: str
) -> None:
    """Denied means "cannot tell", even when the job is old enough to be forgotten."""
    plan = book.submitted(snapshot, "gone")
    book.now += dt.timedelta(days=30)
    double.fail_next("DescribeJobs", kind, count=50)
    look = look_at(book, plan)
    assert str(plan.run) in look.untold
    assert book.found(plan.run).run.phase is Phase.SUBMITTED


def test_a_job_that_batch_forgot_is_unknown_and_never_asked_for_again(
    book: Notebook, snapshot: Snapshot, double: BatchDouble
) -> None:
    """Within a day it may only be late to show; after that it is unknown for good."""
    plan = book.submitted(snapshot, "gone")
    look_at(book, plan)
    assert book.found(plan.run).run.phase is Phase.SUBMITTED
    book.now += dt.timedelta(hours=25)
    look = look_at(book, plan)
    assert look.expired == [str(plan.run)]
    assert book.found(plan.run).run.phase is Phase.UNKNOWN
    asked = len(double.called("DescribeJobs"))
    look_at(book, plan)
    assert len(double.called("DescribeJobs")) == asked


def test_a_run_of_another_account_is_not_asked_about_here(
    book: Notebook, snapshot: Snapshot, double: BatchDouble
) -> None:
    """That this account does not know the job would prove nothing."""
    plan = book.submitted(snapshot, "elsewhere", account="999999999999")
    book.now += dt.timedelta(days=30)
    look = look_at(book, plan)
    assert "999999999999" in str(look.untold[str(plan.run)])
    assert double.called("DescribeJobs") == []
    assert book.found(plan.run).run.phase is Phase.SUBMITTED


def test_a_push_that_fails_is_told_and_the_record_kept(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """The outcome stands in this clone though the remote is gone."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.run_to_end(job)
    (book.clone.path.parent / "experiments.git").rename(book.clone.path.parent / "moved.git")
    look_at(book, plan)
    assert book.found(plan.run).run.phase is Phase.SUCCEEDED
    assert any("push is pending" in line for line in book.warned)


def test_an_executor_that_could_not_be_opened_is_tried_again_by_the_next_look(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """Once in each look, however many runs there are: somebody has logged in meanwhile."""
    jobs = [submit(batch, "one"), submit(batch, "two")]
    plans = [book.submitted(snapshot, job) for job in jobs]
    for job in jobs:
        double.run_to_end(job)
    executors = Executors(book.context)
    found = [book.found(plan.run) for plan in plans]
    double.fail_next("GetCallerIdentity", "expired_token")
    assert len(refresh(book.context, found, executors).untold) == 2
    assert len(double.called("GetCallerIdentity")) == 1
    assert len(refresh(book.context, found, executors).ended) == 2


def asking(book: Notebook, executor: Executor) -> Executors:
    """Executors of which there is one."""
    return Executors(book.context, lambda *_: executor)


def state(phase: Phase, **fields: Any) -> JobState:
    """A state of the job `j`."""
    return JobState("j", phase, **fields)


def test_waiting_ends_with_the_job_and_keeps_its_end(book: Notebook, snapshot: Snapshot) -> None:
    """Pauses grow to a limit, changes are told once, the outcome is recorded."""
    plan = book.submitted(snapshot, "j")
    blocked = state(Phase.SUBMITTED, reason="CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", details={"status": "RUNNABLE"})
    script = [*[blocked] * 12, *[state(Phase.RUNNING)] * 3, state(Phase.FAILED, exit_code=2, reason="boom")]
    end = until_over(book.context, book.found(plan.run), asking(book, Scripted(*script)), book.ledger.sleep)
    assert (end.phase, end.exit_code) == (Phase.FAILED, 2)
    assert book.slept == sorted(book.slept)
    assert max(book.slept) == 30
    assert [line for line in book.said if "no free capacity" in line] == [book.said[0]]
    assert book.found(plan.run).run.phase is Phase.FAILED


def test_waiting_has_an_end_when_the_job_has_none(book: Notebook, snapshot: Snapshot) -> None:
    """A job stuck in the queue: the time is up, the reason is said, nothing is cancelled or recorded."""
    plan = book.submitted(snapshot, "j")
    executor = Scripted(state(Phase.SUBMITTED, details={"status": "RUNNABLE"}))
    with pytest.raises(PendingError, match="waits in the queue"):
        next(ends(book.context, [book.found(plan.run)], asking(book, executor), Patience(book.ledger.sleep, 600)))
    assert sum(book.slept) == pytest.approx(600)
    assert executor.stopped == []


@pytest.mark.parametrize(("age", "words"), [(0, "does not show"), (48, "no longer knows")])
def test_waiting_for_a_job_nobody_shows_ends(book: Notebook, snapshot: Snapshot, age: int, words: str) -> None:
    """An unknown job is not waited for for ever, not even without a timeout."""
    plan = book.submitted(snapshot, "j")
    book.now += dt.timedelta(hours=age)
    with pytest.raises(PendingError, match=words):
        until_over(book.context, book.found(plan.run), asking(book, Scripted(None)), book.ledger.sleep)
    assert sum(book.slept) < 700


def test_waiting_bears_with_trouble_but_not_for_ever(book: Notebook, snapshot: Snapshot) -> None:
    """Some failed looks are borne; an executor that never answers is an error."""
    plan = book.submitted(snapshot, "j")
    down = RvexpError("no answer from AWS")
    script: list[Answer] = [down, down, down, state(Phase.SUCCEEDED, exit_code=0)]
    found = book.found(plan.run)
    assert until_over(book.context, found, asking(book, Scripted(*script)), book.ledger.sleep).exit_code == 0
    other = book.submitted(snapshot, "j")
    with pytest.raises(RvexpError, match="no answer"):
        until_over(book.context, book.found(other.run), asking(book, Scripted(down)), book.ledger.sleep)


def test_runs_without_a_job_are_not_waited_for(book: Notebook, snapshot: Snapshot) -> None:
    """An open plan points to sync; a refused one has no job at all."""
    open_one, refused = book.plan(snapshot), book.plan(snapshot)
    book.tell(snapshot, "refused", run=str(refused.run), why="no such queue")
    with pytest.raises(AmbiguousError):
        until_over(book.context, book.found(open_one.run), asking(book, Scripted(None)), book.ledger.sleep)
    end = until_over(book.context, book.found(refused.run), asking(book, Scripted(None)), book.ledger.sleep)
    assert (end.phase, end.reason) == (Phase.REFUSED, "no such queue")


def test_runs_are_waited_for_together(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any) -> None:
    """Each look asks about all that are left, and all have one time limit."""
    jobs = [submit(batch, name) for name in ("one", "two", "three")]
    plans = [book.submitted(snapshot, job) for job in jobs]
    double.run_to_end(jobs[1], exit_code=3)
    found = [book.found(p.run) for p in plans]
    ended = ends(book.context, found, Executors(book.context), Patience(book.ledger.sleep, 600))
    run, end = next(ended)
    assert (run.run, end.exit_code) == (str(plans[1].run), 3)
    with pytest.raises(PendingError, match="2 runs have not ended yet"):
        next(ended)
    assert sum(book.slept) == pytest.approx(600)
    first, *later = [call["jobs"] for call in double.called("DescribeJobs")]
    assert (first, later) == (jobs, [[jobs[0], jobs[2]]] * len(later))


def test_what_cannot_be_waited_for_is_told_when_the_others_have_ended(book: Notebook, snapshot: Snapshot) -> None:
    """A run that nobody knows the job of, and one at another place: neither keeps the others' ends from being told."""
    open_one, elsewhere = book.plan(snapshot), book.submitted(snapshot, "elsewhere", account="999999999999")
    plan = book.submitted(snapshot, "j")
    executor = Scripted(state(Phase.RUNNING), state(Phase.SUCCEEDED, exit_code=0))
    executor.place = {"account": ACCOUNT}
    found = [book.found(p.run) for p in (open_one, elsewhere, plan)]
    ended = ends(book.context, found, asking(book, executor), Patience(book.ledger.sleep))
    assert next(ended)[0].run == str(plan.run)
    with pytest.raises(AmbiguousError, match="no job is known"):
        next(ended)


def test_waiting_together_bears_with_trouble_but_not_for_ever(book: Notebook, snapshot: Snapshot) -> None:
    """As for one run; credentials that are refused end it at once."""
    plan = book.submitted(snapshot, "j")
    down = RvexpError("no answer from AWS")

    def waited(*script: Answer) -> list[int | None]:
        executors, patience = asking(book, Scripted(*script)), Patience(book.ledger.sleep)
        return [end.exit_code for _, end in ends(book.context, [book.found(plan.run)], executors, patience)]

    with pytest.raises(PendingError, match="no answer"):
        waited(down)
    with pytest.raises(PendingError, match="does not show job j"):
        waited(None)
    slept = len(book.slept)
    with pytest.raises(CredentialsError):
        waited(CredentialsError("expired"))
    assert len(book.slept) == slept
    assert waited(down, down, down, state(Phase.SUCCEEDED, exit_code=0)) == [0]


def test_cancel_stops_every_job_of_the_run_and_says_who(book: Notebook, snapshot: Snapshot) -> None:
    """The duplicate too; the end is looked at, and the run counts as cancelled."""
    plan = book.submitted(snapshot, "j")
    book.tell(snapshot, "duplicate", run=str(plan.run), job="twin", of="j")
    running, killed = state(Phase.RUNNING), state(Phase.FAILED, exit_code=143, reason="enough")
    executor = Scripted(running, running, killed)
    patience = Patience(book.ledger.sleep, 120)
    ((_, end),) = stop(book.context, [book.found(plan.run)], asking(book, executor), "enough", "Ada <a@b>", patience)
    assert end.exit_code == 143
    assert executor.stopped == [("j", "enough"), ("twin", "enough")]
    assert events(book, snapshot, "cancelled") == [{"run": str(plan.run), "reason": "enough", "by": "Ada <a@b>"}]
    assert book.found(plan.run).run.word == "cancelled"


def test_cancel_of_an_ended_job_stops_nothing(book: Notebook, snapshot: Snapshot) -> None:
    """It had ended before anybody looked: that is recorded, and nobody cancelled it."""
    plan = book.submitted(snapshot, "j")
    executor = Scripted(state(Phase.SUCCEEDED, exit_code=0))
    stop(book.context, [book.found(plan.run)], asking(book, executor), "x", "y", Patience(book.ledger.sleep, 120))
    assert executor.stopped == []
    assert book.found(plan.run).run.word == "ok"


def test_wait_with_logs_tells_the_output_and_returns_the_end(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """What `submit --wait` does: lines go to the story, the state comes back."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.advance(job, "RUNNING")
    double.log(job, "epoch 1", "epoch 2")
    double.run_to_end(job)
    end = wait_for(book.context, book.found(plan.run), sleep=book.ledger.sleep, say_logs=True)
    assert end.phase is Phase.SUCCEEDED
    assert [line for line in book.said if line.startswith("epoch")] == ["epoch 1", "epoch 2"]
    assert not [line for line in book.said if "the log goes on" in line]


def test_a_log_that_goes_on_after_the_end_is_left_to_logs(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """A long log, or a slow service, keeps nobody from the end: the command that prints it is told."""
    job = submit(batch)
    plan = book.submitted(snapshot, job)
    double.advance(job, "RUNNING")
    double.log(job, "epoch 1")
    double.run_to_end(job)
    double.fail_next("GetLogEvents", "slow_after", delay=2)
    end = wait_for(book.context, book.found(plan.run), sleep=book.ledger.sleep, say_logs=True, log_tail=0.01)
    assert end.phase is Phase.SUCCEEDED
    assert book.said[-1] == f"the log goes on; git rvexp logs {plan.run} prints all of it"


def test_a_log_that_cannot_be_read_keeps_nobody_from_waiting(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """Where the logs go elsewhere that is told, and the run is followed to its end."""
    container = {**CONTAINER, "logConfiguration": {"logDriver": "splunk", "options": {}}}
    job = submit(batch, jobDefinition=register(batch, "splunk", containerProperties=container))
    plan = book.submitted(snapshot, job)
    double.run_to_end(job)
    end = wait_for(book.context, book.found(plan.run), sleep=book.ledger.sleep, say_logs=True)
    assert end.phase is Phase.SUCCEEDED
    assert any("go to splunk, not to CloudWatch" in line for line in book.warned)


def test_the_real_executor_reads_arrays_and_dead_starts(
    book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any
) -> None:
    """An array with a failed child is failed with its counts; a job that died before it ran has no stream."""
    array, dead = submit(batch, arrayProperties={"size": 3}), submit(batch, "dead")
    plans = [book.submitted(snapshot, array, array=3), book.submitted(snapshot, dead)]
    children = [child.job_id for child in double.jobs[array].children]
    double.run_to_end(children[0])
    double.run_to_end(children[1], exit_code=1)
    double.run_to_end(children[2])
    double.advance(dead, "FAILED", reason="CannotPullContainerError: not found")
    look_at(book, *plans)
    ends = {told["run"]: told for told in events(book, snapshot, "ended")}
    assert ends[str(plans[0].run)]["array"]["counts"] == {"SUCCEEDED": 2, "FAILED": 1}
    assert ends[str(plans[0].run)]["state"] == "FAILED"
    assert "CannotPull" in ends[str(plans[1].run)]["reason"]
    assert "log_stream" not in ends[str(plans[1].run)]
