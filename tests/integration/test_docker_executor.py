"""The docker executor against a real engine: what it starts, sees, stops and says, checked with the docker CLI."""

import io
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from git_rvexp.errors import CredentialsError, RvexpError, UsageError
from git_rvexp.executors.docker import DockerExecutor
from git_rvexp.executors.docker_asking import request
from git_rvexp.executors.protocol import Executor, LogSource, RefusedError, UnsureError
from git_rvexp.model import JobState, Phase, Plan, Resources
from git_rvexp.names import RunId
from tests.integration.cut import CutSocket
from tests.integration.parts import Stack

HANG = 120  # seconds; only so that a test that would never end does
NOBODY = "0" * 64


Cli = Callable[..., str]
Plans = Callable[..., Plan]


@pytest.fixture
def cli(stack: Stack) -> Cli:
    """What the docker CLI, which shares no code with us, says."""
    return lambda *words: stack.run("docker", *words).stdout.strip()


@pytest.fixture(scope="session")
def engine(stack: Stack) -> Iterator[Any]:
    """The engine that dev/stack started."""
    client = docker.DockerClient(base_url=stack.docker_host)
    yield client
    client.close()


@pytest.fixture(scope="session")
def image(stack: Stack, engine: Any) -> str:
    """The id of an image with a shell."""
    return str(engine.images.get(stack.tiny_image).id)


@pytest.fixture
def environ(stack: Stack) -> dict[str, str]:
    """Where the engine is, and one secret."""
    return {"DOCKER_HOST": stack.docker_host, "API_KEY": "hunter2"}


@pytest.fixture
def executor(environ: dict[str, str]) -> DockerExecutor:
    """An executor over the stack's engine."""
    return DockerExecutor(environ)


@pytest.fixture
def plan(image: str, engine: Any) -> Iterator[Plans]:
    """Makes plans; their containers are removed in the end."""
    made: list[Plan] = []

    def make(*command: str, **fields: Any) -> Plan:
        run = RunId.new()
        made.append(Plan(**{**_fields(run, image, command), **fields}))
        return made[-1]

    yield make
    for one in made:
        for container in engine.containers.list(all=True, filters={"name": f"^/{one.job_name}$"}):
            container.remove(force=True)


def _fields(run: RunId, image: str, command: tuple[str, ...]) -> dict[str, Any]:
    return {
        "run": run,
        "executor": "docker",
        "job_name": run.job_name("demo"),
        "image": image,
        "command": command,
        "env": {"RVEXP_RUN": str(run)},
    }


def until(executor: DockerExecutor, job: str) -> JobState:
    """The state of a job once it is over; the last one seen if that takes too long."""
    state = executor.states([job])[job]
    for _ in range(HANG * 10):
        if state.phase.over:
            break
        time.sleep(0.1)
        state = executor.states([job])[job]
    return state


def test_it_is_an_executor_and_a_log_source(executor: DockerExecutor) -> None:
    """The class satisfies both protocols."""
    as_executor: Executor = executor
    as_source: LogSource = executor
    assert as_executor.name == "docker"
    assert as_source is executor


def test_success(executor: DockerExecutor, plan: Plans, cli: Cli) -> None:
    """A run that exits with 0 succeeded, with its times, image and host known."""
    job = executor.submit(wanted := plan("true"))
    state = until(executor, job)
    assert (state.phase, state.exit_code, state.reason) == (Phase.SUCCEEDED, 0, "")
    assert state.started is not None
    assert state.stopped is not None
    assert time.time() - HANG < state.started <= state.stopped < time.time() + HANG
    assert state.details["image"] == wanted.image
    assert state.details["container"] == wanted.job_name
    assert state.details["host"] == cli("info", "--format", "{{.Name}}")
    assert cli("inspect", wanted.job_name, "--format", "{{.Id}}") == job


def test_failure(executor: DockerExecutor, plan: Plans) -> None:
    """A run that exits with 3 failed with 3."""
    state = until(executor, executor.submit(plan("sh", "-c", "exit 3")))
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, 3, "exited with 3")


def test_a_program_that_is_not_there(executor: DockerExecutor, plan: Plans) -> None:
    """An unknown command is a failed run with a log, as on Batch, not a refusal."""
    job = executor.submit(plan("no-such-program"))
    assert until(executor, job).exit_code == 127
    assert "no-such-program" in "".join(executor.logs(job))


def test_killed(executor: DockerExecutor, plan: Plans, cli: Cli) -> None:
    """A run killed from outside failed with 137 and says by what."""
    job = executor.submit(plan("sleep", "600"))
    cli("kill", job)
    state = until(executor, job)
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, 137, "killed by SIGKILL")


def test_out_of_memory(executor: DockerExecutor, plan: Plans) -> None:
    """A run beyond its memory is killed, and the reason names the limit."""
    greedy = plan("sh", "-c", "x=aaaaaaaa; while :; do x=$x$x; done", resources=Resources(memory=16))
    state = until(executor, executor.submit(greedy))
    assert (state.phase, state.exit_code) == (Phase.FAILED, 137)
    assert state.reason == "out of memory: its limit is 16 MiB; killed by SIGKILL"


def test_limits_reach_the_engine(executor: DockerExecutor, plan: Plans, cli: Cli) -> None:
    """CPUs and memory are limited by the engine itself, with no swap beyond."""
    job = executor.submit(plan("true", resources=Resources(vcpus=0.5, memory=64)))
    shown = cli(
        "inspect", job, "--format", "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}"
    )
    assert shown == f"500000000 {64 << 20} {64 << 20}"


def test_environment_and_command_arrive_as_they_are(executor: DockerExecutor, plan: Plans) -> None:
    """Words with spaces, quotes, newlines and other scripts, and such values, reach the program unchanged."""
    odd = "a b'\"$HOME\n; été"
    job = executor.submit(plan("sh", "-c", 'printf "%s|%s" "$1" "$ODD"', "sh", odd, env={"ODD": odd}))
    until(executor, job)
    assert "\n".join(executor.logs(job)) == f"{odd}|{odd}"


def test_labels_are_there_for_other_programs(executor: DockerExecutor, plan: Plans, cli: Cli) -> None:
    """The docker CLI finds a run by its label, and reads the tag from it."""
    wanted = plan("true", extra={"tag": "al/roads/2026-11-22/demo", "tag_oid": "9c1f"}, timeout=90)
    job = executor.submit(wanted)
    assert cli("ps", "-aq", "--no-trunc", "--filter", f"label=io.git-rvexp.run={wanted.run}") == job
    shown = cli("inspect", job, "--format", "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}")
    assert f"io.git-rvexp.run={wanted.run} " in shown
    assert "io.git-rvexp.tag=al/roads/2026-11-22/demo io.git-rvexp.tag-oid=9c1f io.git-rvexp.timeout=90" in shown


def test_a_secret_is_given_and_kept(executor: DockerExecutor, plan: Plans, cli: Cli) -> None:
    """A secret's value reaches the job, and is in neither the labels nor the name nor the command."""
    job = executor.submit(plan("sh", "-c", "case $API_KEY in hunter?) ;; *) exit 1; esac", secret_env=("API_KEY",)))
    assert until(executor, job).phase is Phase.SUCCEEDED
    assert "hunter2" not in cli("inspect", job, "--format", "{{json .Config.Labels}} {{.Name}} {{json .Config.Cmd}}")


def test_a_missing_secret_is_named(executor: DockerExecutor, plan: Plans) -> None:
    """A secret that the caller does not have stops the run before anything is made."""
    wanted = plan("true", secret_env=("API_KEY", "OTHER_KEY"))
    with pytest.raises(UsageError, match="OTHER_KEY") as caught:
        executor.submit(wanted)
    assert "hunter2" not in str(caught.value)
    assert executor.find(wanted) == []


def test_logs_come_in_order(executor: DockerExecutor, plan: Plans) -> None:
    """Both streams are merged in the order written; broken text and an unfinished last line come through."""
    script = (
        'for i in 1 2 3; do echo "out $i"; sleep 0.02; echo "err $i" >&2; sleep 0.02; done; printf "\\377\\n\\nend"'
    )
    job = executor.submit(plan("sh", "-c", script))
    until(executor, job)
    whole = ["out 1", "err 1", "out 2", "err 2", "out 3", "err 3", "\ufffd", "", "end"]
    assert list(executor.logs(job)) == whole


def test_a_long_line_stays_one(executor: DockerExecutor, plan: Plans) -> None:
    """A line longer than the engine's own pieces of 16 KiB is one line."""
    job = executor.submit(plan("sh", "-c", "head -c 100000 /dev/zero | tr '\\0' é; echo; echo after"))
    until(executor, job)
    first, second = executor.logs(job)
    assert (len(first) >= 100000, second) == (True, "after")


def test_following_ends_with_the_job(executor: DockerExecutor, plan: Plans, cli: Cli) -> None:
    """A follower gets a line while the job still waits for something, and the rest until its end."""
    job = executor.submit(plan("sh", "-c", "echo begun; until [ -e /go ]; do sleep 0.1; done; echo done"))
    lines = executor.logs(job, follow=True)
    assert next(lines) == "begun"
    assert executor.states([job])[job].phase is Phase.RUNNING
    cli("exec", job, "touch", "/go")
    assert list(lines) == ["done"]
    assert until(executor, job).phase is Phase.SUCCEEDED


def test_cancel(executor: DockerExecutor, plan: Plans, environ: dict[str, str]) -> None:
    """A cancelled run failed, by SIGTERM and not after the grace, and says why to any other process."""
    job = executor.submit(plan("sleep", "600"))
    executor.cancel(job, "wrong data")
    state = DockerExecutor(environ).states([job])[job]
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, 143, "wrong data; killed by SIGTERM")


def test_a_cancelled_run_that_exits_well_has_not_succeeded(executor: DockerExecutor, plan: Plans) -> None:
    """A job that answers SIGTERM with exit code 0 has still not done its work."""
    job = executor.submit(plan("sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done"))
    assert next(executor.logs(job, follow=True)) == "ready"
    executor.cancel(job, "enough")
    state = until(executor, job)
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, 0, "enough; exited with 0")


def test_cancel_leaves_an_ended_job_alone(executor: DockerExecutor, plan: Plans) -> None:
    """A success stays a success; an unknown job is an error."""
    job = executor.submit(plan("true"))
    until(executor, job)
    executor.cancel(job, "too late")
    assert until(executor, job).phase is Phase.SUCCEEDED
    with pytest.raises(RvexpError, match="knows no job"):
        executor.cancel(NOBODY, "who?")


def test_unknown_ids_are_absent(executor: DockerExecutor, plan: Plans) -> None:
    """States holds what the engine knows by its full id, and nothing else."""
    job = executor.submit(wanted := plan("true"))
    asked = [NOBODY, job, job[:12], wanted.job_name, "", "477a733a-0000-4000-8000-000000000000"]
    assert list(executor.states(asked)) == [job]


def test_a_name_is_given_once(executor: DockerExecutor, plan: Plans, cli: Cli) -> None:
    """Submitting the same plan again makes no second container: the first is found and adopted."""
    wanted = plan("true")
    job = executor.submit(wanted)
    with pytest.raises(UnsureError, match="exists already"):
        executor.submit(wanted)
    assert executor.find(wanted) == [job]
    assert cli("ps", "-aq", "--no-trunc", "--filter", f"name=^/{wanted.job_name}$") == job


def test_a_foreign_container_with_our_name(executor: DockerExecutor, plan: Plans, image: str, cli: Cli) -> None:
    """A container that somebody else gave our name is not adopted; the plan is refused."""
    wanted = plan("true")
    cli("create", "--name", wanted.job_name, image, "true")
    assert executor.find(wanted) == []
    with pytest.raises(RefusedError, match="already in use"):
        executor.submit(wanted)


def test_find_nothing(executor: DockerExecutor, plan: Plans) -> None:
    """A run that never was has no container."""
    assert executor.find(plan("true")) == []


def test_another_engine_cannot_know(executor: DockerExecutor, plan: Plans) -> None:
    """A run planned for another engine is not "not found" here."""
    with pytest.raises(RvexpError, match="planned for the Docker engine AAAA:BBBB"):
        executor.find(plan("true", extra={"engine": "AAAA:BBBB"}))
    assert executor.find(plan("true", extra=executor.place)) == []


@pytest.mark.parametrize(
    ("call", "left"),
    [("/containers/create", "created"), (r"/containers/\w+/start", "exited"), (r"/containers/\w+/json", "created")],
)
def test_a_lost_reply_is_unsure(
    executor: DockerExecutor, plan: Plans, tmp_path: Path, call: str, left: str, cli: Cli, stack: Stack
) -> None:
    """The engine does as told and its answer is lost: a job may exist, and looking it up finds the one."""
    wanted = plan("true")
    with CutSocket(stack.docker_host, tmp_path / "s", re.compile(call)) as address:
        cut = DockerExecutor({"DOCKER_HOST": address})
        with pytest.raises(UnsureError, match=wanted.job_name):
            cut.submit(wanted)
    (job,) = executor.find(wanted)
    if left == "exited":
        assert until(executor, job).phase is Phase.SUCCEEDED
    assert cli("inspect", job, "--format", "{{.State.Status}}") == left


def test_a_container_left_behind_is_started_once(
    executor: DockerExecutor, plan: Plans, engine: Any, environ: dict[str, str]
) -> None:
    """A container whose submitter died before starting it is started by a later look, not by an early one."""
    wanted = plan("sh", "-c", "echo run >>/count; cat /count")
    made = engine.containers.create(**request(wanted, {}))
    (job,) = executor.find(wanted)
    assert made.id == job
    early = executor.states([job])[job]
    assert (early.phase, early.reason) == (Phase.SUBMITTED, "made, not started yet")
    assert until(DockerExecutor(environ, late=0), job).phase is Phase.SUCCEEDED
    assert executor.states([job])[job].phase is Phase.SUCCEEDED
    assert list(executor.logs(job)) == ["run"]


def test_a_container_left_behind_can_be_cancelled(
    executor: DockerExecutor, plan: Plans, engine: Any, cli: Cli, environ: dict[str, str]
) -> None:
    """Once cancelled, it is never started."""
    made = engine.containers.create(**request(plan("true"), {}))
    executor.cancel(made.id, "not any more")
    state = DockerExecutor(environ, late=0).states([made.id])[made.id]
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, None, "not any more; never started")
    assert cli("inspect", made.id, "--format", "{{.State.Status}}") == "created"


def test_a_time_limit_is_kept_by_whoever_looks(executor: DockerExecutor, plan: Plans) -> None:
    """A run over its time is stopped at the next look, and says so."""
    state = until(executor, executor.submit(plan("sleep", "600", timeout=1)))
    assert (state.phase, state.exit_code) == (Phase.FAILED, 143)
    assert state.reason == "over its time limit of 1 s; killed by SIGTERM"


def test_a_time_limit_that_nobody_watched_is_admitted(executor: DockerExecutor, plan: Plans, cli: Cli) -> None:
    """A run that ended by itself beyond its limit, unseen, keeps its success and says how long it took."""
    job = executor.submit(plan("sleep", "2", timeout=1))
    cli("wait", job)
    state = executor.states([job])[job]
    assert (state.phase, state.exit_code) == (Phase.SUCCEEDED, 0)
    assert state.reason.endswith("beyond its limit of 1 s: nobody looked in time to stop it")


def test_an_image_that_is_gone(executor: DockerExecutor, plan: Plans) -> None:
    """A missing image is refused by the check and by submit, and leaves nothing."""
    wanted = plan("true", image=f"sha256:{NOBODY}")
    with pytest.raises(RefusedError, match="has no image"):
        executor.check(wanted)
    with pytest.raises(RefusedError, match="No such image"):
        executor.submit(wanted)
    assert executor.find(wanted) == []


def test_what_cannot_start_leaves_nothing(executor: DockerExecutor, plan: Plans) -> None:
    """A container that the engine cannot start is removed, so that the same plan may be tried again."""
    wanted = plan("true", resources=Resources(gpus=1))
    with pytest.raises(RefusedError, match="gpu"):
        executor.submit(wanted)
    assert executor.find(wanted) == []


def test_check_accepts_what_runs(executor: DockerExecutor, plan: Plans) -> None:
    """A plan that fits passes, and the check makes no container."""
    wanted = plan("true", resources=Resources(vcpus=1, memory=64), secret_env=("API_KEY",))
    executor.check(wanted)
    assert executor.find(wanted) == []


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        (Resources(vcpus=10_000), "10000 vcpus asked for; the engine has"),
        (Resources(memory=1 << 30), "MiB of memory asked for"),
        (Resources(memory=1), "the engine gives 6 to"),
        (Resources(gpus=1), "offers none"),
    ],
)
def test_check_refuses_what_the_engine_lacks(
    executor: DockerExecutor, plan: Plans, resources: Resources, says: str
) -> None:
    """Resources that this engine does not have are refused before anything is written."""
    with pytest.raises(RefusedError, match=says):
        executor.check(plan("true", resources=resources))


def test_an_image_is_pulled_by_digest(
    plan: Plans, engine: Any, cli: Cli, stack: Stack, environ: dict[str, str]
) -> None:
    """An image that only the registry has is pulled, once, and runs."""
    repository = f"{stack.registry}/pull-{RunId.new()}"
    content = f"FROM {stack.tiny_image}\nLABEL one={RunId.new()}\n"
    engine.images.build(fileobj=io.BytesIO(content.encode()), tag=repository)
    cli("push", repository)
    ref = cli("inspect", repository, "--format", "{{index .RepoDigests 0}}")
    cli("rmi", repository)
    heard: list[str] = []
    executor = DockerExecutor(environ, say=heard.append)
    wanted = plan("true", image=ref)
    executor.check(wanted)
    executor.check(wanted)
    assert heard == [f"pulling {ref}"]
    assert until(executor, executor.submit(wanted)).phase is Phase.SUCCEEDED
    cli("rm", wanted.job_name)
    cli("rmi", ref)


def test_a_pull_that_the_registry_refuses(executor: DockerExecutor, plan: Plans, stack: Stack) -> None:
    """A registry that wants a password is a matter of credentials; one that lacks the image is not."""
    closed, opened = stack.registry_auth, stack.registry
    with pytest.raises(CredentialsError, match="does not let us pull") as caught:
        executor.check(plan("true", image=f"{closed}/none@sha256:{NOBODY}"))
    assert caught.value.hint == f"docker login {closed}"
    with pytest.raises(RefusedError, match="cannot be pulled"):
        executor.check(plan("true", image=f"{opened}/none@sha256:{NOBODY}"))


def test_no_engine(tmp_path: Path) -> None:
    """Where no engine answers, there is no executor."""
    with pytest.raises(RvexpError, match="no Docker engine answers") as caught:
        DockerExecutor({"DOCKER_HOST": f"unix://{tmp_path}/none"})
    assert caught.value.hint == "git rvexp doctor"


def test_an_engine_that_goes_away(plan: Plans, stack: Stack, tmp_path: Path) -> None:
    """Once the engine is gone nothing is "absent": every question is an error with a hint, and a submit is unsure."""
    wanted = plan("true")
    with CutSocket(stack.docker_host, tmp_path / "s", re.compile("^$")) as address:
        executor = DockerExecutor({"DOCKER_HOST": address})
        assert executor.find(wanted) == []
    for ask in (
        lambda: executor.check(wanted),
        lambda: executor.find(wanted),
        lambda: executor.states([NOBODY]),
        lambda: executor.cancel(NOBODY, "x"),
        lambda: list(executor.logs(NOBODY)),
    ):
        with pytest.raises(RvexpError, match="the Docker engine did not") as caught:
            ask()
        assert caught.value.hint == "git rvexp doctor"
    with pytest.raises(UnsureError):
        executor.submit(wanted)
