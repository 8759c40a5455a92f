"""`git rvexp cancel` of chains and arrays on a strict Batch: every job is told, looked at, and recorded."""

import pytest

from git_rvexp.errors import AmbiguousError, PendingError
from git_rvexp.model import Phase
from git_rvexp.workflow.chain import record as chain_record
from git_rvexp.workflow.chain.hold import held
from git_rvexp.workflow.chain.record import Chain
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import Patience
from git_rvexp.workflow.following.stopping import stop
from git_rvexp.workflow.sync import sync
from tests.conftest import Clone
from tests.lab import Lab
from tests.unit.test_chain import commands, phases, planned, resumed


def cancelled(lab: Lab, chain: Chain, clone: Clone | None = None) -> Chain:
    """The chain after all of it was cancelled in a clone."""
    context = lab.context(clone or lab.one)
    executors = Executors(context, lambda *_: lab.executor())
    pending = [f for f in chain.found if not f.run.phase.over]
    stop(context, pending, executors, "enough", "Ada <a@b>", Patience(lambda _: None, 5))
    return chain_record.reread(context, chain)


def reached(lab: Lab) -> None:
    """Let programs in the first clone reach the double."""
    for key, value in {"aws.endpoint-url": lab.double.url, "aws.region": "us-east-1", "batch-queue": "main"}.items():
        lab.one.git("config", f"rvexp.{key}", value)


def terminated(lab: Lab) -> list[str]:
    """The jobs that were told to stop, by the first word of their command."""
    jobs = [lab.double.jobs[call["jobId"]] for call in lab.double.called("TerminateJob")]
    return [job.request["containerOverrides"]["command"][0] for job in jobs]


def test_every_step_is_stopped_what_waits_before_what_it_waits_for(lab: Lab) -> None:
    """While the second step runs: the first stays as it ended, each other job is told once, and all of them end."""
    chain = planned(lab)
    jobs = [run.job for run in chain.runs.values()]
    lab.double.run_to_end(jobs[0])
    lab.double.advance(jobs[1], "RUNNING")
    after = cancelled(lab, chain)
    assert terminated(lab) == ["eval", "predict", "train"]
    assert [run.word for run in after.runs.values()] == ["ok", "cancelled", "cancelled", "cancelled"]
    assert {lab.double.jobs[job].status for job in jobs[1:]} == {"FAILED"}
    assert {child.status for child in lab.double.jobs[jobs[2]].children} == {"FAILED"}
    told = [event for run in after.runs.values() for event in run.events if event.kind == "cancelled"]
    assert [(e.get("reason"), e.get("by")) for e in told] == [("enough", "Ada <a@b>")] * 3


def test_steps_that_were_never_handed_over_are_withdrawn(lab: Lab) -> None:
    """Their driver died after two: the other two never get a job, and a resume makes new runs of all four."""
    chain = planned(lab, sent=2)
    after = cancelled(lab, chain)
    assert phases(after) == [Phase.FAILED, Phase.FAILED, Phase.REFUSED, Phase.REFUSED]
    assert "withdrawn before it was handed over: enough" in str(after.runs["eval"].last("refused"))
    assert commands(lab) == ["chip", "train"]
    again = resumed(lab)
    assert commands(lab)[2:] == ["chip", "train", "predict", "eval"]
    assert not {run.run for run in again.runs.values()} & {run.run for run in chain.runs.values()}


def test_a_step_that_may_have_a_job_is_not_called_withdrawn(lab: Lab) -> None:
    """The driver died while it handed the third one over: the rest is stopped, and of that one it is said."""
    chain = planned(lab, sent=2)
    with held(lab.context(lab.one).repo, chain.name) as hold:
        hold.leave_word(chain.runs["predict"].run)
    with pytest.raises(AmbiguousError, match=chain.runs["predict"].run):
        cancelled(lab, chain)
    after = chain_record.reread(lab.context(lab.one), chain)
    assert phases(after) == [Phase.FAILED, Phase.FAILED, Phase.PLANNED, Phase.REFUSED]


def test_another_clone_withdraws_nothing_and_stops_what_it_finds(lab: Lab) -> None:
    """It cannot know what the driver was about to do; a job that nobody had written down is found and stopped."""
    chain = planned(lab, sent=2)
    sync(lab.context(lab.one))
    sync(lab.context(lab.two))
    with pytest.raises(AmbiguousError):
        cancelled(lab, chain, lab.two)
    assert phases(chain_record.reread(lab.context(lab.two), chain))[2:] == [Phase.PLANNED, Phase.PLANNED]
    assert sorted(terminated(lab)) == ["chip", "train"]
    assert [line for line in lab.told if "no job yet" in line] == [
        f"run {chain.runs[step].run}: no job yet" for step in ("predict", "eval")
    ]


def test_what_does_not_stop_is_said_with_its_state(lab: Lab) -> None:
    """A step that ends in its own time: what was asked is recorded, and it counts as pending."""
    chain = planned(lab, sent=1)
    lab.double.advance(chain.runs["chip"].job, "RUNNING")
    lab.double.services.stop_at_once = False
    with pytest.raises(PendingError, match="running"):
        cancelled(lab, chain)
    assert chain_record.reread(lab.context(lab.one), chain).runs["chip"].first("cancelled") is not None
    assert len(lab.double.called("TerminateJob")) == 1


@pytest.mark.parametrize("words", [["0123456789"], ["RUN", "--chain"], ["demo"]], ids=["chain", "a run of it", "tag"])
def test_a_person_cancels_a_chain(lab: Lab, words: list[str]) -> None:
    """By its name, by any of its runs, or with everything else of the snapshot; a step alone stays a step."""
    chain = planned(lab)
    lab.double.advance(chain.runs["chip"].job, "RUNNING")
    reached(lab)
    words = [chain.runs["predict"].run if word == "RUN" else word for word in words]
    done = lab.one.rvexp("cancel", *words, "--reason", "wrong tiles")
    assert done.returncode == 0, done.stderr
    assert terminated(lab) == ["eval", "predict", "train", "chip"]
    assert [line.split("\t")[1] for line in done.stdout.splitlines()] == ["cancelled"] * 4
    assert {call["reason"] for call in lab.double.called("TerminateJob")} == {"wrong tiles"}
    again = lab.one.rvexp("cancel", *words)
    assert (again.returncode, "nothing to stop" in again.stderr) == (1, True)
    nothing = lab.one.rvexp("cancel", "nosuch")
    assert (nothing.returncode, "no snapshot or run 'nosuch'" in nothing.stderr) == (2, True)


def test_a_chain_is_waited_for_and_told_by_its_name(lab: Lab) -> None:
    """All its steps: 8 while one has not ended, then 1 because one failed; the others would have made it 0."""
    chain = planned(lab)
    reached(lab)
    told = [line.split("\t")[0] for line in lab.one.rvexp("status", chain.name).stdout.splitlines()]
    assert sorted(told) == sorted(run.run for run in chain.runs.values())
    assert lab.one.rvexp("wait", chain.name, "--timeout", "1").returncode == 8
    *others, last = [run.job for run in chain.runs.values()]
    for job in others:
        lab.double.run_to_end(job)
    lab.double.run_to_end(last, exit_code=3)
    assert lab.one.rvexp("status", chain.name, "--refresh", "--exit-status").returncode == 1
    waited = lab.one.rvexp("wait", chain.name)
    assert waited.returncode == 1
    assert [line.split("\t")[1] for line in waited.stdout.splitlines()] == ["ok", "ok", "ok", "failed"]
