"""The folder that a chain's steps share on an engine: a named volume, and a copy of it for a repeat.

The engine copies by itself, between two containers that are never started: the image need not bring a program for it.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from git_rvexp.errors import RvexpError
from git_rvexp.executors import docker_asking
from git_rvexp.executors.protocol import RefusedError
from git_rvexp.images.engine import Engine, asking
from git_rvexp.model import Plan


def is_there(engine: Engine, name: str) -> bool:
    """Whether the engine has a volume of this name. RvexpError when it does not say."""
    with asking(f"look for the volume {name}"):
        found = engine.client.api.volumes(filters={"name": name})["Volumes"] or []
    return any(volume["Name"] == name for volume in found)


def fill(environ: Mapping[str, str], plan: Plan) -> None:
    """Copy into the plan's own volume what the one that it names as `shared_from` holds now, owners and modes too.

    That one is only read. RefusedError on failure: no job exists.
    """
    source = str(plan.extra.get("shared_from", ""))
    if not source:
        return
    try:
        _copy(Engine.connect(environ), docker_asking.image(plan), source, docker_asking.volume(plan))
    except RvexpError as why:
        raise RefusedError(str(why), hint=why.hint) from why


def _copy(engine: Engine, image: str, source: str, target: Mapping[str, Any]) -> None:
    read_only = {**docker_asking.mounted(source), "ReadOnly": True}
    with (
        _mounting(engine, image, read_only) as old,
        _mounting(engine, image, target) as new,
        asking(f"copy the volume {source}"),
    ):
        chunks, _ = engine.client.api.get_archive(old, docker_asking.SHARED)
        engine.client.api.put_archive(new, str(PurePosixPath(docker_asking.SHARED).parent), chunks)


@contextlib.contextmanager
def _mounting(engine: Engine, image: str, mount: Mapping[str, Any]) -> Iterator[str]:
    """A container that is never started, with a volume in it; only the container is removed afterwards."""
    api = engine.client.api
    with asking(f"make a container with the volume {mount['Source']}"):
        host = api.create_host_config(mounts=[dict(mount)])
        made = str(api.create_container(image, command=["true"], host_config=host, network_disabled=True)["Id"])
    try:
        yield made
    finally:
        with asking(f"remove the container {made}"):
            api.remove_container(made, force=True)
