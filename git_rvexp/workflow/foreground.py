"""Run a command here and now in a snapshot's image: terminal, signals and exit code as if it ran without one.

This process becomes the docker command (exec), so nothing stands between the terminal and the container: raw keys,
window size, Ctrl-C, job control and the exit code are the docker command's own, which has done this for years. The
docker package has no such thing ready (its attach knows neither raw terminals nor signals). 125 is the docker
command's own failure. Nothing is recorded: a run that must be proven is submitted.

One thing docker run does badly: it leaves the container running when its own output is closed (`| head`) or it is
killed. So a shell that waits for its end, however it comes, removes the container then.

The code that runs is the snapshot's: see `mounts` for the volumes that are refused.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors.docker import DockerExecutor
from git_rvexp.names import RunId
from git_rvexp.progress import Progress, silent
from git_rvexp.settings import Settings
from git_rvexp.workflow.mounts import volume

# Where the docker package looks without DOCKER_HOST; said aloud so that the docker command's chosen context,
# which the package does not know, cannot send the two to different engines.
_USUAL = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Here:
    """What to run in the foreground. `env_names` are passed on by name, so their values show in no process list.

    `volumes` and `ports` are written as docker has them (`SOURCE:DESTINATION[:ro]`, `[ADDRESS:]HOST:CONTAINER`),
    `gpus` as a number or "all".
    """

    image: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    env_names: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    gpus: str = ""


def run_here(
    here: Here,
    tree: Path,
    cwd: Path,
    environ: Mapping[str, str],
    settings: Settings,
    say: Callable[[str], None],
    progress: Progress = silent,
) -> NoReturn:
    """Become `docker run`, after a pull if need be. UsageError for a mount that is refused, RvexpError without docker.

    `tree` is the top of the work tree; relative volumes start at `cwd`.
    """
    image = DockerExecutor(environ, settings, say=say, progress=progress).ensure_image(here.image)
    code = str((image.get("Config") or {}).get("WorkingDir") or "")
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    name = f"rvexp-here-{RunId.new()}"
    words = ["docker", "run", "--name", name, *docker_run(here, code, tree, cwd, environ, terminal=terminal)]
    told = {**environ, "DOCKER_HOST": _host(environ)}
    sys.stdout.flush()
    sys.stderr.flush()
    _remove_at_the_end(name, told)
    # Python ignores it, and what we become would inherit that.
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(words[0], words, told)  # noqa: S606
    except OSError as why:
        raise RvexpError(
            f"the docker command cannot be run: {why.strerror}",
            hint="install Docker's command line (docker-cli, docker.io or docker-ce-cli)",
        ) from why


def docker_run(
    here: Here, code: str, tree: Path, cwd: Path, environ: Mapping[str, str], *, terminal: bool
) -> list[str]:
    """What follows `docker run`. `code` is the image's WORKDIR, empty when it has none.

    `--pull=never`: which bytes run was settled before.
    """
    words = ["--rm", "--init", "--interactive", "--pull=never"]
    if terminal:
        words.append("--tty")
    for name, value in here.env.items():
        words += ["--env", f"{name}={value}"]
    for name in here.env_names:
        if name not in environ:
            raise UsageError(f"there is no variable {name} here to pass on", hint=f"export {name}=…")
        words += ["--env", name]
    local = _host(environ).startswith("unix://")
    for text in here.volumes:
        words += ["--volume", volume(text, code, tree, cwd, local=local)]
    for port in here.ports:
        words += ["--publish", port]
    if here.gpus:
        words += ["--gpus", here.gpus]
    return [*words, here.image, *here.command]


def _remove_at_the_end(name: str, environ: Mapping[str, str]) -> None:
    """Start a shell that removes the container once this process, whatever it has become, has ended.

    It reads from a pipe whose other end is ours alone and is closed by the kernel with our last breath. It holds
    none of our streams, so nobody waits for it, and is in a session of its own, so Ctrl-C does not reach it.
    """
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    subprocess.Popen(
        ["/bin/sh", "-c", 'cat; exec docker rm --force --volumes "$0"', name],
        env=environ,
        stdin=reading,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(reading)


def _host(environ: Mapping[str, str]) -> str:
    return environ.get("DOCKER_HOST") or _USUAL
