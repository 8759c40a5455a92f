"""Chains and arrays where containers really run: on an engine, and on a Batch as far as that one is true."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_rvexp.executors.docker import DockerExecutor
from git_rvexp.model import Phase, Plan
from tests.conftest import Clone
from tests.integration.docker_lab import HANG, Lab, opened
from tests.integration.parts import PROJECT, BatchWorld, Stack, reach_aws, use_batch

RAN = "echo {}$AWS_BATCH_JOB_ARRAY_INDEX >>$RVEXP_SHARED/ran"
CHAIN = """
[[step]]
name = "chip"
command = ["sh", "-c", "{chip}"]
[[step]]
name = "train"
after = ["chip"]
command = ["sh", "-c", "{train}"]
[[step]]
name = "predict"
after = ["train"]
array = 10
command = ["sh", "-c", "{predict}"]
[[step]]
name = "eval"
after = ["predict"]
command = ["sh", "-c", "{eval}"]
"""


@dataclass(frozen=True)
class Study:
    """A clone whose snapshot has an image with a shell, and the engine it runs on."""

    clone: Clone
    stack: Stack

    def env(self) -> dict[str, str]:
        """What makes our program and docker use the stack's engine."""
        return {"DOCKER_HOST": self.stack.docker_host}

    def chain(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`git rvexp chain` to its end."""
        return self.clone.rvexp("chain", *words, env=self.env())

    def begun(self, *words: str) -> "subprocess.Popen[str]":
        """`git rvexp chain` as a process to play with."""
        command = [sys.executable, "-m", "git_rvexp", "chain", *words]
        return subprocess.Popen(
            command, cwd=self.clone.path, env={**os.environ, **self.env()}, text=True, stderr=subprocess.PIPE
        )

    def docker(self, *words: str) -> str:
        """What the docker command says."""
        return self.stack.run("docker", *words).stdout.strip()

    def containers(self, *filters: str) -> list[str]:
        """Ids of the snapshot's containers."""
        oid = self.clone.git("rev-parse", self.clone.git("tag", "--list", "*/demo"))
        wanted = [f"label=io.git-rvexp.tag-oid={oid}", *filters]
        return self.docker("ps", "-aq", *(f"--filter={f}" for f in wanted)).split()

    def volumes(self) -> list[str]:
        """The volumes of this clone's chains."""
        record = self.clone.git("notes", "--ref=rvexp", "show", self.clone.git("tag", "--list", "*/demo"))
        told = {word.split('"')[1] for word in record.split() if word.startswith("chain=")}
        return [f"rvexp-chain-{name}" for name in sorted(told)]

    def in_shared(self, script: str) -> str:
        """What a shell prints in the folder that the steps share."""
        (volume,) = self.volumes()
        return self.docker("run", "--rm", "-v", f"{volume}:/s", self.stack.tiny_image, "sh", "-c", f"cd /s; {script}")

    def states(self) -> dict[str, str]:
        """Each step's state by the record."""
        return {s["step"]: s["state"] for s in self.told()}

    def told(self) -> list[dict[str, str]]:
        """The steps as `chain --resume --dry-run --json` shows them."""
        shown = self.chain("--resume", "--dry-run", "--json")
        assert shown.returncode == 0, shown.stderr
        steps: list[dict[str, str]] = json.loads(shown.stdout)["steps"]
        return steps

    def runs(self) -> dict[str, str]:
        """Each step's run by the record."""
        return {s["step"]: s["run"] for s in self.told()}


@pytest.fixture
def study(clone: Clone, stack: Stack) -> Iterator[Study]:
    """A snapshot `demo` with a shell; its containers, image and volumes are removed in the end."""
    clone.write("Dockerfile", f"FROM {stack.tiny_image}\nWORKDIR /opt/src\nCOPY . /opt/src\n")
    clone.write(".dockerignore", "chain.toml\n")
    clone.commit()
    assert clone.rvexp("snapshot", "demo").returncode == 0
    made = Study(clone, stack)
    yield made
    cleared(made)


def cleared(study: Study) -> None:
    """Remove what a study left in the engine."""
    found = study.containers()
    if found:
        study.stack.run("docker", "rm", "--force", *found, ok=False)  # one that goes by itself may just be going
    for volume in study.volumes():
        study.stack.run("docker", "volume", "rm", volume, ok=False)
    tag = study.clone.git("tag", "--list", "*/demo")
    commit = study.clone.git("rev-parse", f"{tag}^{{commit}}")
    for image in study.docker("images", "-q", "--filter", f"label=io.git-rvexp.commit={commit}").split():
        study.docker("rmi", "--force", image)


def until(happened: Callable[[], object]) -> None:
    """Wait for it; fails when it never comes."""
    for _ in range(HANG * 10):
        if happened():
            return
        time.sleep(0.1)
    raise AssertionError("it never happened")


def written(study: Study, **scripts: str) -> None:
    """The chain's file; every step notes that it ran, then does what `scripts` say."""
    steps = ("chip", "train", "predict", "eval")
    whole = {s: "; ".join(p for p in (RAN.format(s), scripts.get(s, "")) if p) for s in steps}
    study.clone.write("chain.toml", CHAIN.format(**whole))


ONCE = Counter(["chip", "train", *(f"predict{n}" for n in range(10)), "eval"])


def ran(study: Study) -> Counter[str]:
    """How often each step, and each child of the array, has run."""
    return Counter(study.in_shared("cat ran").split())


def test_the_digits_in_four_steps(stack: Stack, clone: Clone) -> None:
    """The example: chip, train, ten predictions, eval; the last step reads what the others left for it."""
    shutil.copytree(PROJECT / "examples" / "digits", clone.path, dirs_exist_ok=True)
    clone.git("config", "rvexp.image.buildArgs", f"BASE={stack.base_image}")
    clone.commit()
    assert clone.rvexp("snapshot", "demo").returncode == 0
    study = Study(clone, stack)
    try:
        done = study.chain("chain.toml", "demo")
        assert done.returncode == 0, done.stderr
        assert study.states() == dict.fromkeys(("chip", "train", "predict", "eval"), "ok")
        log = clone.rvexp("logs", study.runs()["eval"], env=study.env()).stdout
        assert "of 359 digits read correctly" in log
        assert len(study.in_shared("ls predictions").split()) == 10
        assert done.stdout.strip() in study.volumes()[0]
    finally:
        cleared(study)


def test_a_killed_child_and_a_resume(study: Study) -> None:
    """One of ten children is killed: exit 1; resume runs the array and what follows once more, the others not."""
    hangs = "[ $AWS_BATCH_JOB_ARRAY_INDEX != 4 ] || [ -e $RVEXP_SHARED/hung ] || (touch $RVEXP_SHARED/hung; sleep 600)"
    written(study, predict=hangs)
    with study.begun("chain.toml", "demo", "--parallel", "4") as client:
        until(lambda: study.containers("label=io.git-rvexp.index=4", "status=running"))
        until(lambda: "hung" in study.in_shared("ls"))
        study.docker("kill", *study.containers("label=io.git-rvexp.index=4"))
        _, story = client.communicate()
    assert client.returncode == 1, story
    assert "1 of 10 children failed; child 4: killed by SIGKILL" in story
    assert study.states() == {"chip": "ok", "train": "ok", "predict": "failed", "eval": "refused"}
    before = study.runs()
    done = study.chain("--resume")
    assert done.returncode == 0, done.stderr
    assert study.states() == dict.fromkeys(ONCE.keys() & {"chip", "train", "eval"} | {"predict"}, "ok")
    assert ran(study) == ONCE + Counter(f"predict{n}" for n in range(10))
    after = study.runs()
    assert [step for step in after if after[step] != before[step]] == ["predict", "eval"]


def test_a_client_killed_in_the_middle(study: Study) -> None:
    """Killed with -9 while train runs: train goes on, resume submits only the two that are missing."""
    written(study, train="until [ -e $RVEXP_SHARED/go ]; do sleep 0.1; done")
    with study.begun("chain.toml", "demo") as client:
        until(lambda: study.containers("status=running"))
        until(lambda: "train" in study.in_shared("cat ran"))
        client.send_signal(signal.SIGKILL)
    before = study.runs()
    study.in_shared("touch go")
    done = study.chain("--resume")
    assert done.returncode == 0, done.stderr
    assert ran(study) == ONCE
    assert study.runs() == before


def test_a_chain_is_cancelled_while_it_is_driven(study: Study) -> None:
    """The step that runs is stopped, the driver starts no other and ends, and the record says who and why."""
    written(study, train="sleep 600")
    with study.begun("chain.toml", "demo") as client:
        until(lambda: study.containers("status=running"))
        until(lambda: "train" in study.in_shared("cat ran"))
        (chain,) = (volume.removeprefix("rvexp-chain-") for volume in study.volumes())
        done = study.clone.rvexp("cancel", chain, "--reason", "wrong tiles", env=study.env())
        assert done.returncode == 0, done.stderr
        _, story = client.communicate(timeout=HANG)
    assert client.returncode == 1, story
    assert study.states() == {"chip": "ok", "train": "cancelled", "predict": "refused", "eval": "refused"}
    assert ran(study) == Counter(["chip", "train"])
    assert study.containers("status=running") == []


def test_a_chain_is_waited_for_while_it_is_driven(study: Study) -> None:
    """Steps that have no job yet are waited for; when the driver dies, that is said."""
    written(study, chip="sleep 1", train="[ -e $RVEXP_SHARED/again ] || sleep 600")
    with study.begun("chain.toml", "demo") as client:
        until(lambda: study.containers("status=running"))
        until(lambda: "train" in study.in_shared("cat ran"))
        early = study.clone.rvexp(
            "wait", study.volumes()[0].removeprefix("rvexp-chain-"), "--timeout", "1", env=study.env()
        )
        client.send_signal(signal.SIGKILL)
    assert early.returncode == 8, early.stderr
    assert study.clone.rvexp("cancel", study.runs()["train"], env=study.env()).returncode == 0
    study.in_shared("touch again")
    with study.begun("--resume") as client:
        until(lambda: study.containers("status=running"))
        waited = study.clone.rvexp("wait", study.volumes()[0].removeprefix("rvexp-chain-"), env=study.env())
        client.communicate(timeout=HANG)
    assert (waited.returncode, client.returncode) == (0, 0), waited.stderr


def test_a_chain_that_nobody_drives_any_more_is_cancelled(study: Study) -> None:
    """Its driver was killed: what runs is stopped, what was never handed over is withdrawn, and a resume does both."""
    written(study, train="[ -e $RVEXP_SHARED/again ] || sleep 600")
    with study.begun("chain.toml", "demo") as client:
        until(lambda: study.containers("status=running"))
        until(lambda: "train" in study.in_shared("cat ran"))
        client.send_signal(signal.SIGKILL)
    done = study.clone.rvexp("cancel", study.runs()["train"], "--chain", env=study.env())
    assert done.returncode == 0, done.stderr
    assert study.states() == {"chip": "ok", "train": "cancelled", "predict": "refused", "eval": "refused"}
    study.in_shared("touch again")
    assert study.chain("--resume").returncode == 0
    assert ran(study) == ONCE + Counter(["train"])


@pytest.fixture
def lab(stack: Stack) -> Iterator[Lab]:
    """An executor on the stack's engine; arrays are removed in the end."""
    with opened(stack) as made:
        yield made
        for plan in made.made:
            label = {"label": f"io.git-rvexp.array={plan.job_name}"}
            for container in made.engine.containers.list(all=True, filters=label):
                container.remove(force=True)


def children(lab: Lab, plan: Plan, status: str = "") -> list[str]:
    """Names of an array's containers, by the docker command."""
    asked = [f"--filter=label=io.git-rvexp.array={plan.job_name}", *([f"--filter=status={status}"] if status else [])]
    return sorted(lab.cli("ps", "-a", "--format={{.Names}}", *asked).split())


def test_an_array_sees_what_batch_would_tell_it(lab: Lab) -> None:
    """Index, size, id and attempt; the logs come child after child."""
    show = "echo $AWS_BATCH_JOB_ARRAY_INDEX/$AWS_BATCH_JOB_ARRAY_SIZE $AWS_BATCH_JOB_ID $AWS_BATCH_JOB_ATTEMPT"
    plan = lab.plan("sh", "-c", show, array=3)
    lab.executor.check(plan)
    job = lab.executor.submit(plan)
    assert (job, lab.executor.find(plan)) == (plan.job_name, [plan.job_name])
    state = lab.until(job)
    assert (state.phase, state.exit_code, state.reason) == (Phase.SUCCEEDED, 0, "")
    assert state.details["array"] == {"size": 3, "counts": {"SUCCEEDED": 3}}
    assert list(lab.executor.logs(job)) == [f"[{n}] {n}/3 {job}:{n} 1" for n in range(3)]


def test_an_array_runs_no_more_than_it_may(lab: Lab) -> None:
    """Two at a time, in the order of their index; the next start when somebody looks, whoever that is."""
    plan = lab.plan("sleep", "600", array=4, extra={"parallel": 2})
    job = lab.executor.submit(plan)
    assert children(lab, plan, "running") == [f"{job}-0", f"{job}-1"]
    lab.cli("kill", f"{job}-0")
    state = DockerExecutor(lab.environ).states([job])[job]
    assert children(lab, plan, "running") == [f"{job}-1", f"{job}-2"]
    assert (state.phase, state.details["array"]["counts"]) == (
        Phase.RUNNING,
        {"FAILED": 1, "RUNNING": 2, "RUNNABLE": 1},
    )


def test_many_lookers_start_each_child_once(lab: Lab) -> None:
    """Four of them drive one array at the same time, and the engine tells of one start for each child."""
    plan = lab.plan("true", array=6, extra={"parallel": 2})
    job = lab.executor.submit(plan)
    with ThreadPoolExecutor(4) as lookers:
        states = list(lookers.map(lambda _: lab.until(job, DockerExecutor(lab.environ)), range(4)))
    assert {state.phase for state in states} == {Phase.SUCCEEDED}
    filters = {"label": f"io.git-rvexp.array={job}", "event": "start"}
    told = lab.engine.events(since=0, until=int(time.time()) + 1, filters=filters, decode=True)
    assert sorted(event["Actor"]["Attributes"]["name"] for event in told) == [f"{job}-{n}" for n in range(6)]


def test_one_failed_child_fails_the_array(lab: Lab) -> None:
    """The others run to their end; the exit code of the one is told."""
    job = lab.executor.submit(lab.plan("sh", "-c", "exit $((AWS_BATCH_JOB_ARRAY_INDEX == 1 ? 7 : 0))", array=3))
    state = lab.until(job)
    assert (state.phase, state.exit_code) == (Phase.FAILED, 7)
    assert state.reason == "1 of 3 children failed; child 1: exited with 7"
    assert state.details["array"]["failed"] == {"1": {"exit": 7, "reason": "exited with 7"}}


def test_children_in_sequence(lab: Lab) -> None:
    """One after another; after a failure none."""
    plan = lab.plan("sh", "-c", "exit $AWS_BATCH_JOB_ARRAY_INDEX", array=3, sequential=True)
    job = lab.executor.submit(plan)
    state = lab.until(job)
    assert state.details["array"]["failed"] == {
        "1": {"exit": 1, "reason": "exited with 1"},
        "2": {"exit": None, "reason": "not started: child 1 failed"},
    }
    assert children(lab, plan, "created") == [f"{job}-2"]


def test_an_array_is_cancelled_whole(lab: Lab) -> None:
    """What runs is stopped, what waits never starts, and both say why."""
    plan = lab.plan("sleep", "600", array=3, extra={"parallel": 1})
    job = lab.executor.submit(plan)
    lab.executor.cancel(job, "not any more", run=str(plan.run))
    state = DockerExecutor(lab.environ).states([job])[job]
    assert state.phase is Phase.FAILED
    assert [told["reason"].split(";")[0] for told in state.details["array"]["failed"].values()] == ["not any more"] * 3
    assert children(lab, plan, "created") == [f"{job}-1", f"{job}-2"]


def test_an_array_half_made_is_completed(lab: Lab) -> None:
    """Its submitter died while making the children: it is not there yet; made again, it is there once."""
    plan = lab.plan("true", array=3)
    job = lab.executor.submit(plan)
    lab.cli("rm", "--force", f"{job}-0", f"{job}-1")
    assert lab.executor.find(plan) == []
    assert DockerExecutor(lab.environ).submit(plan) == job
    assert lab.until(job).phase is Phase.SUCCEEDED
    assert children(lab, plan) == [f"{job}-{n}" for n in range(3)]


def test_an_interrupt_while_an_array_is_made_leaves_none_of_it(study: Study) -> None:
    """Ctrl-C is heard between two children: what was made goes again, and the run is closed."""
    words = ["submit", "--array", "400", "--executor", "docker", "--", "true"]
    command = [sys.executable, "-m", "git_rvexp", *words]
    with subprocess.Popen(
        command, cwd=study.clone.path, env={**os.environ, **study.env()}, text=True, stderr=subprocess.PIPE
    ) as process:
        until(lambda: study.containers("label=io.git-rvexp.array"))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130, err
    assert err.splitlines()[-1].endswith(" was not handed over: interrupted")
    assert study.containers() == []
    record = study.clone.git("notes", "--ref=rvexp", "show", study.clone.git("tag", "--list", "*/demo"))
    assert record.splitlines()[-1].split()[1] == "refused"


def test_a_child_that_somebody_removed_is_no_success(lab: Lab) -> None:
    """How it ended cannot be told, so the array has not succeeded."""
    job = lab.executor.submit(lab.plan("true", array=2))
    lab.until(job)
    lab.cli("rm", f"{job}-1")
    state = DockerExecutor(lab.environ).states([job])[job]
    assert (state.phase, state.details["array"]["failed"]["1"]["reason"]) == (
        Phase.FAILED,
        "its container is gone: how it ended cannot be told",
    )


PAIR = """
[[step]]
name = "train"
outputs = ["out"]
command = ["sh", "-c", "mkdir out; cat /proc/sys/kernel/random/uuid | tee $RVEXP_SHARED/model >out/model"]
[[step]]
name = "eval"
after = ["train"]
outputs = ["out"]
command = ["sh", "-c", "mkdir out; cp -p $RVEXP_SHARED/model out/; echo $RVEXP_CHAIN"]
"""


def repeated(study: Study, run: str) -> tuple[str, subprocess.CompletedProcess[str]]:
    """Repeat a run to its end; the new run's id, and what was said."""
    done = study.clone.rvexp("repeat", run, "--wait", env=study.env())
    return done.stdout.partition("\n")[0], done


def test_a_repeat_leaves_the_chains_folder_alone(study: Study) -> None:
    """It works in one of its own: empty for a first step, a copy for a later one, of which verify knows the fate."""
    study.clone.write("chain.toml", PAIR)
    assert study.chain("chain.toml", "demo", "--wait").returncode == 0
    (volume,), runs, model = study.volumes(), study.runs(), study.in_shared("cat model; ls -l model")
    trained, done = repeated(study, runs["train"])
    assert "differs; 1 changed (out/model)" in done.stdout, done.stderr
    assert "begins with an empty shared folder" in done.stderr
    assert study.in_shared("cat model; ls -l model") == model
    evaluated, done = repeated(study, runs["eval"])
    assert "identical; 1 file" in done.stdout, done.stderr
    assert f"copied from {volume}" in done.stderr
    assert study.clone.rvexp("logs", evaluated, env=study.env()).stdout == f"{evaluated}\n"
    assert "✓ shared" in study.clone.rvexp("verify", runs["eval"], env=study.env()).stdout
    third, done = repeated(study, evaluated)
    assert "identical; 1 file" in done.stdout, done.stderr
    study.docker("rm", "--force", *study.containers())
    study.docker("volume", "rm", volume, *(f"rvexp-chain-{run}" for run in (trained, evaluated, third)))
    shown = study.clone.rvexp("verify", runs["eval"], env=study.env())
    assert "repeatable now: no: shared" in shown.stdout, shown.stdout
    assert "repeatable now: yes" in study.clone.rvexp("verify", runs["train"], env=study.env()).stdout
    _, done = repeated(study, runs["eval"])
    assert (done.returncode, done.stdout) == (1, "")
    assert f"this engine has no volume {volume}" in done.stderr


def test_a_chain_on_batch(study: Study, batch_world: BatchWorld, registry_repo: str, tmp_path: Path) -> None:
    """Four steps with an array of ten, each a container of Batch's own, seen by the aws CLI too.

    This Batch sets no array index and has no folder that steps share, so the steps only print.
    """
    clone, stack = study.clone, study.stack
    reach_aws(clone, stack)
    use_batch(clone, batch_world, registry_repo)
    clone.write(
        "chain.toml", CHAIN.format(**{s: f"echo {s} $RVEXP_CHAIN" for s in ("chip", "train", "predict", "eval")})
    )
    done = clone.rvexp("chain", "chain.toml", "demo", "--wait", "--json", env=stack.environment())
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [s["state"] for s in told["steps"]] == ["ok"] * 4
    jobs = {s["step"]: s["job"] for s in told["steps"]}
    seen = {j["jobId"]: j for j in stack.aws("batch", "describe-jobs", "--jobs", *jobs.values())["jobs"]}
    assert {j["status"] for j in seen.values()} == {"SUCCEEDED"}
    assert [d["jobId"] for d in seen[jobs["eval"]]["dependsOn"]] == [jobs["predict"]]
    starts = [seen[jobs[s]]["startedAt"] for s in ("chip", "train", "eval")]
    assert starts == sorted(starts)
    log = clone.rvexp("logs", jobs["eval"], env=stack.environment()).stdout
    assert log == f"eval {told['chain']}\n"
    again = clone.rvexp("repeat", jobs["eval"], "--wait", env=stack.environment())
    run = again.stdout.splitlines()[0]
    assert f"RVEXP_CHAIN is {run} in the repeat, not {told['chain']}" in again.stderr
    assert clone.rvexp("logs", run, env=stack.environment()).stdout == f"eval {run}\n"


def test_a_chain_on_batch_is_cancelled(study: Study, batch_world: BatchWorld, registry_repo: str) -> None:
    """While its first step runs: every step ends and none succeeds. This Batch does not stop an array's children."""
    clone, stack = study.clone, study.stack
    reach_aws(clone, stack)
    use_batch(clone, batch_world, registry_repo)
    text = CHAIN.format(**dict.fromkeys(("chip", "train", "predict", "eval"), "sleep 600"))
    clone.write("chain.toml", text.replace("array = 10\n", ""))
    done = clone.rvexp("chain", "chain.toml", "demo", env=stack.environment())
    assert done.returncode == 0, done.stderr
    chain = done.stdout.strip()
    stopped = clone.rvexp("cancel", chain, "--reason", "seen enough", env=stack.environment())
    assert stopped.returncode == 0, stopped.stderr
    told = json.loads(clone.rvexp("chain", "--resume", chain, "-n", "--json", env=stack.environment()).stdout)
    assert [s["state"] for s in told["steps"]] == ["cancelled"] * 4
    jobs = [s["job"] for s in told["steps"]]
    seen = stack.aws("batch", "describe-jobs", "--jobs", *jobs)["jobs"]
    assert {j["status"] for j in seen} == {"FAILED"}


def test_a_forged_chain_gets_no_secret_unasked(study: Study) -> None:
    """Lines that anybody may push, dated ahead so that they are the newest chain: named and refused, nothing runs."""
    study.clone.write("chain.toml", '[[step]]\nname = "one"\ncommand = ["sh", "-c", "test -z $MY_SECRET"]\n')
    assert study.chain("chain.toml", "demo").returncode == 0
    (tag,) = study.clone.git("tag", "--list", "*/demo").split()
    (mine,) = [x for x in study.clone.git("notes", "--ref=rvexp", "show", tag).splitlines() if " planned " in x]
    theirs = mine.replace(mine.split('run="')[1][:10], "zyzyzyzyz2").replace(study.volumes()[0][-10:], "zzzzzzzzzz")
    head = "2999-01-01T00:00:00.000Z"
    lines = [
        f'{head} planned {theirs.split(" ", 2)[2]} secret_env=["MY_SECRET"]',
        f'{head} ended run="zyzyzyzyz2" state="FAILED" exit=1',
    ]
    study.clone.git("notes", "--ref=rvexp", "append", "-m", "\n".join(lines), tag)
    env = {**study.env(), "MY_SECRET": "hunter2"}
    own = study.clone.rvexp("chain", "--resume", env=env)
    assert "chain zzzzzzzzzz is newer, but was planned elsewhere" in own.stderr
    refused = study.clone.rvexp("chain", "--resume", "zzzzzzzzzz", env=env)
    assert refused.returncode == 2, refused.stderr
    assert "asks for variables of yours: MY_SECRET" in refused.stderr
    assert "git rvexp chain --resume zzzzzzzzzz --secret-env MY_SECRET" in refused.stderr
    assert len(study.containers()) == 1
    assert study.clone.rvexp("chain", "--resume", "zzzzzzzzzz", "--secret-env", "MY_SECRET", env=env).returncode == 1
    assert len(study.containers()) == 2
