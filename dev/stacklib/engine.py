"""The Docker engine: a working one when there is one, else our own below `.dev/engine`.

Our own engine has its own socket, data, configuration and bridge, so that it meets neither a system
engine nor the engine of another clone on the same machine.
"""

import ipaddress
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from stacklib import paths
from stacklib.apt import program
from stacklib.part import Package, Part, Running, load
from stacklib.process import StackError, spawn, tail, wait_until
from stacklib.story import say

HINTS = {
    r"cgroup.*(not|isn't) mounted|cgroup mountpoint": "no cgroups are mounted here: apt-get install cgroupfs-mount",
    r"iptables": "the kernel refused iptables: update-alternatives --set iptables /usr/sbin/iptables-legacy",
    r"overlay|graphdriver": "the file system below .dev cannot hold image layers: clone to ext4 or xfs",
    r"operation not permitted|permission denied": "an engine needs full root rights: inside a container, --privileged",
}


def socket() -> Path:
    """Our own engine's socket."""
    return paths.sockets() / "docker.sock"


def docker(*arguments: str, host: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the docker CLI against the stack's engine (or `host`), whatever context the user has chosen."""
    command = [program("docker") or "docker", "--host", host or address(), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def address() -> str:
    """DOCKER_HOST of the stack's engine."""
    known = load("engine")
    return known.facts["host"] if known else _outside()


def _outside() -> str:
    """The engine that this machine has without us, there or not: as docker-py finds it."""
    own = f"unix://{socket()}"
    host = os.environ.get("DOCKER_HOST") or own
    return "unix:///var/run/docker.sock" if host == own else host


def _works(host: str) -> bool:
    if program("docker") is None:
        return False
    return docker("version", "--format", "{{.Server.Version}}", host=host).returncode == 0


def packages() -> tuple[Package, ...]:
    """What our own engine needs; nothing when this machine has a working one."""
    if _works(_outside()):
        return ()
    return (Package("docker.io", "dockerd"), Package("iptables", "iptables"), Package("iproute2", "ip"))


def start() -> Running:
    """Use the engine that works, else start our own."""
    if _works(_outside()):
        where = _outside()  # told like our own: the next shell may not have the variable that led here
        return Running(f"{where} (not started by dev/stack)", exports={"DOCKER_HOST": where}, facts={"host": where})
    if os.geteuid() != 0:
        raise StackError("No Docker engine answers. Start one, set DOCKER_HOST, or run this as root.")
    home, host, log = paths.folder("engine"), f"unix://{socket()}", paths.folder("engine") / "log"
    (home / "pid").unlink(missing_ok=True)  # left by a crash; a live engine of ours was looked for before
    config = {
        "hosts": [host],
        "data-root": str(home / "data"),
        "exec-root": str(paths.sockets() / "engine"),
        "pidfile": str(home / "pid"),
        "bridge": _bridge(),
        "shutdown-timeout": 5,
        "log-level": "warn",
    }
    (home / "daemon.json").write_text(json.dumps(config, indent=2))
    say("Starting a Docker engine of our own")
    process = spawn([program("dockerd") or "dockerd", "--config-file", str(home / "daemon.json")], log)
    running = Running(host, (process,), {"DOCKER_HOST": host}, {"host": host})
    try:
        wait_until(lambda: _works(host), process, "dockerd", log)
    except StackError as error:
        stopped(running)
        raise StackError(f"{error}{_hint(log)}") from None
    return running


def _hint(log: Path) -> str:
    text = tail(log)
    return next((f"\nhint: {hint}" for pattern, hint in HINTS.items() if re.search(pattern, text, re.IGNORECASE)), "")


def _ip(*arguments: str) -> str:
    done = subprocess.run([program("ip") or "ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"ip {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout


def bridge_name() -> str:
    """The name of this clone's bridge (at most 15 characters)."""
    return f"rvx{paths.identity()}"


def _subnets() -> Iterator[ipaddress.IPv4Network]:
    first = int(paths.identity(), 16)
    return (ipaddress.IPv4Network(f"172.30.{(first + n) % 256}.0/24") for n in range(256))


def _bridge() -> str:
    """Make the bridge of our containers, on a network that no route of this machine uses."""
    name = bridge_name()
    if f" {name}:" in _ip("-o", "link"):
        return name
    targets = (line.split()[0] for line in _ip("-4", "route").splitlines())
    used = [ipaddress.IPv4Network(t, strict=False) for t in targets if t[0].isdigit()]
    free = next((n for n in _subnets() if not any(n.overlaps(u) for u in used)), None)
    if free is None:
        raise StackError("Every network in 172.30.0.0/16 is taken on this machine.")
    _ip("link", "add", "name", name, "type", "bridge")
    _ip("address", "add", f"{free[1]}/24", "dev", name)
    _ip("link", "set", name, "up")
    return name


def stopped(running: Running) -> None:
    """Remove what our engine leaves behind: mounts, which would keep a clone from being deleted, and its bridge."""
    if not running.processes:
        return
    for place in mounts(paths.folder("engine"), paths.sockets() / "engine"):
        subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=False)
    if f" {bridge_name()}:" in _ip("-o", "link"):
        _ip("link", "delete", bridge_name())


def mounts(*folders: Path) -> list[Path]:
    """What is mounted below an engine's folders, the innermost first (proc(5): mountinfo, field 5)."""
    fields = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    places = [Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), field)) for field in fields]
    return sorted((p for p in places if any(p.is_relative_to(f) for f in folders)), reverse=True)


def answers(running: Running) -> bool:
    """Whether the engine answers."""
    return _works(running.facts["host"])


PART = Part("engine", start, answers, packages, stopped)
