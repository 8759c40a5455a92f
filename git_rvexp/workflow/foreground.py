"""Run a command here and now in a snapshot's image: terminal, signals and exit code as if it ran without one.

This process becomes the docker command (exec), so nothing stands between the terminal and the container: raw keys,
window size, Ctrl-C, job control and the exit code are the docker command's own, which has done this for years. The
docker package has no such thing ready (its attach knows neither raw terminals nor signals). 125 is the docker
command's own failure. Nothing is recorded: a run that must be proven is submitted.

The code that runs is the snapshot's: a mount that would put anything over the image's WORKDIR, or the work tree
into it, is refused. A destination that is a symbolic link inside the image is taken as written.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NoReturn

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors.docker import DockerExecutor
from git_rvexp.settings import Settings

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
) -> NoReturn:
    """Become `docker run`, after a pull if need be. UsageError for a mount that is refused, RvexpError without docker.

    `tree` is the top of the work tree; relative volumes start at `cwd`.
    """
    image = DockerExecutor(environ, settings, say=say).ensure_image(here.image)
    code = str((image.get("Config") or {}).get("WorkingDir") or "")
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    words = docker_run(here, code, tree, cwd, environ, terminal=terminal)
    sys.stdout.flush()
    sys.stderr.flush()
    # Python ignores SIGPIPE, and what is ignored stays so across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(words[0], words, {**environ, "DOCKER_HOST": _host(environ)})  # noqa: S606
    except OSError as why:
        raise RvexpError(
            f"the docker command cannot be run: {why.strerror}",
            hint="install Docker's command line (docker-cli, docker.io or docker-ce-cli)",
        ) from why


def docker_run(
    here: Here, code: str, tree: Path, cwd: Path, environ: Mapping[str, str], *, terminal: bool
) -> list[str]:
    """The words of the docker command. `code` is the image's WORKDIR, empty when it has none.

    `--pull=never`: which bytes run was settled before.
    """
    words = ["docker", "run", "--rm", "--init", "--interactive", "--pull=never"]
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


def volume(text: str, code: str, tree: Path, cwd: Path, *, local: bool) -> str:
    """A volume with its source made absolute. UsageError for one that hides or replaces the snapshot's code.

    `local`: the engine is on this machine, so a source that is not there is a slip (docker would make a folder).
    """
    source, destination, options = _parts(text)
    target, home = _absolute(text, destination), _absolute(text, code or "/")
    if home.is_relative_to(target):
        raise UsageError(
            f"-v {text} would hide the snapshot's code in {home}: what runs must be what the tag holds",
            hint="mount it elsewhere, for example -v SOURCE:/data",
        )
    if "/" not in source and source not in (".", ".."):
        return text  # a volume by name, or one without a name
    path = (cwd / source).resolve()
    if path.is_relative_to(tree.resolve()) and target.is_relative_to(home):
        raise UsageError(_over_code(text, str(home), known=bool(code)), hint="mount it elsewhere, such as :/data")
    if local and not path.exists():
        raise UsageError(f"-v {text}: there is no {path}", hint=f"mkdir -p {path}")
    return ":".join(filter(None, (str(path), str(target), options)))


def _host(environ: Mapping[str, str]) -> str:
    return environ.get("DOCKER_HOST") or _USUAL


def _over_code(text: str, home: str, *, known: bool) -> str:
    if known:
        return f"-v {text} would put files of the work tree into the snapshot's code in {home}"
    return f"-v {text} mounts from the work tree, and the image has no WORKDIR that says where its code is"


def _parts(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    if len(parts) > 3 or not all(parts):
        raise UsageError(f"-v {text} is not SOURCE:DESTINATION or SOURCE:DESTINATION:OPTIONS")
    if len(parts) == 1:
        return "", parts[0], ""
    return parts[0], parts[1], parts[2] if len(parts) == 3 else ""


def _absolute(text: str, path: str) -> PurePosixPath:
    """A path in the container, with `..` and doubled slashes resolved."""
    if not path.startswith("/"):
        raise UsageError(f"-v {text}: the destination must be an absolute path")
    return PurePosixPath("/" + os.path.normpath(path).lstrip("/"))
