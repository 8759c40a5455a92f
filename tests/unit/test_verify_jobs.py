"""Definitions and jobs, held against a strict Batch double: every mutation flips its line and no other."""

import datetime as dt
from typing import Any

import pytest

from git_rvexp.data import local
from git_rvexp.model import Plan, Snapshot
from git_rvexp.workflow.verifying.check import VerifiedRun, verify
from git_rvexp.workflow.verifying.link import Link, State
from tests.conftest import Clone
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import CONTAINER, IMAGE, register, submit
from tests.notebook import Notebook, shared_notebook

pytest_plugins = ["tests.doubles.fixtures"]

BODY: dict[str, Any] = {"type": "container", "containerProperties": CONTAINER, "tags": {"rvexp:tag": "t"}}


@pytest.fixture
def book(clone: Clone, double: BatchDouble, aws_credentials: None) -> Notebook:
    """A clone with an experiments remote and a Batch."""
    return shared_notebook(clone, double.url)


@pytest.fixture
def arn(book: Notebook, snapshot: Snapshot, batch: Any) -> str:
    """A definition in force, and recorded."""
    made: str = batch.register_job_definition(jobDefinitionName="al-roads", **BODY)["jobDefinitionArn"]
    book.tell(snapshot, "definition", arn=made, name="al-roads", image=IMAGE, body=BODY)
    return made


@pytest.fixture
def plan(book: Notebook, snapshot: Snapshot, double: BatchDouble, batch: Any, arn: str) -> Plan:
    """A run that has ended as recorded."""
    drafted = book.plan(snapshot, image=IMAGE, definition=arn)
    job = batch.submit_job(jobName=drafted.job_name, jobQueue="main", jobDefinition=arn)["jobId"]
    double.run_to_end(job)
    book.tell(snapshot, "submitted", run=str(drafted.run), job=job)
    book.tell(snapshot, "ended", run=str(drafted.run), state="SUCCEEDED", exit=0)
    return drafted


def look(book: Notebook, snapshot: Snapshot, plan: Plan) -> VerifiedRun:
    """What verify says of the run."""
    (seen,) = verify(book.context, [snapshot], only=str(plan.run))
    (run,) = seen.runs
    return run


def links(book: Notebook, snapshot: Snapshot, plan: Plan) -> dict[str, Link]:
    """Its own links by name."""
    return {link.name: link for link in look(book, snapshot, plan).links}


def odd(book: Notebook, snapshot: Snapshot, plan: Plan) -> dict[str, tuple[State, bool]]:
    """Those that are not as recorded, and whether a repeat needs them."""
    found = links(book, snapshot, plan).items()
    return {name: (link.state, link.needed) for name, link in found if link.state is not State.OK}


def test_everything_as_recorded(book: Notebook, snapshot: Snapshot, plan: Plan) -> None:
    """Plan, definition and job are as they were written down."""
    assert odd(book, snapshot, plan) == {}
    assert list(links(book, snapshot, plan)) == ["plan", "definition", "job"]


def test_deregistered_definition_fails_and_can_be_registered_again(
    book: Notebook, snapshot: Snapshot, plan: Plan, batch: Any, arn: str
) -> None:
    """Its body is recorded, so a repeat does not need it."""
    batch.deregister_job_definition(jobDefinition=arn)
    assert odd(book, snapshot, plan) == {"definition": (State.CHANGED, False)}
    assert "is INACTIVE" in links(book, snapshot, plan)["definition"].text


def test_definition_that_is_gone_fails(
    book: Notebook, snapshot: Snapshot, plan: Plan, double: BatchDouble, arn: str
) -> None:
    """After 180 days nothing of it is left."""
    del double.services.definitions.by_arn[arn]
    assert odd(book, snapshot, plan) == {"definition": (State.CHANGED, False)}
    assert "is gone" in links(book, snapshot, plan)["definition"].text


def test_definition_with_another_body_fails(
    book: Notebook, snapshot: Snapshot, plan: Plan, double: BatchDouble, arn: str
) -> None:
    """A revision never changes, so this is another than was recorded; the member is named."""
    double.services.definitions.by_arn[arn].body["containerProperties"]["command"] = ["other"]
    assert odd(book, snapshot, plan) == {"definition": (State.CHANGED, True)}
    assert "containerProperties.command" in links(book, snapshot, plan)["definition"].text


def test_newer_revision_by_somebody_else_is_a_hazard(
    book: Notebook, snapshot: Snapshot, plan: Plan, batch: Any
) -> None:
    """Runs name their revision, so nothing has changed."""
    register(batch, "al-roads")
    assert odd(book, snapshot, plan) == {}
    assert links(book, snapshot, plan)["definition"].hazard


def test_recorded_body_that_runs_another_image_fails(book: Notebook, snapshot: Snapshot, arn: str) -> None:
    """Plan and body contradict each other."""
    other = book.ended(snapshot, image=IMAGE.replace("experiments", "others"), definition=arn)
    assert odd(book, snapshot, other)["definition"] == (State.CHANGED, True)


def test_definition_without_a_body_cannot_be_told(book: Notebook, snapshot: Snapshot, batch: Any) -> None:
    """It may be there; what it was is not known."""
    arn = register(batch, "foreign")
    foreign = book.ended(snapshot, image=IMAGE, definition=arn)
    assert odd(book, snapshot, foreign)["definition"] == (State.UNKNOWN, False)
    batch.deregister_job_definition(jobDefinition=arn)
    assert odd(book, snapshot, foreign)["definition"] == (State.CHANGED, True)


def test_recorded_outcome_that_is_not_the_jobs_fails(
    book: Notebook, snapshot: Snapshot, batch: Any, double: BatchDouble, arn: str
) -> None:
    """State and exit code are those of the job."""
    drafted = book.plan(snapshot, image=IMAGE, definition=arn)
    job = batch.submit_job(jobName=drafted.job_name, jobQueue="main", jobDefinition=arn)["jobId"]
    double.advance(job, "FAILED", exit_code=3)
    book.tell(snapshot, "submitted", run=str(drafted.run), job=job)
    book.tell(snapshot, "ended", run=str(drafted.run), state="SUCCEEDED", exit=0)
    assert odd(book, snapshot, drafted) == {"job": (State.CHANGED, False)}
    assert "state was ok, is failed; exit was 0, is 3" in links(book, snapshot, drafted)["job"].text


def test_another_runs_job_fails(book: Notebook, snapshot: Snapshot, batch: Any, double: BatchDouble, arn: str) -> None:
    """The job's name and definition are the plan's."""
    job = submit(batch)
    double.run_to_end(job)
    drafted = book.plan(snapshot, image=IMAGE, definition=arn)
    book.tell(snapshot, "submitted", run=str(drafted.run), job=job)
    book.tell(snapshot, "ended", run=str(drafted.run), state="SUCCEEDED", exit=0)
    text = links(book, snapshot, drafted)["job"].text
    assert "name was" in text
    assert "definition was" in text


@pytest.mark.parametrize(("machine", "state"), [(local.machine(), State.CHANGED), ("elsewhere", State.UNKNOWN)])
def test_a_path_that_is_not_here_is_gone_only_where_it_was(
    book: Notebook, snapshot: Snapshot, arn: str, machine: str, state: State
) -> None:
    """The inputs of a job on Batch are looked at on the machine of whoever submits it."""
    entry = {"uri": "/nowhere/train", "declared": True, "manifest": "sha256:" + "1" * 64, "count": 1, "bytes": 3}
    run = book.ended(snapshot, image=IMAGE, definition=arn, extra={"inputs": [{**entry, "machine": machine}]})
    assert odd(book, snapshot, run)["inputs"] == (state, True)


def test_duplicate_jobs_fail(book: Notebook, snapshot: Snapshot, plan: Plan) -> None:
    """Two jobs for one plan are told, though the first one is as recorded."""
    book.tell(snapshot, "duplicate", run=str(plan.run), job="job-2")
    assert odd(book, snapshot, plan) == {"job": (State.CHANGED, False)}


def test_forgotten_job_cannot_be_told(book: Notebook, snapshot: Snapshot, arn: str) -> None:
    """Batch forgets; a repeat does not need the old job."""
    forgotten = book.ended(snapshot, image=IMAGE, definition=arn)
    assert odd(book, snapshot, forgotten) == {"job": (State.UNKNOWN, False)}


def test_denied_is_never_absent(book: Notebook, snapshot: Snapshot, plan: Plan, double: BatchDouble) -> None:
    """Neither a definition nor a job is called gone by one who may not look."""
    for operation in ("DescribeJobDefinitions", "DescribeJobs"):
        double.fail_next(operation, "access_denied", count=9)
    found = odd(book, snapshot, plan)
    assert found == {"definition": (State.UNKNOWN, True), "job": (State.UNKNOWN, False)}


def test_another_account_cannot_be_told(book: Notebook, snapshot: Snapshot, arn: str) -> None:
    """What another account says of an id means nothing."""
    there = book.ended(snapshot, image=IMAGE, definition=arn, account="210987654321")
    assert odd(book, snapshot, there) == {"definition": (State.UNKNOWN, True), "job": (State.UNKNOWN, False)}


def test_run_that_has_not_ended_is_no_answer(book: Notebook, snapshot: Snapshot) -> None:
    """There is nothing to repeat yet, and no executor is asked: it might act on it."""
    running = book.submitted(snapshot)
    assert look(book, snapshot, running).repeatable is None
    book.now += dt.timedelta(days=3)
    book.tell(snapshot, "unknown", run=str(running.run))
    assert look(book, snapshot, running).repeatable is not None


def test_unreadable_plan_fails(book: Notebook, snapshot: Snapshot) -> None:
    """It is all that a repeat goes by."""
    book.tell(snapshot, "planned", run="0123456789", executor="batch", image=IMAGE)
    (seen,) = verify(book.context, [snapshot])
    (run,) = seen.runs
    assert run.links[0].state is State.CHANGED
