"""What a Docker engine's answers mean: `docker inspect` as a JobState, log frames as lines. Pure."""

import datetime as dt
import signal
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from git_rvexp.errors import RvexpError
from git_rvexp.executors.docker_asking import RUN, TIMEOUT
from git_rvexp.model import JobState, Json, Phase
from git_rvexp.sizes import MIB

LONGEST = 1 << 20
"""Bytes of a log that come as one line at most."""


def job_state(seen: Mapping[str, Any], engine: Mapping[str, Any], stopped_for: str = "") -> JobState:
    """The state of the container that `docker inspect` shows as `seen`, in the engine that `docker info` shows.

    `stopped_for`: why we stopped it, if we did. Such a run failed even when its last act was to exit with 0.
    """
    state = seen["State"]
    phase = _phase(state, stopped_for)
    started, stopped = _times(state)
    return JobState(
        job=seen["Id"],
        phase=phase,
        exit_code=state["ExitCode"] if phase.over and started is not None else None,
        reason=_reason(seen, phase, stopped_for),
        started=started,
        stopped=stopped if phase.over else None,
        details=_details(seen, engine),
    )


def engine_id(engine: Mapping[str, Any]) -> str:
    """What names the engine that describes itself so (`docker info`): its own id, which outlives its machine's name.

    Podman makes a new id for each answer (its pkg/api/handlers/compat/info.go), so there it is made from what stays:
    the machine's name, and where it stores containers, which is each user's own. Only Podman names a Buildah version.
    """
    if "BuildahVersion" in engine:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"podman://{engine.get('Name')}{engine.get('DockerRootDir')}"))
    return str(engine.get("ID", ""))


def run_of(seen: Mapping[str, Any]) -> str:
    """The run whose container it is; "" for one that is none of ours."""
    return str((seen["Config"]["Labels"] or {}).get(RUN, ""))


def refuse_other(seen: Mapping[str, Any] | None, job: str, run: str = "") -> None:
    """RvexpError for a container that is not `job` of `run` ("": of any run). A record may name any container."""
    if seen is None or (run_of(seen) and (not run or (seen["Id"] == job and run_of(seen) == run))):
        return
    whose = f"run {run}" if run else "any run"
    raise RvexpError(f"{job}, as the record has it, is not the job of {whose}: it is the container {seen['Name']}")


def epoch(text: str) -> float | None:
    """Seconds since 1970 of the engine's time; None for its "never", the year 1."""
    when = dt.datetime.fromisoformat(text)
    return when.timestamp() if when.year > 1 else None


def lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """The whole lines in a stream of bytes, and the last unfinished one; bytes that are not UTF-8 are replaced.

    A line of over LONGEST bytes, such as a progress bar's that never ends, comes as several.
    """
    line = bytearray()
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for end in whole:
            line += end
            yield from _parts(line)
            yield line.decode(errors="replace")
            line.clear()
        line += rest
        yield from _parts(line)
    if line:
        yield line.decode(errors="replace")


def _parts(line: bytearray) -> Iterator[str]:
    """What is to be taken off the front of `line` so that LONGEST bytes or fewer remain; no character is cut."""
    while len(line) > LONGEST:
        inner = next((i for i in range(4) if line[LONGEST - i] & 0xC0 != 0x80), 0)
        yield line[: LONGEST - inner].decode(errors="replace")
        del line[: LONGEST - inner]


def never_started(seen: Mapping[str, Any]) -> bool:
    """Whether the container was made and nobody has tried to start it."""
    return bool(seen["State"]["Status"] == "created" and not seen["State"]["Error"])


def overdue(seen: Mapping[str, Any], now: float) -> int:
    """The time limit in seconds of a container that runs longer than it; 0 otherwise."""
    limit = int((seen["Config"]["Labels"] or {}).get(TIMEOUT, 0))
    started = epoch(seen["State"]["StartedAt"])
    running = seen["State"]["Running"] and started is not None
    return limit if limit and running and now - (started or now) > limit else 0


def _times(state: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Start and end. Of a run of a few milliseconds the engine may note the start after the end."""
    started, stopped = epoch(state["StartedAt"]), epoch(state["FinishedAt"])
    return started, stopped if started is None or stopped is None else max(started, stopped)


def _phase(state: Mapping[str, Any], stopped_for: str) -> Phase:
    status = state["Status"]
    if status in ("running", "paused", "restarting"):
        return Phase.RUNNING
    if status == "created" and not state["Error"] and not stopped_for:
        return Phase.SUBMITTED
    return Phase.SUCCEEDED if state["ExitCode"] == 0 and not stopped_for and not state["Error"] else Phase.FAILED


def _reason(seen: Mapping[str, Any], phase: Phase, stopped_for: str) -> str:
    state = seen["State"]
    if phase is Phase.SUBMITTED:
        return "made, not started yet"
    if phase is Phase.RUNNING:
        return "" if state["Status"] == "running" else str(state["Status"])
    if phase is Phase.SUCCEEDED:
        return _late(seen)
    return "; ".join(part for part in (stopped_for, state["Error"], _memory(seen), _exit(state)) if part)


def _late(seen: Mapping[str, Any]) -> str:
    limit = int((seen["Config"]["Labels"] or {}).get(TIMEOUT, 0))
    started, stopped = _times(seen["State"])
    if not limit or started is None or stopped is None or stopped - started <= limit:
        return ""
    return f"ran {stopped - started:.0f} s, beyond its limit of {limit} s: nobody looked in time to stop it"


def _memory(seen: Mapping[str, Any]) -> str:
    if not seen["State"]["OOMKilled"]:
        return ""
    limit = seen["HostConfig"]["Memory"] // MIB
    return f"out of memory: its limit is {limit} MiB" if limit else "out of memory: the machine has no more"


def _exit(state: Mapping[str, Any]) -> str:
    code = state["ExitCode"]
    if epoch(state["StartedAt"]) is None:
        return "never started"
    try:
        return f"killed by {signal.Signals(code - 128).name}" if code > 128 else f"exited with {code}"
    except ValueError:
        return f"exited with {code}"


def _details(seen: Mapping[str, Any], engine: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "container": seen["Name"].removeprefix("/"),
        "image": seen["Image"],
        "host": engine.get("Name", ""),
        "engine": engine_id(engine),
        "oom": seen["State"]["OOMKilled"],
    }
