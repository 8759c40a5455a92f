"""The docker executor when things go wrong: names taken, replies lost, submitters gone, images and engines missing."""

import base64
import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_rvexp.data import tarred
from git_rvexp.errors import CredentialsError, RvexpError
from git_rvexp.executors.docker import DockerExecutor
from git_rvexp.executors.docker_asking import request
from git_rvexp.executors.protocol import RefusedError, UnsureError
from git_rvexp.images.engine import Engine
from git_rvexp.model import Phase, Resources
from git_rvexp.names import RunId
from git_rvexp.progress import Step
from tests.integration.cut import CutSocket
from tests.integration.docker_lab import NOBODY, Lab, opened
from tests.integration.parts import Stack


@pytest.fixture
def lab(stack: Stack) -> Iterator[Lab]:
    """An executor on the stack's engine."""
    with opened(stack) as made:
        yield made


def test_unknown_ids_are_absent(lab: Lab) -> None:
    """States holds what the engine knows by its full id, and nothing else."""
    job = lab.executor.submit(wanted := lab.plan("true"))
    asked = [NOBODY, job, job[:12], wanted.job_name, "", "477a733a-0000-4000-8000-000000000000"]
    assert list(lab.executor.states(asked)) == [job]


def test_a_name_is_given_once(lab: Lab) -> None:
    """Submitting the same plan again makes no second container: the first is found and adopted."""
    wanted = lab.plan("true")
    job = lab.executor.submit(wanted)
    with pytest.raises(UnsureError, match="exists already"):
        lab.executor.submit(wanted)
    assert lab.executor.find(wanted) == [job]
    assert lab.cli("ps", "-aq", "--no-trunc", "--filter", f"name=^/{wanted.job_name}$") == job


def test_a_foreign_container_with_our_name(lab: Lab) -> None:
    """A container that somebody else gave our name is not adopted; the plan is refused."""
    wanted = lab.plan("true")
    lab.cli("create", "--name", wanted.job_name, lab.image, "true")
    assert lab.executor.find(wanted) == []
    with pytest.raises(RefusedError, match="already in use"):
        lab.executor.submit(wanted)


def test_find_nothing(lab: Lab) -> None:
    """A run that never was has no container."""
    assert lab.executor.find(lab.plan("true")) == []


def test_another_engine_cannot_know(lab: Lab) -> None:
    """A run planned for another engine is not "not found" here."""
    with pytest.raises(RvexpError, match="planned for the Docker engine AAAA:BBBB"):
        lab.executor.find(lab.plan("true", extra={"engine": "AAAA:BBBB"}))
    assert lab.executor.find(lab.plan("true", extra=lab.executor.place)) == []


@pytest.mark.parametrize(
    ("call", "left"),
    [("/containers/create", "created"), (r"/containers/\w+/start", "exited"), (r"/containers/\w+/json", "created")],
)
def test_a_lost_reply_is_unsure(lab: Lab, tmp_path: Path, call: str, left: str) -> None:
    """The engine does as told and its answer is lost: a job may exist, and looking it up finds the one."""
    wanted = lab.plan("true")
    with CutSocket(lab.stack.docker_host, tmp_path / "s", re.compile(call)) as address:
        cut = DockerExecutor({"DOCKER_HOST": address})
        with pytest.raises(UnsureError, match=wanted.job_name):
            cut.submit(wanted)
    (job,) = lab.executor.find(wanted)
    if left == "exited":
        assert lab.until(job).phase is Phase.SUCCEEDED
    assert lab.cli("inspect", job, "--format", "{{.State.Status}}") == left


def _archive(engine: Engine, job: str) -> Iterator[bytes]:
    found = engine.archive(job, "/out")
    assert found
    return found[0]


@pytest.mark.parametrize("read", [_archive, Engine.files])
def test_files_that_break_off_on_their_way_are_an_error(
    lab: Lab, tmp_path: Path, read: Callable[[Engine, str], Iterator[bytes]]
) -> None:
    """The engine begins to hand out what a container left and goes: told in words, so that the run's end is kept."""
    job = lab.executor.submit(lab.plan("sh", "-c", "mkdir /out; head -c 2000000 /dev/urandom >/out/numbers"))
    assert lab.until(job).phase is Phase.SUCCEEDED
    whole = tarred.files(read(Engine.connect(lab.environ), job), "", "/")
    assert [r.item.size for r in whole if "numbers" in r.item.name]
    place = tmp_path / "s"
    with CutSocket(lab.stack.docker_host, place, re.compile("/archive|/export"), after=200_000) as address:
        chunks = read(Engine.connect({"DOCKER_HOST": address}), job)
        with pytest.raises(RvexpError, match="the Docker engine could not read") as caught:
            list(tarred.files(chunks, "", "/"))
        assert caught.value.hint == "git rvexp doctor"


def test_a_container_left_behind_is_started_once(lab: Lab) -> None:
    """A container whose submitter died before starting it is started by a later look, not by an early one."""
    wanted = lab.plan("sh", "-c", "echo run >>/count; cat /count")
    made = lab.engine.containers.create(**request(wanted, {}))
    (job,) = lab.executor.find(wanted)
    assert made.id == job
    early = lab.executor.states([job])[job]
    assert (early.phase, early.reason) == (Phase.SUBMITTED, "made, not started yet")
    assert lab.until(job, DockerExecutor(lab.environ, late=0)).phase is Phase.SUCCEEDED
    assert lab.executor.states([job])[job].phase is Phase.SUCCEEDED
    assert list(lab.executor.logs(job)) == ["run"]


def test_a_container_left_behind_can_be_cancelled(lab: Lab) -> None:
    """Once cancelled, it is never started."""
    plan = lab.plan("true")
    made = lab.engine.containers.create(**request(plan, {}))
    lab.executor.cancel(made.id, "not any more", run=str(plan.run))
    state = DockerExecutor(lab.environ, late=0).states([made.id])[made.id]
    assert (state.phase, state.exit_code, state.reason) == (Phase.FAILED, None, "not any more; never started")
    assert lab.cli("inspect", made.id, "--format", "{{.State.Status}}") == "created"


def test_a_time_limit_is_kept_by_whoever_looks(lab: Lab) -> None:
    """A run over its time is stopped at the next look, and says so."""
    state = lab.until(lab.executor.submit(lab.plan("sleep", "600", timeout=1)))
    assert (state.phase, state.exit_code) == (Phase.FAILED, 143)
    assert state.reason == "over its time limit of 1 s; killed by SIGTERM"


def test_a_time_limit_that_nobody_watched_is_admitted(lab: Lab) -> None:
    """A run that ended by itself beyond its limit, unseen, keeps its success and says how long it took."""
    job = lab.executor.submit(lab.plan("sleep", "2", timeout=1))
    lab.cli("wait", job)
    state = lab.executor.states([job])[job]
    assert (state.phase, state.exit_code) == (Phase.SUCCEEDED, 0)
    assert state.reason.endswith("beyond its limit of 1 s: nobody looked in time to stop it")


def test_an_image_that_is_gone(lab: Lab) -> None:
    """A missing image is refused by the check and by submit, and leaves nothing."""
    wanted = lab.plan("true", image=f"sha256:{NOBODY}")
    with pytest.raises(RefusedError, match="has no image"):
        lab.executor.check(wanted)
    with pytest.raises(RefusedError, match="No such image"):
        lab.executor.submit(wanted)
    assert lab.executor.find(wanted) == []


def test_what_cannot_start_leaves_nothing(lab: Lab) -> None:
    """A container that the engine cannot start is removed, so that the same plan may be tried again."""
    wanted = lab.plan("true", resources=Resources(gpus=1))
    with pytest.raises(RefusedError, match="gpu"):
        lab.executor.submit(wanted)
    assert lab.executor.find(wanted) == []


def test_check_accepts_what_runs(lab: Lab) -> None:
    """A plan that fits passes, and the check makes no container."""
    wanted = lab.plan("true", resources=Resources(vcpus=1, memory=64), secret_env=("API_KEY",))
    lab.executor.check(wanted)
    assert lab.executor.find(wanted) == []


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        (Resources(vcpus=10_000), "10000 vcpus asked for; the engine has"),
        (Resources(memory=1 << 30), "MiB of memory asked for"),
        (Resources(memory=1), "the engine gives 6 to"),
        (Resources(gpus=1), "offers none"),
    ],
)
def test_check_refuses_what_the_engine_lacks(lab: Lab, resources: Resources, says: str) -> None:
    """Resources that this engine does not have are refused before anything is written."""
    with pytest.raises(RefusedError, match=says):
        lab.executor.check(lab.plan("true", resources=resources))


@pytest.mark.parametrize("closed", [False, True])
def test_an_image_is_pulled_by_digest(lab: Lab, tmp_path: Path, *, closed: bool) -> None:
    """An image that only the registry has is pulled, once, with the login that docker keeps, and runs."""
    stack = lab.stack
    repository = f"{stack.registry_auth if closed else stack.registry}/pull-{RunId.new()}"
    content = f"FROM {stack.tiny_image}\nLABEL one={RunId.new()}\n"
    lab.engine.images.build(fileobj=io.BytesIO(content.encode()), tag=repository)
    login = {"username": stack.registry_user, "password": stack.registry_password}
    lab.engine.images.push(repository, auth_config=login if closed else {})
    ref = lab.cli("inspect", repository, "--format", "{{index .RepoDigests 0}}")
    lab.cli("rmi", repository)
    word = base64.b64encode(":".join(login.values()).encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {stack.registry_auth: {"auth": word}}}))
    heard: list[str] = []

    @contextlib.contextmanager
    def progress(what: str, _total: int, _unit: str) -> Iterator[Step]:
        heard.append(f"shown: {what}")
        yield lambda _bytes: None

    executor = DockerExecutor({**lab.environ, "DOCKER_CONFIG": str(tmp_path)}, say=heard.append, progress=progress)
    wanted = lab.plan("true", image=ref)
    executor.check(wanted)
    executor.check(wanted)
    assert heard == [f"pulling {ref}", f"shown: pulling {ref}"]
    assert lab.until(executor.submit(wanted)).phase is Phase.SUCCEEDED
    lab.cli("rm", wanted.job_name)
    lab.cli("rmi", ref)


def test_a_pull_that_the_registry_refuses(lab: Lab) -> None:
    """A registry that wants a password is a matter of credentials; one that lacks the image is not."""
    closed, opened = lab.stack.registry_auth, lab.stack.registry
    with pytest.raises(CredentialsError, match="does not let us pull") as caught:
        lab.executor.check(lab.plan("true", image=f"{closed}/none@sha256:{NOBODY}"))
    assert caught.value.hint == f"docker login {closed}"
    with pytest.raises(RefusedError, match="cannot be pulled"):
        lab.executor.check(lab.plan("true", image=f"{opened}/none@sha256:{NOBODY}"))


def test_no_engine(lab: Lab, tmp_path: Path) -> None:
    """Where no engine answers, there is no lab.executor."""
    with pytest.raises(RvexpError, match="no Docker engine answers") as caught:
        DockerExecutor({"DOCKER_HOST": f"unix://{tmp_path}/none"})
    assert caught.value.hint == "git rvexp doctor"


def test_an_engine_that_goes_away(lab: Lab, tmp_path: Path) -> None:
    """Once the engine is gone nothing is "absent": every question is an error with a hint, and a submit is unsure."""
    wanted = lab.plan("true")
    with CutSocket(lab.stack.docker_host, tmp_path / "s", re.compile("^$")) as address:
        executor = DockerExecutor({"DOCKER_HOST": address})
        assert executor.find(wanted) == []
    for ask in (
        lambda: executor.check(wanted),
        lambda: executor.find(wanted),
        lambda: executor.states([NOBODY]),
        lambda: executor.cancel(NOBODY, "x", run=str(wanted.run)),
        lambda: list(executor.logs(NOBODY)),
    ):
        with pytest.raises(RvexpError, match="the Docker engine did not") as caught:
            ask()
        assert caught.value.hint == "git rvexp doctor"
    with pytest.raises(UnsureError):
        executor.submit(wanted)
