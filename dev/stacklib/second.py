"""A second Docker engine with nothing in it: where tests repeat what the first one ran.

Always our own, beside whatever engine this machine has; without a bridge, so its containers have no network. The
registry on this machine's loopback is reached by the engine itself.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping

from stacklib import engine, paths
from stacklib.apt import program
from stacklib.part import Package, Part, Running
from stacklib.process import StackError, spawn, wait_until


def start() -> Running:
    """Start it."""
    if os.geteuid() != 0:
        raise StackError("The second engine, which tests repeat runs on, can only be started by root.")
    more = _identity(str(paths.folder("second") / "key.json"))
    return daemon("second", "RVEXP_DEV_SECOND_ENGINE", program("dockerd") or "dockerd", more)


def daemon(
    name: str, variable: str, dockerd: str, more: Mapping[str, object], env: Mapping[str, str] | None = None
) -> Running:
    """An engine without a network in `.dev/NAME`; `more` goes into its configuration, `variable` tells its address."""
    home, log = paths.folder(name), paths.folder(name) / "log"
    host = f"unix://{paths.sockets() / name}.sock"
    (home / "pid").unlink(missing_ok=True)  # left by a crash; a live one was looked for before
    config = {
        "hosts": [host],
        "data-root": str(home / "data"),
        "exec-root": str(paths.sockets() / name),
        "pidfile": str(home / "pid"),
        "bridge": "none",
        "iptables": False,
        "shutdown-timeout": 5,
        "log-level": "warn",
        **more,
    }
    (home / "daemon.json").write_text(json.dumps(config, indent=2))
    process = spawn([dockerd, "--config-file", str(home / "daemon.json")], log, env)
    wait_until(lambda: _works(host), process, f"the {name} dockerd", log)
    return Running(host, (process,), {variable: host}, {"host": host})


def _identity(key: str) -> dict[str, str]:
    """Before version 24 all engines of a machine take their id from one file, and would be taken for one."""
    told = subprocess.run([program("dockerd") or "dockerd", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)\.", told.stdout)
    return {"deprecated-key-path": key} if found and int(found[1]) < 24 else {}


def _works(host: str) -> bool:
    return engine.docker("version", host=host).returncode == 0


def unmounted(name: str) -> Callable[[Running], None]:
    """Lets go of an engine's mounts, which would keep a clone from being deleted."""

    def stopped(running: Running) -> None:
        if running.processes:
            for place in engine.mounts(paths.folder(name), paths.sockets() / name):
                subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=False)

    return stopped


PART = Part(
    "second",
    start,
    lambda running: _works(running.facts["host"]),
    lambda: (Package("docker.io", "dockerd"), Package("iptables", "iptables")),
    unmounted("second"),
)
