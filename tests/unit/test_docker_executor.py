"""What the docker executor asks of an engine and how it reads the answers, without an engine."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors import docker_remark
from git_rvexp.executors.docker import DockerExecutor
from git_rvexp.executors.docker_asking import check_plan, check_room, environment, request
from git_rvexp.executors.docker_reading import LONGEST, epoch, job_state, lines, overdue
from git_rvexp.executors.protocol import RefusedError
from git_rvexp.model import Phase, Plan, Resources
from git_rvexp.names import RunId
from tests.doubles.server import LoopbackServer, Reply, Request

NEVER = "0001-01-01T00:00:00Z"
STARTED, STOPPED = "2026-11-22T14:38:17.016253232Z", "2026-11-22T14:38:27.516253232Z"
IMAGE = "sha256:" + "ab" * 32


def plan(**fields: Any) -> Plan:
    """A plan that is in order but for `fields`."""
    run = RunId("0123456789")
    sound: dict[str, Any] = {
        "run": run,
        "executor": "docker",
        "job_name": "rvexp-x",
        "image": IMAGE,
        "command": ("true",),
    }
    return Plan(**{**sound, **fields})


def seen(status: str, code: int = 0, *, labels: dict[str, str] | None = None, **state: Any) -> dict[str, Any]:
    """What `docker inspect` shows, as recorded from engine 20.10 and cut to what is read."""
    ran = status != "created"
    whole = {
        "Status": status,
        "Running": status in ("running", "paused", "restarting"),
        "OOMKilled": False,
        "ExitCode": code,
        "Error": "",
        "StartedAt": STARTED if ran else NEVER,
        "FinishedAt": STOPPED if status in ("exited", "dead") else NEVER,
    }
    return {
        "Id": "c1",
        "Name": "/rvexp-x",
        "Image": IMAGE,
        "Config": {"Labels": labels},
        "HostConfig": {"Memory": 0},
        "State": {**whole, **state},
    }


@pytest.mark.parametrize(
    ("shown", "remark", "phase", "code", "reason"),
    [
        (seen("created"), "", Phase.SUBMITTED, None, "made, not started yet"),
        (seen("created"), "no", Phase.FAILED, None, "no; never started"),
        (seen("created", 128, Error="no gpu"), "", Phase.FAILED, None, "no gpu; never started"),
        (seen("running"), "", Phase.RUNNING, None, ""),
        (seen("paused"), "", Phase.RUNNING, None, "paused"),
        (seen("restarting", 1), "", Phase.RUNNING, None, "restarting"),
        (seen("exited"), "", Phase.SUCCEEDED, 0, ""),
        (seen("exited"), "stop it", Phase.FAILED, 0, "stop it; exited with 0"),
        (seen("exited", 3), "", Phase.FAILED, 3, "exited with 3"),
        (seen("exited", 137), "", Phase.FAILED, 137, "killed by SIGKILL"),
        (seen("exited", 255), "", Phase.FAILED, 255, "exited with 255"),
        (seen("exited", 0, Error="disk full"), "", Phase.FAILED, 0, "disk full; exited with 0"),
        (
            seen("exited", 137, OOMKilled=True),
            "",
            Phase.FAILED,
            137,
            "out of memory: the machine has no more; killed by SIGKILL",
        ),
        (seen("dead", 137), "", Phase.FAILED, 137, "killed by SIGKILL"),
        (
            seen("exited", labels={"io.git-rvexp.timeout": "9"}),
            "",
            Phase.SUCCEEDED,
            0,
            "ran 10 s, beyond its limit of 9 s: nobody looked in time to stop it",
        ),
        (seen("exited", labels={"io.git-rvexp.timeout": "11"}), "", Phase.SUCCEEDED, 0, ""),
    ],
)
def test_states(shown: dict[str, Any], remark: str, phase: Phase, code: int | None, reason: str) -> None:
    """Every status of a container has one phase, one exit code and one reason."""
    state = job_state(shown, {"Name": "host", "ID": "AA"}, remark)
    assert (state.phase, state.exit_code, state.reason) == (phase, code, reason)
    assert (state.stopped is None) == (not phase.over or shown["State"]["FinishedAt"] == NEVER)


def test_times_and_details() -> None:
    """Times are epoch seconds; details say where and what ran."""
    state = job_state(seen("exited"), {"Name": "host", "ID": "AA"})
    assert (state.started, state.seconds) == (1795358297.016253, 10.5)
    assert state.details == {"container": "rvexp-x", "image": IMAGE, "host": "host", "engine": "AA", "oom": False}
    assert epoch("2026-11-22T16:38:17.5+02:00") == 1795358297.5
    assert epoch(NEVER) is None


class Podman:
    """Podman's answers as its source has them (pkg/api/handlers/compat/info.go, version.go), of what is asked first."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.server = LoopbackServer(self._respond)

    def _respond(self, asked: Request) -> Reply:
        path = asked.path.partition("?")[0]
        if path.endswith("/_ping"):
            return Reply(200, b"OK", {"Libpod-API-Version": "4.3.1"})
        if path.endswith("/version"):
            told: dict[str, Any] = {"Components": [{"Name": "Podman Engine", "Version": "4.3.1"}], "ApiVersion": "1.41"}
        elif path.endswith("/info"):
            told = {"ID": str(uuid.uuid4()), "Name": "host", "DockerRootDir": self.root, "BuildahVersion": "1.28.0"}
        else:
            return Reply(404, json.dumps({"cause": "no such container", "message": "none", "response": 404}).encode())
        return Reply(200, json.dumps(told).encode(), {"Content-Type": "application/json"})

    @property
    def executor(self) -> DockerExecutor:
        """Connected anew, as each command does."""
        return DockerExecutor({"DOCKER_HOST": self.server.url.replace("http", "tcp")})


def test_podman_is_one_place_though_it_names_itself_anew_each_time() -> None:
    """A run is found again where it was handed over; each user's own Podman is another place."""
    root, user = Podman("/var/lib/containers/storage"), Podman("/home/ada/.local/share/containers/storage")
    for podman in (root, user):
        podman.server.start()
    place = root.executor.place
    assert str(uuid.UUID(place["engine"])) == place["engine"]
    assert root.executor.place == place != user.executor.place
    assert root.executor.find(plan(extra=place)) == []
    with pytest.raises(RvexpError, match="was planned for the Docker engine"):
        user.executor.find(plan(extra=place))
    for podman in (root, user):
        podman.server.stop()


def test_a_run_is_never_shorter_than_nothing() -> None:
    """Engine 20.10 was seen to note the start of a very short run 0.3 to 17 ms after its end."""
    state = job_state(seen("exited", StartedAt=STOPPED, FinishedAt=STARTED), {})
    assert (state.started, state.stopped, state.seconds) == (1795358307.516253, 1795358307.516253, 0)


@pytest.mark.parametrize(
    ("shown", "limit"),
    [
        (seen("running", labels={"io.git-rvexp.timeout": "60"}), 60),
        (seen("running", labels={"io.git-rvexp.timeout": "61"}), 0),
        (seen("running"), 0),
        (seen("exited", labels={"io.git-rvexp.timeout": "60"}), 0),
        (seen("created", labels={"io.git-rvexp.timeout": "60"}), 0),
    ],
)
def test_overdue(shown: dict[str, Any], limit: int) -> None:
    """Only a running container with a limit, beyond it, is overdue."""
    assert overdue(shown, 1795358297.016253 + 60.5) == limit


@given(st.text(alphabet="aé\n\r\u2028", max_size=40), st.lists(st.integers(1, 5)))
def test_lines_do_not_depend_on_pieces(text: str, sizes: list[int]) -> None:
    """However the engine cuts the stream, characters and lines come out whole; only newlines end lines."""
    data, chunks = text.encode(), []
    for size in sizes:
        chunks.append(data[:size])
        data = data[size:]
    found = list(lines([*chunks, data]))
    assert "\n".join(found) == text.removesuffix("\n")
    assert not any("\n" in line for line in found)


@pytest.mark.parametrize("piece", [LONGEST // 64, LONGEST + 3, 5 * LONGEST])
def test_line_without_end_comes_in_parts(piece: int) -> None:
    """Progress bars rewrite one line for hours: it is not held, and where it is cut does not depend on the pieces."""
    text = "\r99 %" + "é" * (2 * LONGEST) + "\nend"
    data = text.encode()
    found = list(lines(data[at : at + piece] for at in range(0, len(data), piece)))
    assert [len(part.encode()) for part in found] == [LONGEST - 1, *[LONGEST] * 3, 6, 3]
    assert ("".join(found[:-1]), found[-1]) == tuple(text.split("\n"))


def test_line_that_ends_in_time_is_one() -> None:
    """The longest there is."""
    assert list(lines([b"a" * LONGEST, b"\nb"])) == ["a" * LONGEST, "b"]


@given(st.text(max_size=200))
def test_remarks(text: str) -> None:
    """What is written into a container can be read from it."""
    assert docker_remark.read(docker_remark.written(text)) == text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"command": ()}, "command is empty"),
        ({"command": ("",)}, "command is empty"),
        ({"command": ("a", "", "b")}, "empty word"),
        ({"command": ("a\0b",)}, "NUL"),
        ({"array": 1}, "an array has 2 to 10,000 jobs, not 1"),
        ({"array": 10_001}, "not 10,001"),
        ({"image": "busybox:latest"}, "not pinned"),
        ({"secret_env": ("TOKEN",)}, "TOKEN"),
        ({"env": {"A=B": "c"}}, "A=B"),
        ({"env": {"A": "c\0"}}, "'A'"),
    ],
)
def test_plans_that_cannot_run(fields: dict[str, Any], says: str) -> None:
    """What no engine could run as asked is refused in words that name it."""
    with pytest.raises(RvexpError, match=says):
        check_plan(plan(**fields), {})


def test_a_sound_plan_passes() -> None:
    """An image by id or by digest or not known yet, a secret that is there: nothing to refuse."""
    check_plan(plan(image=""), {})
    check_plan(plan(secret_env=("TOKEN",)), {"TOKEN": "x"})
    check_plan(plan(image=f"localhost:5000/a@{IMAGE}"), {})


def test_errors_hold_no_secret() -> None:
    """A secret that cannot be passed on is named, not shown."""
    with pytest.raises(UsageError) as caught:
        environment(plan(secret_env=("TOKEN",)), {"TOKEN": "hunter2\0"})
    assert "TOKEN" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("engine", "refused"),
    [
        ({"Name": "h", "Runtimes": {"runc": {}}}, True),
        ({"Name": "h", "Runtimes": {"runc": {}, "nvidia": {}}}, False),
        ({"Name": "h", "Runtimes": None, "DiscoveredDevices": [{"ID": "nvidia.com/gpu=0"}]}, False),
    ],
)
def test_gpus(engine: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, refused: bool) -> None:
    """GPUs are refused where the engine shows no way to them."""
    monkeypatch.setenv("PATH", "")
    if refused:
        with pytest.raises(RefusedError, match="2 GPU"):
            check_room(Resources(gpus=2), engine)
    else:
        check_room(Resources(gpus=2), engine)


def test_the_request() -> None:
    """A plan as the engine is asked, whole."""
    whole = plan(
        command=("python3", "train.py"),
        env={"RVEXP_RUN": "0123456789"},
        secret_env=("TOKEN",),
        resources=Resources(vcpus=1.5, memory=512, gpus=1),
        timeout=90,
        extra={"tag": "al/roads/2026-11-22/demo", "tag_oid": "9c1f"},
    )
    assert request(whole, {"TOKEN": "hunter2", "HOME": "/root"}) == {
        "image": IMAGE,
        "command": ["python3", "train.py"],
        "name": "rvexp-x",
        "labels": {
            "io.git-rvexp.run": "0123456789",
            "io.git-rvexp.timeout": "90",
            "io.git-rvexp.tag": "al/roads/2026-11-22/demo",
            "io.git-rvexp.tag-oid": "9c1f",
        },
        "environment": {
            "RVEXP_RUN": "0123456789",
            "TOKEN": "hunter2",
            "AWS_BATCH_JOB_ID": "rvexp-x",
            "AWS_BATCH_JOB_ATTEMPT": "1",
        },
        "init": True,
        "mem_limit": 512 << 20,
        "memswap_limit": 512 << 20,
        "nano_cpus": 1_500_000_000,
        "device_requests": [{"count": 1, "capabilities": [["gpu"]]}],
    }
