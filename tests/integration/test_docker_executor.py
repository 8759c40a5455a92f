"""The docker executor against a real engine: what it starts, sees, stops and says, checked with the docker CLI."""

import time
from collections.abc import Iterator

import pytest

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors.docker import DockerExecutor
from git_rvexp.model import Phase, Resources
from tests.integration.docker_lab import HANG, NOBODY, Lab, opened
from tests.integration.parts import Stack


@pytest.fixture
def lab(stack: Stack) -> Iterator[Lab]:
    """An executor on the stack's engine."""
    with opened(stack) as made:
        yield made


def test_success(lab: Lab) -> None:
    """A run that exits with 0 succeeded, with its times, image and host known."""
    job = lab.executor.submit(wanted := lab.plan("true"))
    state = lab.until(job)
    assert (state.phase, state.exit_code, state.reason) == (Phase.SUCCEEDED, 0, "")
    assert state.started is not None
    assert state.stopped is not None
    assert time.time() - HANG < state.started <= state.stopped < time.time() + HANG
    assert state.details["image"] == wanted.image
    assert state.details["container"] == wanted.job_name
    assert state.details["host"] == lab.cli("info", "--format", "{{.Name}}")
    assert lab.cli("inspect", wanted.job_name, "--format", "{{.Id}}") == job


def test_failure(lab: Lab) -> None:
    """A run that exits with 3 failed with 3."""
    state = lab.until(lab.executor.submit(lab.plan("sh", "-c", "exit 3")))
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, 3, "exited with 3")


def test_a_program_that_is_not_there(lab: Lab) -> None:
    """An unknown command is a failed run with a log, as on Batch, not a refusal."""
    job = lab.executor.submit(lab.plan("no-such-program"))
    assert lab.until(job).exit_code == 127
    assert "no-such-program" in "".join(lab.executor.logs(job))


def test_killed(lab: Lab) -> None:
    """A run killed from outside failed with 137 and says by what."""
    job = lab.executor.submit(lab.plan("sleep", "600"))
    lab.cli("kill", job)
    state = lab.until(job)
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, 137, "killed by SIGKILL")


def test_out_of_memory(lab: Lab) -> None:
    """A run beyond its memory is killed, and the reason names the limit."""
    greedy = lab.plan("sh", "-c", "x=aaaaaaaa; while :; do x=$x$x; done", resources=Resources(memory=16))
    state = lab.until(lab.executor.submit(greedy))
    assert (state.phase, state.exit_code) == (Phase.FAILED, 137)
    assert state.reason == "out of memory: its limit is 16 MiB; killed by SIGKILL"


def test_limits_reach_the_engine(lab: Lab) -> None:
    """CPUs and memory are limited by the engine itself, with no swap beyond."""
    job = lab.executor.submit(lab.plan("true", resources=Resources(vcpus=0.5, memory=64)))
    shown = lab.cli(
        "inspect", job, "--format", "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}"
    )
    assert shown == f"500000000 {64 << 20} {64 << 20}"


def test_environment_and_command_arrive_as_they_are(lab: Lab) -> None:
    """Words with spaces, quotes, newlines and other scripts, and such values, reach the program unchanged."""
    odd = "a b'\"$HOME\n; été"
    job = lab.executor.submit(lab.plan("sh", "-c", 'printf "%s|%s" "$1" "$ODD"', "sh", odd, env={"ODD": odd}))
    lab.until(job)
    assert "\n".join(lab.executor.logs(job)) == f"{odd}|{odd}"


def test_labels_are_there_for_other_programs(lab: Lab) -> None:
    """The docker CLI finds a run by its label, and reads the tag from it."""
    wanted = lab.plan("true", extra={"tag": "al/roads/2026-11-22/demo", "tag_oid": "9c1f"}, timeout=90)
    job = lab.executor.submit(wanted)
    assert lab.cli("ps", "-aq", "--no-trunc", "--filter", f"label=io.git-rvexp.run={wanted.run}") == job
    shown = lab.cli("inspect", job, "--format", "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}")
    assert f"io.git-rvexp.run={wanted.run} " in shown
    assert "io.git-rvexp.tag=al/roads/2026-11-22/demo io.git-rvexp.tag-oid=9c1f io.git-rvexp.timeout=90" in shown


def test_a_secret_is_given_and_kept(lab: Lab) -> None:
    """A secret's value reaches the job, and is in neither the labels nor the name nor the command."""
    job = lab.executor.submit(
        lab.plan("sh", "-c", "case $API_KEY in hunter?) ;; *) exit 1; esac", secret_env=("API_KEY",))
    )
    assert lab.until(job).phase is Phase.SUCCEEDED
    assert "hunter2" not in lab.cli(
        "inspect", job, "--format", "{{json .Config.Labels}} {{.Name}} {{json .Config.Cmd}}"
    )


def test_a_missing_secret_is_named(lab: Lab) -> None:
    """A secret that the caller does not have stops the run before anything is made."""
    wanted = lab.plan("true", secret_env=("API_KEY", "OTHER_KEY"))
    with pytest.raises(UsageError, match="OTHER_KEY") as caught:
        lab.executor.submit(wanted)
    assert "hunter2" not in str(caught.value)
    assert lab.executor.find(wanted) == []


def test_logs_come_in_order(lab: Lab) -> None:
    """Both streams are one, in the order written, while it runs and after."""
    wait = "until [ -e /$i ]; do sleep 0.05; done"
    job = lab.executor.submit(lab.plan("sh", "-c", f"for i in 1 2; do echo out $i; {wait}; echo err $i >&2; done"))
    follower = lab.executor.logs(job, follow=True)
    assert next(follower) == "out 1"
    lab.cli("exec", job, "touch", "/1")
    assert {next(follower), next(follower)} == {"err 1", "out 2"}
    lab.let_end(job, "/2")
    assert list(follower) == ["err 2"]
    whole = list(lab.executor.logs(job))
    assert (whole[0], sorted(whole[1:3]), whole[3:]) == ("out 1", ["err 1", "out 2"], ["err 2"])


def test_odd_text_in_logs(lab: Lab) -> None:
    """Bytes that are no text, an empty line and an unfinished last line come through."""
    job = lab.executor.submit(lab.plan("sh", "-c", 'printf "\\377\\n\\nend"'))
    lab.until(job)
    assert list(lab.executor.logs(job)) == ["\ufffd", "", "end"]


def test_a_long_line_stays_one(lab: Lab) -> None:
    """A line longer than the engine's own pieces of 16 KiB is one line."""
    job = lab.executor.submit(lab.plan("sh", "-c", "head -c 100000 /dev/zero | tr '\\0' é; echo; echo after"))
    lab.until(job)
    first, second = lab.executor.logs(job)
    assert (len(first) >= 100000, second) == (True, "after")


def test_following_ends_with_the_job(lab: Lab) -> None:
    """A follower gets a line while the job still waits for something, and the rest until its end."""
    job = lab.executor.submit(lab.plan("sh", "-c", "echo begun; until [ -e /go ]; do sleep 0.1; done; echo done"))
    lines = lab.executor.logs(job, follow=True)
    assert next(lines) == "begun"
    assert lab.executor.states([job])[job].phase is Phase.RUNNING
    lab.let_end(job, "/go")
    assert list(lines) == ["done"]
    assert lab.until(job).phase is Phase.SUCCEEDED


def test_cancel(lab: Lab) -> None:
    """A cancelled run failed, by SIGTERM and not after the grace, and says why to any other process."""
    plan = lab.plan("sleep", "600")
    job = lab.executor.submit(plan)
    lab.executor.cancel(job, "wrong data", run=str(plan.run))
    state = DockerExecutor(lab.environ).states([job])[job]
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, 143, "wrong data; killed by SIGTERM")


def test_a_cancelled_run_that_exits_well_has_not_succeeded(lab: Lab) -> None:
    """A job that answers SIGTERM with exit code 0 has still not done its work."""
    plan = lab.plan("sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done")
    job = lab.executor.submit(plan)
    assert next(lab.executor.logs(job, follow=True)) == "ready"
    lab.executor.cancel(job, "enough", run=str(plan.run))
    state = lab.until(job)
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, 0, "enough; exited with 0")


def test_what_is_not_the_runs_is_neither_stopped_nor_started_nor_read(lab: Lab) -> None:
    """A record may name any container: somebody's database by name or id, or the job of another run."""
    plan = lab.plan("sleep", "600")
    job = lab.executor.submit(plan)
    victim = lab.engine.containers.create(plan.image, ["sleep", "600"], name=f"db-{plan.run}")
    try:
        executor = DockerExecutor(lab.environ, late=0)
        assert executor.states([victim.id]) == {}
        victim.start()
        for name in (victim.id, victim.name):
            with pytest.raises(RvexpError, match="not the job of run"):
                executor.cancel(name, "enough", run=str(plan.run))
            with pytest.raises(RvexpError, match="not the job of any run"):
                list(executor.logs(name))
        with pytest.raises(RvexpError, match="not the job of run"):
            executor.cancel(job, "enough", run="zyzyzyzyz2")
        assert lab.cli("inspect", victim.id, job, "--format", "{{.State.Status}}").split() == ["running", "running"]
    finally:
        victim.remove(force=True)


def test_cancel_leaves_an_ended_job_alone(lab: Lab) -> None:
    """A success stays a success; an unknown job is an error."""
    plan = lab.plan("true")
    job = lab.executor.submit(plan)
    lab.until(job)
    lab.executor.cancel(job, "too late", run=str(plan.run))
    assert lab.until(job).phase is Phase.SUCCEEDED
    with pytest.raises(RvexpError, match="knows no job"):
        lab.executor.cancel(NOBODY, "who?", run=str(plan.run))
