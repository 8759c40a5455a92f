"""The registry: Debian's docker-registry on one storage, served twice: open, and behind a password."""

import contextlib
import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

from stacklib import paths
from stacklib.apt import program
from stacklib.part import Package, Part, Running, http_status
from stacklib.process import Process, StackError, free_port, spawn, start_all, stop, wait_until

USER = "rvexp"


def password(file: Path) -> str:
    """The part's own random password, kept in `file` so that it survives a restart."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(15))
    return file.read_text()


def htpasswd(file: Path, user: str, word: str) -> None:
    """Write a password file with one bcrypt entry, the only kind docker-registry takes; nginx takes it too.

    Perl, which every Debian has, reaches crypt(3); Python's own door to it is gone since 3.13.
    """
    letters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    salt = "$2y$05$" + "".join(secrets.choice(letters) for _ in range(21)) + "."
    done = subprocess.run(
        [program("perl") or "perl", "-e", "chomp(my $word = <STDIN>); print crypt($word, $ARGV[0])", salt],
        input=word,
        capture_output=True,
        text=True,
        check=True,
    )
    if not done.stdout.startswith("$2y$"):
        raise StackError("This system's crypt(3) knows no bcrypt, which the registry's password file needs.")
    file.write_text(f"{user}:{done.stdout}\n")


def _serve(home: Path, name: str, port: int, auth: dict[str, object]) -> Process:
    config = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(home / "storage")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f"127.0.0.1:{port}", "secret": password(home / "secret")},
        **({"auth": auth} if auth else {}),
    }
    file, log = home / f"{name}.yml", home / f"{name}.log"
    file.write_text(json.dumps(config, indent=2))  # JSON is YAML
    env = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
    process = spawn([program("docker-registry") or "docker-registry", "serve", str(file)], log, env)
    wait_until(lambda: http_status(port, "/v2/") in {200, 401}, process, "docker-registry", log)
    return process


def start() -> Running:
    """Start both doors of the registry."""
    home = paths.folder("registry")
    word = password(home / "password")
    htpasswd(home / "htpasswd", USER, word)
    auth: dict[str, object] = {"htpasswd": {"realm": "git rvexp dev", "path": str(home / "htpasswd")}}
    port, locked = free_port(home / "port"), free_port(home / "port-auth")
    processes = start_all(lambda: _serve(home, "open", port, {}), lambda: _serve(home, "auth", locked, auth))
    return Running(
        where=f"localhost:{port} (open), localhost:{locked} (with password)",
        processes=processes,
        exports={
            "RVEXP_DEV_REGISTRY": f"localhost:{port}",
            "RVEXP_DEV_REGISTRY_AUTH": f"localhost:{locked}",
            "RVEXP_DEV_REGISTRY_USER": USER,
            "RVEXP_DEV_REGISTRY_PASSWORD": word,
        },
        facts={"port": str(port), "port_auth": str(locked)},
    )


@contextlib.contextmanager
def passing(home: Path) -> Iterator[str]:
    """The host of an open registry that stores in `home`, for what pushes gigabytes: they go when the folder goes."""
    home.mkdir()
    port = free_port(home / "port")
    serving = _serve(home, "open", port, {})
    try:
        yield f"localhost:{port}"
    finally:
        stop(serving)


def answers(running: Running) -> bool:
    """Whether the open door answers and the other asks for a password."""
    facts = running.facts
    return http_status(int(facts["port"]), "/v2/") == 200 and http_status(int(facts["port_auth"]), "/v2/") == 401


PART = Part("registry", start, answers, lambda: (Package("docker-registry", "docker-registry"),))
