"""A second Docker engine with nothing in it: where tests repeat what the first one ran.

Always our own, beside whatever engine this machine has; without a bridge, so its containers have no network. The
registry on this machine's loopback is reached by the engine itself.
"""

import json
import os
import re
import subprocess

from stacklib import engine, paths
from stacklib.apt import program
from stacklib.part import Package, Part, Running
from stacklib.process import StackError, spawn, wait_until


def start() -> Running:
    """Start it."""
    if os.geteuid() != 0:
        raise StackError("The second engine, which tests repeat runs on, can only be started by root.")
    home, log = paths.folder("second"), paths.folder("second") / "log"
    host = f"unix://{paths.sockets() / 'second.sock'}"
    (home / "pid").unlink(missing_ok=True)  # left by a crash; a live one was looked for before
    config = {
        "hosts": [host],
        "data-root": str(home / "data"),
        "exec-root": str(paths.sockets() / "second"),
        "pidfile": str(home / "pid"),
        "bridge": "none",
        "iptables": False,
        "shutdown-timeout": 5,
        "log-level": "warn",
        **_identity(str(home / "key.json")),
    }
    (home / "daemon.json").write_text(json.dumps(config, indent=2))
    process = spawn([program("dockerd") or "dockerd", "--config-file", str(home / "daemon.json")], log)
    wait_until(lambda: _works(host), process, "the second dockerd", log)
    return Running(host, (process,), {"RVEXP_DEV_SECOND_ENGINE": host}, {"host": host})


def _identity(key: str) -> dict[str, str]:
    """Before version 24 all engines of a machine take their id from one file, and would be taken for one."""
    told = subprocess.run([program("dockerd") or "dockerd", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)\.", told.stdout)
    return {"deprecated-key-path": key} if found and int(found[1]) < 24 else {}


def _works(host: str) -> bool:
    return engine.docker("version", host=host).returncode == 0


def stopped(running: Running) -> None:
    """Let go of its mounts, which would keep a clone from being deleted."""
    if running.processes:
        for place in engine.mounts(paths.folder("second"), paths.sockets() / "second"):
            subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=False)


PART = Part(
    "second",
    start,
    lambda running: _works(running.facts["host"]),
    lambda: (Package("docker.io", "dockerd"), Package("iptables", "iptables")),
    stopped,
)
