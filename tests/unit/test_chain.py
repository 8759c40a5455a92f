"""Chains on a strict Batch: planned whole, handed over once, resumed with what is missing and nothing else."""

import dataclasses
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from git_rvexp.errors import AmbiguousError, PendingError, RvexpError
from git_rvexp.model import Phase, Plan
from git_rvexp.record.ledger import Ledger
from git_rvexp.workflow.chain import drive as chain_drive
from git_rvexp.workflow.chain import record as chain_record
from git_rvexp.workflow.chain.file import parsed
from git_rvexp.workflow.chain.hold import held
from git_rvexp.workflow.chain.plan import Options, drafts
from git_rvexp.workflow.chain.record import Chain
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.harvest import refresh
from git_rvexp.workflow.parents import waits_of
from git_rvexp.workflow.repeating.borrowed import Leave
from git_rvexp.workflow.submit import announce, send
from git_rvexp.workflow.sync import sync
from tests.conftest import Clone
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import IMAGE, client, register
from tests.lab import START, Lab

Json = dict[str, Any]

STEPS = """
[[step]]
name = "chip"
command = ["chip"]
[[step]]
name = "train"
after = ["chip"]
command = ["train"]
[[step]]
name = "predict"
after = ["train"]
array = 10
command = ["predict"]
[[step]]
name = "eval"
after = ["predict"]
command = ["eval"]
"""
HANG = 60  # seconds; only so that a test that would never end does


def planned(lab: Lab, text: str = STEPS, *, sent: int = 4) -> Chain:
    """A chain begun in the first clone whose driver was killed after it handed over `sent` steps."""
    context, snapshot, executor = lab.context(lab.one), lab.snapshot(), lab.executor()
    made = drafts(context, "0123456789", parsed(text, "f"), "first", Options())(snapshot, executor)
    plans = [dataclasses.replace(p, image=IMAGE, definition=lab.definition) for p in made]
    with held(context.repo, "0123456789") as hold:
        context.ledger.append(
            snapshot.oid, context.ledger.event("driving", {"chain": "0123456789", "driver": hold.driver})
        )
        announce(context, snapshot, plans)
        for plan in plans[:sent]:
            chain = chain_record.load(context, snapshot, "0123456789")
            hold.leave_word(str(plan.run))
            send(context, snapshot, plan, executor, waits=waits_of(plan, by_run(chain)))
    return chain_record.load(context, snapshot, "0123456789")


def by_run(chain: Chain) -> Callable[[str], Any]:
    """The chain's runs by their id."""
    return {run.run: run for run in chain.runs.values()}.__getitem__


def resumed(lab: Lab, clone: Clone | None = None) -> Chain:
    """The newest chain after `chain --resume` in a clone."""
    context = lab.context(clone or lab.one)
    chain = chain_record.chosen(context, "")
    return chain_drive.resume(context, chain, lambda _chain, _states: None, Leave(), follow=False)


def commands(lab: Lab) -> list[str]:
    """The first word of what each job runs, arrays once, in the order of their submission."""
    return [call["containerOverrides"]["command"][0] for call in lab.double.called("SubmitJob")]


def parents(lab: Lab) -> list[list[Json]]:
    """What each submission waits for, with the jobs' commands in place of their ids."""
    told = {
        job: found.request["containerOverrides"]["command"][0]
        for job, found in lab.double.jobs.items()
        if found.parent is None
    }
    asked = [call.get("dependsOn", []) for call in lab.double.called("SubmitJob")]
    return [[{**d, **({"jobId": told[d["jobId"]]} if "jobId" in d else {})} for d in waits] for waits in asked]


def phases(chain: Chain) -> list[Phase]:
    """Where the steps stand, in order."""
    return [run.phase for run in chain.runs.values()]


def test_what_was_never_handed_over_is(lab: Lab) -> None:
    """Killed after two steps: the other two are submitted, under the run ids that were planned, each once."""
    before = planned(lab, sent=2)
    after = resumed(lab)
    assert [r.run for r in after.runs.values()] == [r.run for r in before.runs.values()]
    assert commands(lab) == ["chip", "train", "predict", "eval"]
    assert parents(lab) == [[], [{"jobId": "chip"}], [{"jobId": "train"}], [{"jobId": "predict"}]]
    assert [r.run for r in resumed(lab).runs.values()] == [r.run for r in after.runs.values()]
    assert len(commands(lab)) == 4


def test_a_failed_step_is_done_again_with_what_waits_for_it(lab: Lab) -> None:
    """One child of ten killed: the array and eval get new runs, linked to the old; chip and train do not."""
    before = planned(lab)
    jobs = [run.job for run in before.runs.values()]
    for job in jobs[:2]:
        lab.double.run_to_end(job)
    lab.double.advance(f"{jobs[2]}:4", "FAILED", exit_code=137)
    lab.double.run_to_end(jobs[2])
    after = resumed(lab)
    old, new = ([r.run for r in chain.runs.values()] for chain in (before, after))
    assert new[:2] == old[:2]
    assert [r.planned.get("resumes") for r in after.runs.values()] == [None, None, *old[2:]]
    assert commands(lab) == ["chip", "train", "predict", "eval", "predict", "eval"]
    # train has succeeded, and Batch may have forgotten it: it is not named again.
    assert parents(lab)[4:] == [[], [{"jobId": "predict"}]]
    assert lab.double.called("SubmitJob")[5]["dependsOn"] == [{"jobId": after.runs["predict"].job}]
    for run in list(after.runs.values())[2:]:
        lab.double.run_to_end(run.job)
    assert resumed(lab).succeeded
    assert len(commands(lab)) == 6


EACH = """
[[step]]
name = "a"
array = 10
command = ["a"]
[[step]]
name = "b"
array = 10
after_each = ["a"]
command = ["b"]
"""


@pytest.mark.parametrize("status", ["RUNNING", "RUNNABLE", "told by nobody"])
def test_an_array_that_goes_on_is_not_handed_over_again(lab: Lab, status: str) -> None:
    """A child of `a` failed, and children of `b` run or are about to, or cannot be asked about: nothing is sent."""
    chain = planned(lab, EACH, sent=2)
    a, b = (run.job for run in chain.runs.values())
    lab.double.advance(f"{a}:3", "FAILED", exit_code=1)
    lab.double.run_to_end(a)
    assert (lab.double.jobs[a].status, lab.double.jobs[b].status) == ("FAILED", "PENDING")
    if status == "RUNNING":
        lab.double.advance(f"{b}:0", "RUNNING")
    if status == "told by nobody":
        refresh(lab.context(lab.one), chain.found, Executors(lab.context(lab.one), lambda *_: lab.executor()))
        lab.double.fail_next("DescribeJobs", "client_exception", count=9)
    with pytest.raises(PendingError, match=f"step b .*its run {chain.runs['b'].run} has not ended"):
        resumed(lab)
    assert commands(lab) == ["a", "b"]
    lab.double._front.failures._waiting["DescribeJobs"].clear()
    lab.double.run_to_end(b)
    resumed(lab)
    assert commands(lab) == ["a", "b", "a", "b"]


def test_the_failure_of_an_array_tells_which_children(lab: Lab) -> None:
    """The record has the counts and the exit code of each child that failed."""
    chain = planned(lab)
    jobs = [run.job for run in chain.runs.values()]
    for job in jobs[:2]:
        lab.double.run_to_end(job)
    lab.double.advance(f"{jobs[2]}:4", "FAILED", exit_code=9)
    lab.double.run_to_end(jobs[2])
    resumed(lab)
    ended = next(r for r in lab.runs(lab.one) if r.run == chain.runs["predict"].run).first("ended")
    assert ended is not None
    assert ended.get("array")["counts"] == {"SUCCEEDED": 9, "FAILED": 1}
    assert {n: told["exit"] for n, told in ended.get("array")["failed"].items()} == {"4": 9}


def test_a_step_in_flight_is_waited_for(lab: Lab) -> None:
    """The request of the second step is under way while its client dies: nothing is sent until it shows."""
    planned(lab, sent=1)
    context = lab.context(lab.one)
    chain = chain_record.chosen(context, "")
    lab.double.fail_next("SubmitJob", "held")
    with pytest.raises(AmbiguousError):
        resumed(lab)
    with pytest.raises(AmbiguousError, match="step train of chain 0123456789"):
        resumed(lab)
    assert commands(lab) == ["chip", "train"]
    assert lab.double.release() == 1
    after = resumed(lab)
    assert commands(lab) == ["chip", "train", "predict", "eval"]
    assert len([j for j in lab.double.jobs.values() if j.parent is None]) == 4
    assert [r.run for r in after.runs.values()] == [r.run for r in chain.runs.values()]


def test_what_a_killed_driver_was_about_to_send_is_in_doubt(lab: Lab) -> None:
    """It left word of the run it was handing over, and no more: that one may have a job, those after it have none."""
    chain = planned(lab, sent=1)
    with held(lab.context(lab.one).repo, chain.name) as hold:
        hold.leave_word(chain.runs["train"].run)
    with pytest.raises(AmbiguousError, match="step train of chain"):
        resumed(lab)
    assert commands(lab) == ["chip"]


def test_a_job_that_could_not_be_written_down_is_in_doubt(lab: Lab) -> None:
    """Something left the lock of the record behind while the job was accepted: it is not sent again before it shows."""
    chain = planned(lab, sent=1)
    lock = lab.one.path / ".git" / "refs" / "notes" / "rvexp.lock"
    lab.double.services.visibility_lag_ms = 10**9
    lab.double.fail_next("SubmitJob", "slow_after", delay=1)

    def leave_lock() -> None:
        until(lambda: len(lab.double.jobs) == 2)
        lock.touch()

    accepted = threading.Thread(target=leave_lock)
    accepted.start()
    with pytest.raises(RvexpError, match="lock"):
        resumed(lab)
    accepted.join()
    lock.unlink()
    assert chain_record.reread(lab.context(lab.one), chain).runs["train"].phase is Phase.PLANNED
    with pytest.raises(AmbiguousError, match="step train of chain"):
        resumed(lab)
    assert commands(lab) == ["chip", "train"]
    lab.double.services.visibility_lag_ms = 0
    resumed(lab)
    assert commands(lab) == ["chip", "train", "predict", "eval"]


def test_a_failure_reaches_what_was_never_handed_over(lab: Lab) -> None:
    """Killed before eval, and the array failed: eval waits for the new array, and its old run is closed."""
    before = planned(lab, sent=3)
    for step in ("chip", "train", "predict"):
        lab.double.run_to_end(before.runs[step].job, exit_code=int(step == "predict"))
    after = resumed(lab)
    assert commands(lab) == ["chip", "train", "predict", "predict", "eval"]
    assert after.runs["eval"].plan.after == (after.runs["predict"].run,)
    assert after.runs["eval"].planned.get("resumes") == before.runs["eval"].run
    old = next(r for r in lab.runs(lab.one) if r.run == before.runs["eval"].run)
    assert old.phase is Phase.REFUSED


def test_a_step_that_left_no_trace_gets_a_new_run(lab: Lab) -> None:
    """After twenty minutes it counts as not found; it and what waits for it are planned anew."""
    before = planned(lab, sent=1)
    lab.double.fail_next("SubmitJob", "500_before")
    with pytest.raises(AmbiguousError):
        resumed(lab)
    lab.now = START + dt.timedelta(minutes=21)
    after = resumed(lab)
    assert after.runs["chip"].run == before.runs["chip"].run
    assert {s: r.planned.get("resumes") for s, r in after.runs.items()} == {
        "chip": None,
        **{s: before.runs[s].run for s in ("train", "predict", "eval")},
    }
    assert sorted(j.request["containerOverrides"]["command"][0] for j in lab.double.jobs.values() if not j.parent) == [
        "chip",
        "eval",
        "predict",
        "train",
    ]


def test_the_twenty_minutes_count_from_the_sending(lab: Lab) -> None:
    """Sent long after it was planned, and the request is still under way: no clone takes it for lost too early."""
    planned(lab, sent=1)
    lab.now = START + dt.timedelta(minutes=18)
    lab.double.fail_next("SubmitJob", "held")
    with pytest.raises(AmbiguousError):
        resumed(lab)
    lab.now = START + dt.timedelta(minutes=37)
    for clone in (lab.two, lab.one):
        sync(lab.context(clone))
        with pytest.raises(AmbiguousError, match="from 12:38:00 UTC on"):
            resumed(lab, clone)
    assert commands(lab) == ["chip", "train"]
    assert lab.double.release() == 1
    assert phases(resumed(lab)) == [Phase.SUBMITTED] * 4
    assert commands(lab) == ["chip", "train", "predict", "eval"]


def test_a_driver_that_slept_hands_over_what_others_gave_up(lab: Lab) -> None:
    """Its machine sleeps after the second step, and a colleague's sync calls the others not found: they are sent."""
    before = planned(lab, sent=1)

    def clock() -> dt.datetime:
        if len(lab.double.jobs) == 2 and lab.now == START:
            lab.now = START + dt.timedelta(minutes=21)
            sync(lab.context(lab.two))
            assert [run.phase for run in lab.runs(lab.two)].count(Phase.NOTFOUND) == 2
        return lab.now

    context = lab.context(lab.one)
    context = dataclasses.replace(context, ledger=Ledger(context.repo, now=clock, sleep=lambda _seconds: None))
    after = chain_drive.resume(context, before, lambda _chain, _states: None, Leave(), follow=False)
    assert phases(after) == [Phase.SUBMITTED] * 4
    assert commands(lab) == ["chip", "train", "predict", "eval"]
    assert [run.run for run in after.runs.values()] == [run.run for run in before.runs.values()]


def test_another_clone_does_not_know_what_is_in_flight(lab: Lab) -> None:
    """It waits for the twenty minutes, then goes on; nothing is doubled."""
    planned(lab, sent=2)
    sync(lab.context(lab.two))
    with pytest.raises(AmbiguousError, match="step predict"):
        resumed(lab, lab.two)
    assert len(commands(lab)) == 2
    lab.now = START + dt.timedelta(minutes=21)
    assert phases(resumed(lab, lab.two)) == [Phase.SUBMITTED] * 4
    assert commands(lab) == ["chip", "train", "predict", "eval"]
    # And now the first clone is the one that does not know.
    assert phases(resumed(lab)) == [Phase.SUBMITTED] * 4
    assert len(commands(lab)) == 4


def test_one_driver_at_a_time(lab: Lab) -> None:
    """A chain that is driven in this clone is not driven twice."""
    planned(lab, sent=2)
    with held(lab.context(lab.one).repo, "0123456789"), pytest.raises(PendingError, match="driven by another command"):
        resumed(lab)
    assert len(commands(lab)) == 2


def test_arrays_child_for_child_and_in_sequence(lab: Lab) -> None:
    """after_each becomes N_TO_N, sequential SEQUENTIAL; Batch runs the children in that order."""
    text = """
        [[step]]
        name = "a"
        array = 3
        command = ["a"]
        [[step]]
        name = "b"
        array = 3
        after_each = ["a"]
        command = ["b"]
        [[step]]
        name = "c"
        array = 3
        sequential = true
        command = ["c"]
    """
    planned(lab, text, sent=0)
    chain = resumed(lab)
    assert parents(lab) == [[], [{"jobId": "a", "type": "N_TO_N"}], [{"type": "SEQUENTIAL"}]]
    a, b, c = (run.job for run in chain.runs.values())
    lab.double.run_to_end(f"{a}:1")
    assert [lab.double.jobs[f"{b}:{n}"].status for n in range(3)] == ["PENDING", "RUNNABLE", "PENDING"]
    assert [lab.double.jobs[f"{c}:{n}"].status for n in range(3)] == ["SUBMITTED", "PENDING", "PENDING"]


@pytest.fixture
def newcomer(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Clone, BatchDouble]]:
    """A clone with a queue and a definition and no snapshot: the shortest way to a chain on Batch."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with BatchDouble() as double:
        double.add_queue("main")
        double.add_queue("gpu")
        register(client(double))
        for key, value in {
            "batch-queue": "main",
            "batch-job-def-name": "train",
            "aws.endpoint-url": double.url,
            "aws.region": "us-east-1",
        }.items():
            clone.git("config", f"rvexp.{key}", value)
        clone.write("chain.toml", STEPS)
        clone.write(".git/info/exclude", "chain.toml\n")
        yield clone, double


def test_the_plan_is_recorded_before_the_first_job(newcomer: tuple[Clone, BatchDouble]) -> None:
    """Four plans in one step of the record, then four submissions; the chain's name on stdout, the picture beside."""
    clone, double = newcomer
    done = clone.rvexp("chain", "chain.toml")
    assert done.returncode == 0, done.stderr
    kinds = [line.split()[1] for line in clone.git("notes", "--ref=rvexp", "show", "HEAD").splitlines()]
    assert kinds == ["definition", "driving", *["planned"] * 4, *["submitted"] * 4]
    assert f'chain="{done.stdout.strip()}"' in clone.git("notes", "--ref=rvexp", "show", "HEAD")
    assert len(double.called("SubmitJob")) == 4
    waits = clone.rvexp("chain", "--resume", "--json")
    told = json.loads(waits.stdout)
    assert [s["state"] for s in told["steps"]] == ["submitted"] * 4
    assert [list(s["after"]) for s in told["steps"]] == [[], ["chip"], ["train"], ["predict"]]


def test_a_refusal_of_any_step_records_nothing(newcomer: tuple[Clone, BatchDouble]) -> None:
    """The last step asks for what Batch refuses: named, and no step is planned."""
    clone, double = newcomer
    clone.write("chain.toml", STEPS + "timeout = 5\n")
    done = clone.rvexp("chain", "chain.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "step 'eval': the shortest timeout of Batch is 60 seconds" in done.stderr
    assert double.called("SubmitJob") == []
    assert "planned" not in clone.git("notes", "--ref=rvexp", "show", "HEAD", check=False)


def test_a_file_chooses_no_queue_by_itself(newcomer: tuple[Clone, BatchDouble]) -> None:
    """A queue that the user has not allowed is refused with the command that allows it."""
    clone, double = newcomer
    clone.write("chain.toml", STEPS + 'queue = "gpu"\n')
    refused = clone.rvexp("chain", "chain.toml")
    assert refused.returncode == 2
    assert "step 'eval' chooses the job queue 'gpu'" in refused.stderr
    assert double.called("SubmitJob") == []
    clone.git("config", "--add", "rvexp.local.queue", "gpu")
    assert clone.rvexp("chain", "chain.toml").returncode == 0
    assert [call["jobQueue"] for call in double.called("SubmitJob")] == ["main", "main", "main", "gpu"]


def test_a_client_killed_in_the_middle(newcomer: tuple[Clone, BatchDouble]) -> None:
    """Killed with -9 while the second step's reply is under way: its job is adopted, the missing two are submitted."""
    clone, double = newcomer
    with subprocess.Popen(
        [sys.executable, "-m", "git_rvexp", "chain", "chain.toml"],
        cwd=clone.path,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as client_process:
        until(lambda: len(double.called("SubmitJob")) == 1)
        double.fail_next("SubmitJob", "slow_after", delay=3)
        until(lambda: len(double.jobs) >= 2)
        client_process.send_signal(signal.SIGKILL)
    sent = len(double.called("SubmitJob"))
    assert sent < 4
    done = clone.rvexp("chain", "--resume")
    assert done.returncode == 0, done.stderr
    assert len(double.called("SubmitJob")) == 4
    parents_only = [job for job in double.jobs.values() if job.parent is None]
    assert [j.request["containerOverrides"]["command"][0] for j in parents_only] == ["chip", "train", "predict", "eval"]


def test_an_interrupt_names_the_chain(newcomer: tuple[Clone, BatchDouble]) -> None:
    """Ctrl-C while the first step's reply is under way, before anything was told: the story has the way back."""
    clone, double = newcomer
    double.fail_next("SubmitJob", "slow_after", delay=3)
    with subprocess.Popen(
        [sys.executable, "-m", "git_rvexp", "chain", "chain.toml"],
        cwd=clone.path,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as client_process:
        until(lambda: len(double.jobs) == 1)
        client_process.send_signal(signal.SIGINT)
        _, err = client_process.communicate()
    name = json.loads(clone.rvexp("chain", "--resume", "--json").stdout)["chain"]
    told = f"chain {name}: what runs goes on; git rvexp chain --resume {name}"
    assert (client_process.returncode, err.splitlines()[-1]) == (130, told)


def test_a_chain_that_is_not_there_is_not_said_to_go_on(newcomer: tuple[Clone, BatchDouble]) -> None:
    """Only the error and what helps."""
    clone, _ = newcomer
    done = clone.rvexp("chain", "--resume", "nosuch")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: no chain 'nosuch' is recorded in this clone")


def test_a_dry_run_refuses_what_a_start_would(clone: Clone) -> None:
    """A step that looks as if it held a secret is named before it is drawn; the value is not."""
    secret = "hunter2" + "hunter2x9"
    clone.write("chain.toml", f'[[step]]\nname = "one"\ncommand = ["train", "--password={secret}"]\n')
    done = clone.rvexp("chain", "--dry-run", "chain.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the value of --password" in done.stderr
    assert secret not in done.stderr
    assert clone.rvexp("chain", "--dry-run", "--allow-secrets", "chain.toml").returncode == 0


def until(happened: Callable[[], bool]) -> None:
    """Wait for it; fails when it never comes."""
    for _ in range(HANG * 50):
        if happened():
            return
        time.sleep(0.02)
    raise AssertionError("it never happened")


def test_following_tells_how_it_ended(newcomer: tuple[Clone, BatchDouble]) -> None:
    """--wait: exit 1 and the step that failed; what hangs on it is told too."""
    clone, double = newcomer
    started = clone.rvexp("chain", "chain.toml")
    assert started.returncode == 0, started.stderr
    jobs = [job.job_id for job in double.jobs.values() if job.parent is None]
    double.run_to_end(jobs[0])
    double.run_to_end(jobs[1], exit_code=3)
    done = clone.rvexp("chain", "--resume", "--dry-run")
    assert "submitted" in done.stdout
    assert clone.rvexp("status", "--refresh").returncode == 0
    shown = clone.rvexp("chain", "--resume", "--dry-run").stdout.splitlines()
    assert [line.split("  ")[0].strip("└─ ") for line in shown][:2] == ["chip", "train"]
    assert "exit" in shown[1] or "failed" in shown[1]


def test_following_ends_with_the_credentials(newcomer: tuple[Clone, BatchDouble]) -> None:
    """Exit 4, at once, and how to go on; nothing of it is borne as a service is that does not answer."""
    clone, double = newcomer
    name = clone.rvexp("chain", "chain.toml").stdout.strip()
    double.fail_next("DescribeJobs", "expired_token", count=50)
    done = clone.rvexp("chain", "--resume", "--wait")
    assert done.returncode == 4, done.stderr
    assert f"git rvexp chain --resume {name}" in done.stderr
    assert "asking again" not in done.stderr
    assert len(double.called("DescribeJobs")) == 2


def test_plans_of_a_chain_are_whole(lab: Lab) -> None:
    """What the record holds of a step is the plan it was made of: sequence and child-for-child too."""
    chain = planned(lab, STEPS, sent=0)
    for run in chain.runs.values():
        assert Plan.from_fields(run.planned.fields) == run.plan
        assert run.plan.env["RVEXP_CHAIN"] == "0123456789"


def test_a_run_after_another_waits_for_its_job(newcomer: tuple[Clone, BatchDouble]) -> None:
    """`submit --after RUN`: the record names the run, Batch gets its job; one that has succeeded is not named."""
    clone, double = newcomer
    first = clone.rvexp("submit", "--", "one").stdout.strip()
    second = clone.rvexp("submit", "--after", first[:6], "--", "two")
    assert second.returncode == 0, second.stderr
    (job,) = (j.job_id for j in double.jobs.values() if j.request["containerOverrides"]["command"] == ["one"])
    assert double.called("SubmitJob")[1]["dependsOn"] == [{"jobId": job}]
    assert f'after=["{first}"]' in clone.git("notes", "--ref=rvexp", "show", "HEAD")
    double.run_to_end(job)
    assert clone.rvexp("submit", "--after", first, "--", "three").returncode == 0
    assert "dependsOn" not in double.called("SubmitJob")[2]


def test_a_run_after_a_failure_is_refused(newcomer: tuple[Clone, BatchDouble]) -> None:
    """It would never start: nothing is planned, nothing submitted."""
    clone, double = newcomer
    first = clone.rvexp("submit", "--", "one").stdout.strip()
    double.run_to_end(next(iter(double.jobs)), exit_code=1)
    done = clone.rvexp("submit", "--after", first, "--", "two")
    assert done.returncode == 1
    assert f"run {first} has not succeeded (failed)" in done.stderr
    assert len(double.called("SubmitJob")) == 1
    assert clone.git("notes", "--ref=rvexp", "show", "HEAD").count(" planned ") == 1


def test_a_resume_looks_at_the_inputs_anew(lab: Lab, tmp_path: Path) -> None:
    """What a step reads is in its new plan as it is when the chain is resumed."""
    data = tmp_path / "data.csv"
    data.write_text("one\n")
    text = f'[[step]]\nname = "a"\ncommand = ["a"]\ninputs = ["{data}"]\n'
    before = planned(lab, text, sent=1)
    lab.double.run_to_end(before.runs["a"].job, exit_code=1)
    data.write_text("two\n")
    after = resumed(lab)
    old, new = (chain.runs["a"].plan.extra["inputs"][0] for chain in (before, after))
    assert (old["uri"], old["count"]) == (new["uri"], new["count"]) == (str(data), 1)
    assert old["manifest"] != new["manifest"]
