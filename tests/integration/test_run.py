"""Running in the foreground on a real engine: exit codes, streams, signals, terminal, mounts, what it leaves."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.parts import Stack

HANG = 120  # seconds; only so that a test that would never end does

# A process of its own, since it becomes another program. The words: a JSON object with the fields of Here.
DRIVER = """
import json, os, sys
from pathlib import Path
from git_rvexp.errors import RvexpError
from git_rvexp.settings import Settings
from git_rvexp.workflow.foreground import Here, run_here
told = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(sys.argv[1]).items()}
try:
    run_here(Here(**told), Path.cwd(), Path.cwd(), os.environ, Settings(), lambda line: print(line, file=sys.stderr))
except RvexpError as why:
    print(f"error: {why}", file=sys.stderr)
    sys.exit(why.code)
"""

Words = Callable[..., list[str]]


@pytest.fixture
def code_image(stack: Stack) -> Iterator[str]:
    """The id of a small image of this test's own, with code in its WORKDIR."""
    content = f"FROM {stack.tiny_image}\nLABEL one={uuid.uuid4()}\nWORKDIR /opt/src\n"
    content += 'RUN ["/bin/sh", "-c", "echo snapshot >code"]\n'
    env = {**os.environ, **stack.environment(), "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(
        ["docker", "build", "-q", "-"], env=env, input=content, capture_output=True, text=True, check=True, timeout=HANG
    )
    image = done.stdout.strip()
    yield image
    stack.run("docker", "rmi", "--force", image)


@pytest.fixture
def run(stack: Stack, code_image: str, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a foreground run in an empty work tree."""

    def start(
        *command: str, streams: dict[str, Any] | None = None, variables: dict[str, str] | None = None, **here: Any
    ) -> subprocess.Popen[str]:
        told = json.dumps({"image": code_image, "command": command, **here})
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        env = {**os.environ, **stack.environment(), "API_KEY": "hunter2", **(variables or {})}
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, told], cwd=tmp_path, env=env, text=True, **(streams or pipes)
        )

    return start


@pytest.fixture
def left(stack: Stack, code_image: str) -> Callable[[], str]:
    """The ids of this test's containers, once there are none or that takes too long."""

    def look() -> str:
        found = ""
        for _ in range(HANG * 5):
            found = stack.run("docker", "ps", "-aq", "--filter", f"ancestor={code_image}").stdout
            if not found:
                break
            time.sleep(0.2)
        return found

    return look


Run = Callable[..., subprocess.Popen[str]]


def outcome(process: subprocess.Popen[str], stdin: str = "") -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a run."""
    out, err = process.communicate(stdin, timeout=HANG)
    return process.returncode, out, err


def test_the_exit_code_is_the_command_s_own(run: Run) -> None:
    """A command's code is passed through."""
    assert outcome(run("sh", "-c", "exit 7")) == (7, "", "")


def test_streams_stay_apart(run: Run) -> None:
    """Input reaches the command; its two outputs stay two, with nothing of ours among them."""
    assert outcome(run("sh", "-c", "cat; echo oops >&2"), "hello\n") == (0, "hello\n", "oops\n")


def test_the_code_is_the_snapshot_s(run: Run, tmp_path: Path) -> None:
    """The work tree's files are not seen by the command."""
    (tmp_path / "code").write_text("changed since\n")
    assert outcome(run("cat", "code")) == (0, "snapshot\n", "")


def test_environment(run: Run) -> None:
    """Values arrive as they are; a variable passed on by name has the caller's value."""
    odd = 'a b"$HOME\n; été'
    told = run("sh", "-c", 'printf "%s|%s" "$ODD" "$API_KEY"', env={"ODD": odd}, env_names=["API_KEY"])
    assert outcome(told) == (0, f"{odd}|hunter2", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_command(run: Run, number: signal.Signals) -> None:
    """A signal sent to git rvexp is the command's to answer."""
    name = number.name.removeprefix("SIG")
    process = run("sh", "-c", f"trap 'echo got {name}; exit 5' {name}; echo ready; while :; do sleep 0.1; done")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert outcome(process) == (5, f"got {name}\n", "")


def test_a_signal_that_nobody_answers_ends_the_command(run: Run) -> None:
    """A plain program dies of SIGTERM, since it is not process 1, and the code says so."""
    process = run("sh", "-c", "echo ready; exec sleep 600")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert outcome(process)[0] == 128 + signal.SIGTERM


def test_a_terminal_is_a_terminal(run: Run) -> None:
    """On a terminal the command has one, takes keys from it, and Ctrl-C reaches it."""
    ours, theirs = pty.openpty()
    script = (
        "trap 'echo interrupted; exit 9' INT; [ -t 0 ] && [ -t 1 ] && echo on a terminal; while :; do sleep 0.1; done"
    )
    process = run("sh", "-c", script, streams={"stdin": theirs, "stdout": theirs, "stderr": theirs})
    os.close(theirs)
    seen = ""
    while "on a terminal" not in seen:
        seen += os.read(ours, 1000).decode()
    os.write(ours, b"\x03")
    assert process.wait(HANG) == 9
    os.close(ours)


def test_without_a_terminal_there_is_none(run: Run) -> None:
    """In a pipe the command has no terminal."""
    assert outcome(run("sh", "-c", "[ -t 0 ] || [ -t 1 ] || echo none")) == (0, "none\n", "")


def test_a_reader_that_leaves(run: Run, left: Callable[[], str]) -> None:
    """When nobody reads any more (`| head -1`), run ends, and so does the container."""
    process = run("yes")
    assert process.stdout is not None
    assert process.stdout.readline() == "y\n"
    process.stdout.close()
    assert process.wait(HANG) != 0
    assert left() == ""


def test_killed(run: Run, left: Callable[[], str]) -> None:
    """Even when run is killed outright, the container does not stay."""
    process = run("sh", "-c", "echo ready; exec sleep 600")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate(timeout=HANG)
    assert left() == ""


def test_volumes(run: Run, tmp_path: Path) -> None:
    """Data comes in and results go out through explicit volumes outside the code."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "in").write_text("42\n")
    assert outcome(run("cp", "/data/in", "/data/out", volumes=["./data:/data"]))[0] == 0
    assert (tmp_path / "data" / "out").read_text() == "42\n"


@pytest.mark.parametrize("volume", [".:/opt/src", "/tmp:/opt", ".:/opt/src/sub", "cache:/opt/src"])
def test_a_mount_over_the_code_is_refused(run: Run, volume: str) -> None:
    """The image's own WORKDIR says where the code is; nothing is run over it."""
    code, out, err = outcome(run("cat", "code", volumes=[volume]))
    assert (code, out) == (2, "")
    assert "the snapshot's code in /opt/src" in err


def test_nothing_is_left(run: Run, left: Callable[[], str]) -> None:
    """The container is gone when the command is."""
    assert outcome(run("true"))[0] == 0
    assert left() == ""


def test_an_image_that_is_gone(run: Run) -> None:
    """An image that the engine lacks is our error, not docker's."""
    code, _, err = outcome(run("true", image="sha256:" + "0" * 64))
    assert code == 1
    assert "has no image" in err


def test_a_command_that_is_not_there(run: Run) -> None:
    """An unknown command is 127, as in a shell."""
    assert outcome(run("no-such-program"))[0] == 127


def test_no_docker_command(run: Run, tmp_path: Path) -> None:
    """Without the docker command the error says what to install."""
    code, _, err = outcome(run("true", variables={"PATH": str(tmp_path)}))
    assert code == 1
    assert "the docker command cannot be run" in err
