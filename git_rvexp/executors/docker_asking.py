"""A plan as the request that a Docker engine gets, and what is wrong with a plan before any engine is asked.

Pure: the engine itself is asked in `docker`. The image's entrypoint stays in force, as it does on Batch.
"""

import shutil
from collections.abc import Mapping
from typing import Any

from git_rvexp.errors import UsageError
from git_rvexp.executors.protocol import RefusedError
from git_rvexp.model import Plan, Resources

LABELS = "io.git-rvexp."
RUN = LABELS + "run"
TIMEOUT = LABELS + "timeout"

MIB = 1024 * 1024
LEAST_MEMORY = 6  # MiB: the engine refuses less


def check_plan(plan: Plan, environ: Mapping[str, str]) -> None:
    """Refuse what no engine could run as asked (UsageError; RefusedError for what only Batch does).

    The image of a draft is empty.
    """
    if not plan.command or not all(plan.command):
        raise UsageError("the command is empty or has an empty word", hint="git rvexp submit [TAG] -- COMMAND…")
    if any("\0" in word for word in plan.command):
        raise UsageError("the command holds a NUL character, which no program can be given")
    if plan.array:
        raise RefusedError(
            f"an array of {plan.array} cannot run on the docker executor yet",
            hint='set executor = "batch", or submit the runs one by one',
        )
    if plan.after:
        raise RefusedError("a Docker engine does not wait for other jobs (--after)", hint='set executor = "batch"')
    if plan.image and not ("@sha256:" in plan.image or plan.image.startswith("sha256:")):
        raise RefusedError(f"image {plan.image} is not pinned by digest or id: it may change before it runs")
    environment(plan, environ)


def check_room(resources: Resources, engine: Mapping[str, Any]) -> None:
    """RefusedError when the engine that described itself so (`docker info`) cannot give what is asked for."""
    cpus, memory = engine.get("NCPU", 0), engine.get("MemTotal", 0) // MIB
    if resources.vcpus and not 0.01 <= resources.vcpus <= cpus:
        raise RefusedError(f"{resources.vcpus:g} vcpus asked for; the engine has {cpus}")
    if resources.memory and not LEAST_MEMORY <= resources.memory <= memory:
        raise RefusedError(
            f"{resources.memory} MiB of memory asked for; the engine gives {LEAST_MEMORY} to {memory} MiB"
        )
    if resources.gpus and not _offers_gpus(engine):
        raise RefusedError(
            f"{resources.gpus} GPU(s) asked for; the Docker engine of {engine.get('Name')} offers none",
            hint="install the NVIDIA container toolkit and restart the engine",
        )


def environment(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """The job's variables; those of `secret_env` from `environ`. Errors name the variable, never its value."""
    chosen = dict(plan.env)
    for name in plan.secret_env:
        if name not in environ:
            raise UsageError(f"--secret-env {name}: there is no such variable here", hint=f"export {name}=…")
        chosen[name] = environ[name]
    for name, value in chosen.items():
        if not name or "=" in name or "\0" in name + value:
            raise UsageError(f"{name!r} cannot be an environment variable's name, or its value holds a NUL")
    return chosen


def request(plan: Plan, environ: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of `containers.create`.

    `init`: the job is not process 1, so it gets the kernel's default signal actions (a plain Python dies of
    SIGTERM) and its orphans are reaped. No swap beyond the memory limit, so that the limit is the limit.
    The container is not removed at its end: it is the evidence until the record has it.
    """
    asked: dict[str, Any] = {
        "image": plan.image,
        "command": list(plan.command),
        "name": plan.job_name,
        "labels": _labels(plan),
        "environment": environment(plan, environ),
        "init": True,
    }
    if plan.resources.memory:
        asked["mem_limit"] = asked["memswap_limit"] = plan.resources.memory * MIB
    if plan.resources.vcpus:
        asked["nano_cpus"] = round(plan.resources.vcpus * 1e9)
    if plan.resources.gpus:
        asked["device_requests"] = [{"count": plan.resources.gpus, "capabilities": [["gpu"]]}]
    return asked


def _labels(plan: Plan) -> dict[str, str]:
    labels = {RUN: str(plan.run)}
    if plan.timeout:
        labels[TIMEOUT] = str(plan.timeout)
    for label, key in ((LABELS + "tag", "tag"), (LABELS + "tag-oid", "tag_oid")):
        if plan.extra.get(key):
            labels[label] = str(plan.extra[key])
    return labels


def _offers_gpus(engine: Mapping[str, Any]) -> bool:
    """By a runtime, by CDI devices, or by the hook that an engine on this machine finds on its PATH."""
    return (
        "nvidia" in (engine.get("Runtimes") or {})
        or bool(engine.get("DiscoveredDevices"))
        or shutil.which("nvidia-container-runtime-hook") is not None
    )
