"""A plan as the request that a Docker engine gets, and what is wrong with a plan before any engine is asked.

Pure: the engine itself is asked in `docker`. The image's entrypoint stays in force, as it does on Batch. A job sees
the variables by which Batch tells it what it is. On an engine AWS_BATCH_JOB_ID holds the job's name: it has to be known
before there is a container with an id.
"""

import shutil
from collections.abc import Mapping
from typing import Any

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors.limits import check_array
from git_rvexp.executors.protocol import RefusedError
from git_rvexp.model import Plan, Resources
from git_rvexp.sizes import MIB

LABELS = "io.git-rvexp."
RUN = LABELS + "run"
TIMEOUT = LABELS + "timeout"
ARRAY = LABELS + "array"  # on a child: the array's job
INDEX = LABELS + "index"
SIZE = LABELS + "size"
PARALLEL = LABELS + "parallel"
SEQUENTIAL = LABELS + "sequential"

SHARED = "/rvexp/shared"
"""Where the volume that a chain's steps share is mounted."""
VOLUME = "rvexp-chain-"
"""How such a volume's name begins; the chain's follows, of a repeat the run's id."""

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
        check_array(plan.array)
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


def image(plan: Plan) -> str:
    """What the engine is asked for: the image's id where it came in a bundle, without a registry's name."""
    return str(plan.extra.get("image_id") or plan.image)


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
    """The arguments of `containers.create` for a job that is no array.

    `init`: the job is not process 1, so it gets the kernel's default signal actions (a plain Python dies of
    SIGTERM) and its orphans are reaped. No swap beyond the memory limit, so that the limit is the limit.
    The container is not removed at its end: it is the evidence until the record has it.
    """
    asked: dict[str, Any] = {
        "image": image(plan),
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
    if plan.extra.get("shared"):
        asked["mounts"] = [volume(plan)]
    asked["environment"] |= {"AWS_BATCH_JOB_ID": plan.job_name, "AWS_BATCH_JOB_ATTEMPT": "1"}
    return asked


def child_request(plan: Plan, environ: Mapping[str, str], index: int, parallel: int) -> dict[str, Any]:
    """The same for the child `index` (from 0) of an array; `parallel` of them may run at a time."""
    asked = request(plan, environ)
    asked["name"] = child_name(plan.job_name, index)
    asked["labels"] |= {ARRAY: plan.job_name, INDEX: str(index), SIZE: str(plan.array), PARALLEL: str(parallel)}
    if plan.sequential:
        asked["labels"][SEQUENTIAL] = "1"
    asked["environment"] |= {
        "AWS_BATCH_JOB_ID": f"{plan.job_name}:{index}",
        "AWS_BATCH_JOB_ARRAY_INDEX": str(index),
        "AWS_BATCH_JOB_ARRAY_SIZE": str(plan.array),
    }
    return asked


def volume(plan: Plan) -> dict[str, Any]:
    """The plan's shared volume, which the engine makes when it is not there. We never remove it: it holds results."""
    labels = {LABELS + "chain": str(plan.extra.get("chain") or plan.run)}
    return {**mounted(str(plan.extra["shared"])), "VolumeOptions": {"Labels": labels}}


def mounted(name: str) -> dict[str, Any]:
    """A volume as a container has it."""
    return {"Type": "volume", "Source": name, "Target": SHARED}


def check_attempt(job: str, attempt: int) -> None:
    """RvexpError for another attempt than the first: an engine retries nothing."""
    if attempt > 1:
        raise RvexpError(f"the job {job} had one attempt: a Docker engine retries nothing")


def child_name(job: str, index: int) -> str:
    """The container of an array's child."""
    return f"{job}-{index}"


def parallel(plan: Plan, engine: Mapping[str, Any]) -> int:
    """How many children of an array may run at a time in the engine that described itself so (`docker info`).

    What the plan says, else as many as the engine's CPUs and memory hold, one where they want GPUs.
    """
    if plan.sequential or plan.resources.gpus:
        return 1
    if plan.extra.get("parallel"):
        return int(plan.extra["parallel"])
    fits = [engine.get("NCPU", 1) / (plan.resources.vcpus or 1)]
    if plan.resources.memory:
        fits.append(engine.get("MemTotal", 0) / MIB / plan.resources.memory)
    return max(1, int(min(fits)))


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
