"""Debian's newest Docker engine, with containerd and runc of its own: unpacked, not installed, beside all others.

It speaks the newest protocol, and keeps images in containerd's store as new engines do: there an image is named by its
manifest, not by its config. `dev/matrix docker` starts it with the older store too. No bridge: its containers
have no network.
"""

import os
from pathlib import Path

from stacklib import apt, debian, engine, images, second
from stacklib.part import Part, Running
from stacklib.process import StackError
from stacklib.versions import GITS

_PROGRAMS = ("sbin/dockerd", "sbin/runc", "bin/containerd", "bin/containerd-shim-runc-v2")
_STATIC = ("bin/docker-init",)


def brought() -> Path:
    """A folder to put first on PATH: the engine and what it starts."""
    root = debian.bring(GITS[-1], "docker.io")
    debian.adapt(root, [root / "usr" / program for program in _PROGRAMS])
    folder = root / "first"
    folder.mkdir(exist_ok=True)
    for program in (root / "usr" / program for program in (*_PROGRAMS, *_STATIC)):
        link = folder / program.name
        link.unlink(missing_ok=True)
        link.symlink_to(program)
    return folder


def _start(name: str, variable: str, *, containerd_store: bool) -> Running:
    if os.geteuid() != 0:
        raise StackError("The newest engine can only be started by root.")
    folder = brought()
    env = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}{os.pathsep}{apt.SYSTEM_PATH}"}
    more = {"ip6tables": False, "features": {"containerd-snapshotter": containerd_store}}
    running = second.daemon(name, variable, str(folder / "dockerd"), more, env)
    images.copy(images.TINY, running.facts["host"])
    return running


def _part(name: str, variable: str, *, containerd_store: bool) -> Part:
    return Part(
        name,
        lambda: _start(name, variable, containerd_store=containerd_store),
        lambda running: engine.docker("image", "inspect", images.TINY, host=running.facts["host"]).returncode == 0,
        stopped=second.unmounted(name),
        after=("engine", "base"),
    )


PART = _part("newest", "RVEXP_DEV_NEWEST_ENGINE", containerd_store=True)
CLASSIC = _part("classic", "RVEXP_DEV_CLASSIC_ENGINE", containerd_store=False)
"""The same engine with the older store: for dev/matrix only."""
