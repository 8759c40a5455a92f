"""What a part of the stack is, and what is remembered of a running one (`.dev/stack/<part>.json`)."""

import http.client
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stacklib import paths
from stacklib.process import Process, alive


@dataclass(frozen=True)
class Running:
    """A started part: its daemons in the order they were started, what `env` exports, and a line for `status`."""

    where: str
    processes: tuple[Process, ...] = ()
    exports: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)  # for the part itself; not exported


@dataclass(frozen=True)
class Package:
    """A Debian package and a file or program that shows it to be installed."""

    name: str
    shown_by: str


@dataclass(frozen=True)
class Part:
    """One part: what has to be installed, how it is started, and how to see that it truly answers."""

    name: str
    start: Callable[[], Running]
    answers: Callable[[Running], bool]
    packages: Callable[[], tuple[Package, ...]] = tuple
    stopped: Callable[[Running], None] = lambda _running: None
    after: tuple[str, ...] = ()


def _file(name: str) -> Path:
    return paths.folder("stack") / f"{name}.json"


def save(name: str, running: Running) -> None:
    """Remember a started part. Only the owner may read the file: it holds passwords."""
    record = {
        "where": running.where,
        "processes": [[p.pid, p.started] for p in running.processes],
        "exports": dict(running.exports),
        "facts": dict(running.facts),
    }
    scratch = _file(name).with_suffix(".new")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(record, out, indent=2)
    scratch.replace(_file(name))


def load(name: str) -> Running | None:
    """What is remembered of a part; None when it was never started, or stopped by `down`."""
    try:
        record = json.loads(_file(name).read_text())
    except FileNotFoundError:
        return None
    processes = tuple(Process(pid, started) for pid, started in record["processes"])
    return Running(record["where"], processes, record["exports"], record["facts"])


def forget(name: str) -> None:
    """Drop what is remembered of a part."""
    _file(name).unlink(missing_ok=True)


def running(part: Part) -> Running | None:
    """The part, when it was started, lives and answers."""
    known = load(part.name)
    if known is not None and all(alive(p) for p in known.processes) and part.answers(known):
        return known
    return None


def http_status(port: int, path: str) -> int:
    """The HTTP status of a GET on 127.0.0.1; 0 when nobody answers. Proxy settings are not looked at."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
