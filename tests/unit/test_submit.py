"""The submission protocol against a strict Batch with faults: each job that exists is recorded exactly once."""

import dataclasses
import datetime as dt
import itertools
import json
import os

import pytest

from git_rvexp import aws
from git_rvexp.config import Config
from git_rvexp.errors import AmbiguousError, CredentialsError, GitError, RvexpError, UsageError
from git_rvexp.executors.batch import BatchExecutor
from git_rvexp.executors.batch_request import request
from git_rvexp.executors.protocol import RefusedError
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Phase, Snapshot
from git_rvexp.record.ledger import Ledger
from git_rvexp.settings import Settings
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.planning import Request, drafted
from git_rvexp.workflow.reconcile import Settled, settle
from git_rvexp.workflow.running import preview
from git_rvexp.workflow.submit import submit
from git_rvexp.workflow.sync import sync
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import IMAGE, register
from tests.lab import START, Lab


def kinds(lab: Lab) -> list[str]:
    """The kinds of the events after the snapshot's own."""
    record = Ledger(Repo.discover(lab.one.path, os.environ)).record(lab.snapshot().oid)
    return [e.kind for e in record.events if e.kind != "snapshot"]


def settled(lab: Lab) -> list[Settled]:
    """What became of the open runs of the snapshot."""
    context = lab.context(lab.one)
    return settle(context, [lab.snapshot()], Executors(context))


def test_the_intent_is_shared_before_and_the_job_after(lab: Lab) -> None:
    """Planned and submitted are both on the remote, the job is there once."""
    job = lab.submit()
    assert kinds(lab) == ["planned", "submitted"]
    assert list(lab.double.jobs) == [job]
    assert lab.one.git("rev-parse", "refs/notes/rvexp") == lab.one.git(
        f"--git-dir={lab.remote}", "rev-parse", "refs/notes/rvexp"
    )
    lab.in_step()


@pytest.mark.parametrize(
    "kind", ["lost_reply", "500_after", "429_after", "garbage_after", "truncated_after", "slow_after"]
)
def test_a_reply_lost_after_acceptance_makes_one_job(lab: Lab, kind: str) -> None:
    """Whatever happens to the reply, the job is found by its name, adopted, and never sent again."""
    lab.double.fail_next("SubmitJob", kind, delay=1.0)
    job = lab.submit()
    assert list(lab.double.jobs) == [job]
    assert len(lab.double.called("SubmitJob")) == 1
    lab.in_step()


@pytest.mark.parametrize("kind", ["reset_before", "500_before"])
def test_a_request_that_never_arrived_stays_open(lab: Lab, kind: str) -> None:
    """No job, no second try: ambiguous with the command that finds out, and not found after 20 minutes only."""
    lab.double.fail_next("SubmitJob", kind)
    with pytest.raises(AmbiguousError) as raised:
        lab.submit()
    assert "git rvexp sync" in str(raised.value.hint)
    assert kinds(lab) == ["planned", "ambiguous"]
    lab.now = START + dt.timedelta(minutes=19)
    sync(lab.context(lab.two))
    assert [r.phase for r in lab.runs(lab.two)] == [Phase.AMBIGUOUS]
    lab.now = START + dt.timedelta(minutes=21)
    sync(lab.context(lab.two))
    assert [r.phase for r in lab.runs(lab.two)] == [Phase.NOTFOUND]
    assert len(lab.double.called("SubmitJob")) == 1
    lab.in_step()


def test_an_output_that_batch_will_not_show_is_warned_of_before_the_job(lab: Lab) -> None:
    """A container's folder cannot be read after a job on Batch; what is in S3 can, and is not spoken of."""
    outputs = {"outputs": ["out", "s3://bucket/{run}/"]}
    lab.submit(dataclasses.replace(lab.plan(), extra=outputs))
    (told,) = (line for line in lab.told if "will not be known" in line)
    assert told.startswith("output out ")
    assert "--output s3://" in told


def test_a_preview_needs_no_image_and_is_checked(lab: Lab) -> None:
    """Of a snapshot that nobody built the plan is shown without one; a queue that is not there is refused."""
    context, asked = lab.context(lab.one), Request(("true",), tag=lab.snapshot().tag)
    before, made = lab.one.git("for-each-ref"), len(lab.double.called("RegisterJobDefinition"))
    shown = preview(context, asked)
    assert (shown["image"], shown["queue"], shown["account"]) == (None, "main", "123456789012")
    assert f"{lab.snapshot().tag} has no image yet: submit builds it" in lab.told
    elsewhere = dataclasses.replace(context.settings, batch_queue="nope")
    with pytest.raises(RvexpError, match="nope"):
        preview(dataclasses.replace(context, config=Config(elsewhere)), asked)
    assert lab.one.git("for-each-ref") == before
    assert len(lab.double.called("RegisterJobDefinition")) == made


def test_metrics_that_batch_will_not_show_are_warned_of_before_the_job(lab: Lab) -> None:
    """As outputs are: the path is named, and what to name instead."""
    metrics = {"metrics": ["out/metrics.json", "s3://bucket/{run}/metrics.json"]}
    lab.submit(dataclasses.replace(lab.plan(), extra=metrics))
    (told,) = (line for line in lab.told if "will not be known" in line)
    assert told.startswith("metrics in out/metrics.json ")
    assert told.endswith("declare an S3 URI in run.metrics, such as s3://BUCKET/{run}/metrics.json")


def test_throttling_is_waited_out_with_a_look_up_before_each_try(lab: Lab) -> None:
    """429 before acceptance: looked up, tried again, one job."""
    lab.double.fail_next("SubmitJob", "429_before", count=3)
    job = lab.submit()
    assert list(lab.double.jobs) == [job]
    operations = [call.operation for call in lab.double.calls if call.operation in ("SubmitJob", "ListJobs")]
    tries = [n for n, operation in enumerate(operations) if operation == "SubmitJob"]
    assert len(tries) == 4
    assert all("ListJobs" in operations[a:b] for a, b in itertools.pairwise(tries))
    lab.in_step()


def test_throttling_without_end_leaves_the_run_open(lab: Lab) -> None:
    """Five tries and no more; the run is ambiguous."""
    lab.double.fail_next("SubmitJob", "429_before", count=50)
    with pytest.raises(AmbiguousError):
        lab.submit()
    assert len(lab.double.called("SubmitJob")) == 5
    assert kinds(lab) == ["planned", "ambiguous"]


def test_a_refusal_is_recorded_and_not_repeated(lab: Lab) -> None:
    """4xx: the server's words, one call, no job, nothing open."""
    lab.double.fail_next("SubmitJob", "client_exception")
    with pytest.raises(RefusedError, match="refused by the test"):
        lab.submit()
    assert kinds(lab) == ["planned", "refused"]
    assert (len(lab.double.called("SubmitJob")), lab.double.jobs) == (1, {})
    lab.in_step()


def test_expired_credentials_are_never_not_found(lab: Lab) -> None:
    """A look-up that was refused leaves an open run open, however old it is."""
    lab.double.fail_next("SubmitJob", "500_before")
    with pytest.raises(AmbiguousError):
        lab.submit()
    lab.now = START + dt.timedelta(hours=3)
    lab.double.fail_next("ListJobs", "expired_token", count=20)
    told = settled(lab)
    assert [s.text.startswith("cannot tell") for s in told] == [True]
    assert [r.phase for r in lab.runs(lab.one)] == [Phase.AMBIGUOUS]


@pytest.mark.parametrize("kind", ["access_denied", "expired_token"])
def test_denied_credentials_refuse_the_run(lab: Lab, kind: str) -> None:
    """The account says no: nothing runs and nothing stays open."""
    lab.double.fail_next("SubmitJob", kind)
    with pytest.raises((RefusedError, CredentialsError)):
        lab.submit()
    assert kinds(lab) == ["planned", "refused"]


def test_a_remote_out_of_reach_means_no_job(lab: Lab) -> None:
    """The intent cannot be shared, so no call is made and nothing stays open; the flag overrides and is recorded."""
    lab.remote.rename(lab.remote.with_name("away.git"))
    with pytest.raises(GitError, match="nothing was submitted"):
        lab.submit()
    assert lab.double.called("SubmitJob") == []
    assert kinds(lab) == ["planned", "refused"]
    job = submit(lab.context(lab.one), lab.snapshot(), lab.plan(), lab.executor(), offline=True)
    assert list(lab.double.jobs) == [job]
    assert lab.runs(lab.one)[1].planned.get("offline") is True
    lab.remote.with_name("away.git").rename(lab.remote)
    lab.in_step()


def test_a_job_that_lands_late_is_adopted(lab: Lab) -> None:
    """The client is gone, the request still in flight: not found is reversible, by any clone."""
    lab.double.fail_next("SubmitJob", "held")
    with pytest.raises(AmbiguousError):
        lab.submit()
    lab.now = START + dt.timedelta(minutes=30)
    sync(lab.context(lab.two))
    assert [r.phase for r in lab.runs(lab.two)] == [Phase.NOTFOUND]
    assert lab.double.release() == 1
    sync(lab.context(lab.two))
    assert [r.phase for r in lab.runs(lab.two)] == [Phase.SUBMITTED]
    lab.in_step()


def test_of_two_jobs_the_oldest_counts_and_the_other_is_flagged(lab: Lab) -> None:
    """Should Batch ever hold two jobs of one name, both are on record, one as a duplicate."""
    plan = lab.plan()
    lab.double.fail_next("SubmitJob", "500_before")
    with pytest.raises(AmbiguousError):
        lab.submit(plan)
    executor = lab.executor()
    first, second = executor.submit(plan), executor.submit(plan)
    sync(lab.context(lab.two))
    (run,) = lab.runs(lab.two)
    assert (run.jobs, run.phase) == ((first, second), Phase.SUBMITTED)
    assert run.last("duplicate") is not None


def test_another_account_cannot_say_not_found(lab: Lab) -> None:
    """A plan of one account looked up in another stays open."""
    plan = dataclasses.replace(lab.plan(), account="999999999999")
    ledger = lab.context(lab.one).ledger
    ledger.append(lab.snapshot().oid, ledger.event("planned", plan.fields()))
    lab.now = START + dt.timedelta(hours=1)
    told = settled(lab)
    where = "another place: account 999999999999 (here: 123456789012)"
    assert [s.text for s in told] == [f"cannot tell: run {plan.run} was planned for {where}"]
    assert [r.phase for r in lab.runs(lab.one)] == [Phase.PLANNED]


def test_an_open_run_of_another_region_is_looked_up_there(lab: Lab) -> None:
    """It was submitted with another profile, and may be costing money: today's region has no say in it."""
    with BatchDouble(region="us-west-2") as west:
        west.add_queue("main")
        there = Settings(aws_endpoint_url=west.url, aws_region="us-west-2")
        plan = dataclasses.replace(lab.plan(), region="us-west-2", definition=register(aws.client("batch", there)))
        ledger = lab.context(lab.one).ledger
        ledger.append(lab.snapshot().oid, ledger.event("planned", plan.fields()))
        job = BatchExecutor(there).submit(plan)
        (told,) = settled(dataclasses.replace(lab, double=west))
    assert told.text == f"adopted {job}"
    assert [run.job for run in lab.runs(lab.one)] == [job]


def test_share_priority_and_tags_reach_the_job(lab: Lab) -> None:
    """From settings to the plan, the record and SubmitJob; a queue without a policy, and an engine, get none of it."""
    context = lab.context(lab.one)
    wished = dataclasses.replace(context.settings, job_share="maps", job_priority=7, job_tags={"cost": "maps"})
    asked = dataclasses.replace(context, config=Config(wished))
    draft = drafted(asked, lab.snapshot(), Request(("true",)), "batch", {})
    assert {key: draft.extra[key] for key in ("share_identifier", "priority", "tags")} == {
        "share_identifier": "maps",
        "priority": 7,
        "tags": {"cost": "maps"},
    }
    assert "share_identifier" not in drafted(asked, lab.snapshot(), Request(("true",)), "docker", {}).extra
    plain = drafted(context, lab.snapshot(), Request(("true",)), "batch", {})
    assert not {"share_identifier", "priority", "tags"} & set(plain.extra)
    sent = request(draft, {"containerProperties": {"image": IMAGE}})
    assert (sent["shareIdentifier"], sent["schedulingPriorityOverride"], sent["tags"]["cost"]) == ("maps", 7, "maps")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--share", "a b"], "must be letters and digits only"),
        (["--priority", "10000"], "must be a number from 0 to 9999"),
        (["--job-tag", "cost"], "is not K=V"),
        (["--vcpus", "inf"], "must be 0 or more, and finite"),
        (["--vcpus", "nan"], "must be 0 or more, and finite"),
        (["--gpus", "-1"], "must be 0 or more, and finite"),
        (["--memory", "-1"], "'-1' is no size: write 4g, 512m"),
        (["--memory", "much"], "'much' is no size: write 4g, 512m"),
        (["--timeout", "-5"], "'-5' is not a span of time"),
        (["--attempts", "0"], "invalid choice: 0"),
        (["--attempts", "11"], "invalid choice: 11"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(lab: Lab, words: list[str], complaint: str) -> None:
    """Before anything is looked up."""
    done = lab.one.rvexp("submit", "-n", *words, "--", "true")
    assert done.returncode == 2
    assert complaint in done.stderr


@pytest.mark.parametrize(
    ("given", "mebibytes"), [("512", 512), ("4g", 4096), ("1.5 GiB", 1536), ("4GB", 3815), ("1k", 1)]
)
def test_sizes_and_spans_are_taken_as_people_write_them(lab: Lab, given: str, mebibytes: int) -> None:
    """Memory in MiB, a part of one rounded up; a time limit in the words of wait and cancel."""
    asked = ("--executor", "docker", "--memory", given, "--timeout", "2h")
    nowhere = {"DOCKER_HOST": "tcp://127.0.0.1:1"}
    done = lab.one.rvexp("submit", "-n", lab.snapshot().tag, *asked, "--", "true", env=nowhere)
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert (plan["memory"], plan["timeout"]) == (mebibytes, 7200)


@pytest.mark.parametrize("wrong", [{"timeout": -1}, {"attempts": -1}, {"attempts": 11}])
def test_a_request_is_refused_when_it_is_made(wrong: dict[str, int]) -> None:
    """For every executor alike."""
    with pytest.raises(UsageError):
        Request(("true",), **wrong)  # type: ignore[arg-type]


def test_an_open_run_without_a_snapshot_is_settled_by_sync_too(lab: Lab) -> None:
    """Its record stands on a commit, and another clone adopts its job."""
    commit = lab.one.git("rev-parse", "HEAD")
    lab.double.fail_next("SubmitJob", "lost_reply")
    lab.double.fail_next("ListJobs", "500_before", count=9)
    with pytest.raises(AmbiguousError):
        submit(lab.context(lab.one), Snapshot("", commit, commit, ""), lab.plan(), lab.executor())
    lab.double._front.failures._waiting["ListJobs"].clear()
    (settled,) = sync(lab.context(lab.two)).settled
    assert "adopted" in settled.text
    record = Ledger(Repo.discover(lab.two.path, os.environ)).record(commit)
    assert [event.get("job") for event in record.of("submitted")] == list(lab.double.jobs)
