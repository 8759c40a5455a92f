"""Containers made, not started: one for a run, or all that an array's children are.

An engine gives a name out once. Where it refuses to, the run's own container may stand there already; a container that
was made in vain goes again, so that no half of an array is left.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from git_rvexp.errors import RvexpError
from git_rvexp.executors.docker_containers import Containers, lost
from git_rvexp.executors.protocol import RefusedError, UnsureError
from git_rvexp.held import signals_held

Found = Callable[[], list[str]]
"""Looks for the run's job by its name: its id, if there is one."""


def made(containers: Containers, request: Mapping[str, Any], job: str, found: Found) -> str:
    """Make the container that `request` describes, of the job called `job`; its id. RefusedError or UnsureError."""
    try:
        return containers.create(request)
    except UnsureError:
        raise
    except RefusedError as why:
        # The engine answered, so whether the container is there can be asked.
        try:
            there = found()
        except RvexpError:
            raise lost(job, why) from why
        if there:
            raise UnsureError(f"a container named {job} exists already") from why
        raise


def make_all(
    containers: Containers, requests: Iterable[Mapping[str, Any]], job: str, found: Found, before: Iterable[str]
) -> None:
    """Make them in this order; after a refusal, and after Ctrl-C, they go again, and so do those made `before`."""
    done = list(before)
    try:
        for request in requests:
            with signals_held():  # of an interrupted call nobody would know whether there is a container
                done.append(made(containers, request, job, found))
    except (RefusedError, KeyboardInterrupt):
        for container in done:
            with contextlib.suppress(RvexpError):  # what is told is why there is no array
                containers.remove(container)
        raise
