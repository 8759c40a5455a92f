"""Daemons: start one, know it again later, stop it and nothing else.

A process is known by its pid *and* its start time, so that a pid which the kernel has given to somebody
else in the meantime is never signalled. Linux only (`/proc`).
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class StackError(Exception):
    """Something the person at the keyboard has to know; the message is printed as it is."""


@dataclass(frozen=True)
class Process:
    """A daemon of ours: its pid and the clock tick it started at (field 22 of `/proc/PID/stat`, proc(5))."""

    pid: int
    started: int


def _stat(pid: int) -> tuple[str, int] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the command's name may hold spaces and brackets
    return fields[0], int(fields[19])


def alive(process: Process) -> bool:
    """Whether this very process still runs (a zombie does not)."""
    found = _stat(process.pid)
    return found is not None and found[0] not in "ZX" and found[1] == process.started


def spawn(command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Process:
    """Start a daemon in a session of its own; its output goes to `log`, which is begun anew."""
    with log.open("wb") as out:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            start_new_session=True,
        )
    found = _stat(child.pid)
    return Process(child.pid, found[1] if found else -1)


def stop(process: Process, seconds: float = 30.0) -> None:
    """End a daemon and what it started itself (its process group): politely, after `seconds` with force."""
    if not alive(process):
        return
    os.killpg(process.pid, signal.SIGTERM)  # it leads a session and group of its own: see spawn
    deadline = time.monotonic() + seconds
    while alive(process) and time.monotonic() < deadline:
        _reap(process.pid)
        time.sleep(0.05)
    if alive(process):
        os.killpg(process.pid, signal.SIGKILL)
        _reap(process.pid)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # started by an earlier command: init reaps it


def wait_until(ready: Callable[[], bool], process: Process, what: str, log: Path, seconds: float = 60) -> None:
    """Return once `ready()`; raise StackError with the end of the log when the daemon dies or takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not alive(process):
            raise StackError(f"{what} stopped right after it was started.\n{tail(log)}")
        if time.monotonic() > deadline:
            stop(process)
            raise StackError(f"{what} did not answer within {seconds:.0f} seconds.\n{tail(log)}")
        time.sleep(0.1)


def start_all(*starts: Callable[[], Process]) -> tuple[Process, ...]:
    """Start several daemons in order; when one does not come up, those before it are stopped again."""
    processes: list[Process] = []
    try:
        for start in starts:
            processes.append(start())  # noqa: PERF401 - a comprehension would forget the ones that did start
    except StackError:
        for process in reversed(processes):
            stop(process)
        raise
    return tuple(processes)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, indented, below its path."""
    text = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "\n".join([f"The end of {log}:", *(f"    {line}" for line in text)])


def free_port(memory: Path) -> int:
    """A free TCP port on 127.0.0.1: the one used last time, kept in the file `memory`, when it still is."""
    wanted = int(memory.read_text()) if memory.exists() else 0
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
        memory.write_text(f"{found}\n")
        return found
    raise StackError("No free TCP port on 127.0.0.1.")
