"""`dev/stack`: the parts, the order they start in, and the commands."""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from stacklib import (
    apt,
    clients,
    disk,
    engine,
    forge,
    images,
    learning,
    moto,
    newest,
    part,
    paths,
    rastervision,
    readers,
    registry,
    second,
    venv,
    versions,
)
from stacklib.locks import alone
from stacklib.part import Package, Part
from stacklib.process import StackError, stop
from stacklib.story import say

PARTS = (
    engine.PART,
    registry.PART,
    forge.PART,
    images.PART,
    moto.PART,
    clients.PART,
    learning.PART,
    second.PART,
    newest.PART,
    rastervision.PART,
)
NAMES = tuple(p.name for p in PARTS)
BROUGHT: Mapping[str, Callable[[], Iterable[Path]]] = {
    "readers": lambda: [readers.ensure()],
    "git": lambda: [versions.newest_git()],
    "pythons": versions.pythons,
    "buildx": lambda: [versions.buildx()],
}
"""What is not started, but brought for tests: verb -> the paths to print."""


def chosen(only: str | None) -> list[Part]:
    """The parts asked for and those they need, in starting order."""
    if only is None:
        return list(PARTS)
    names = set(only.split(","))
    if unknown := names - set(NAMES):
        raise StackError(f"No such part: {', '.join(sorted(unknown))}. The parts are {', '.join(NAMES)}.")
    needed = {needs for p in PARTS if p.name in names for needs in p.after}
    return [p for p in PARTS if p.name in names | needed]


def up(parts: Sequence[Part], also: tuple[Package, ...] = ()) -> None:
    """Start what does not run yet; what it lacks (and `also`) is installed first, in one go."""
    with alone("stack"):
        idle = [p for p in parts if part.running(p) is None]
        wanted = {package for p in idle for package in p.packages()} | set(also)
        apt.install(apt.missing(wanted), "the development stack")
        for one in idle:
            _end(one)  # half of it may still run
            started = one.start()
            part.save(one.name, started)
            say(f"{one.name:<9} {started.where}")


def down(parts: Sequence[Part]) -> None:
    """Stop what `up` started, the last started first. Data stays in .dev."""
    with alone("stack"):
        for one in reversed(parts):
            if _end(one):
                say(f"{one.name:<9} stopped")


def clean(parts: Sequence[Part]) -> None:
    """Remove what the parts have stored; StackError while one of them runs."""
    with alone("stack"):
        if busy := [one.name for one in parts if part.load(one.name) is not None]:
            raise StackError(f"Still running: {', '.join(busy)}.\nhint: dev/stack down")
        say(f"{disk.clean(one.name for one in parts) / 1e6:,.0f} MB removed. The next up makes what it needs again.")


def _end(one: Part) -> bool:
    known = part.load(one.name)
    if known is None:
        return False
    for process in reversed(known.processes):
        stop(process)
    part.forget(one.name)
    one.stopped(known)
    return bool(known.processes)


def status(parts: Sequence[Part]) -> bool:
    """Print a line for each part; whether all of them run."""
    found = {one.name: part.running(one) for one in parts}
    for name, known in found.items():
        pids = f" (pid {', '.join(str(p.pid) for p in known.processes)})" if known and known.processes else ""
        print(f"{name:<9} {'running' if known else 'down':<8} {known.where if known else ''}{pids}".rstrip())
    return all(found.values())


def exports(parts: Sequence[Part]) -> dict[str, str]:
    """The variables that describe the running parts."""
    return {k: v for one in parts if (known := part.running(one)) for k, v in known.exports.items()}


def batch(name: str) -> str:
    """Make a Batch world with the environment's boto3; its names and ARNs as JSON."""
    values = exports([moto.PART, images.PART])
    if not {"RVEXP_DEV_AWS_ENDPOINT", "RVEXP_DEV_BASE_IMAGE"} <= values.keys():
        raise StackError("moto or the base image is missing.\nhint: dev/stack up --only moto,base")
    done = subprocess.run(
        [str(venv.FOLDER / "bin/python"), "-m", "stacklib.batch_setup", name],
        env={**os.environ, **values, "PYTHONPATH": str(paths.PROJECT / "dev")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(f"Batch refused: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev/stack", description=f"Real parts on loopback: {', '.join(NAMES)}.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("up", "start whatever is missing, installing Debian packages as root when needed"),
        ("down", "stop what up started; data stays in .dev"),
        ("clean", "remove what stopped parts have stored (images, repositories): .dev grows with every run"),
        ("status", "one line per part; exit code 1 when one is down"),
        ("env", 'what runs, as shell exports: eval "$(dev/stack env)"'),
    ):
        command = verbs.add_parser(verb, help=text, description=text)
        command.add_argument("--only", metavar="PART,…", help=f"only these of {', '.join(NAMES)}, and what they need")
        if verb == "env":
            command.add_argument("--json", action="store_true", help="as one JSON object")
    for verb, text in (
        ("repo", "make a repository on the forge and print its clone URL"),
        ("batch", "make a queue and a base job definition in Batch and print them as JSON"),
    ):
        verbs.add_parser(verb, help=text, description=text).add_argument("name", metavar="NAME")
    for verb, text in (
        ("readers", "make the environment with readers of what we write, for tests, and print its Python"),
        ("git", "bring the newest git of Debian, for tests, and print the folder to put first on PATH"),
        ("pythons", "print the Pythons that can be had here, for tests, one a line"),
        ("buildx", "bring the newest buildx of Debian, for tests, and print the plugin's path"),
    ):
        verbs.add_parser(verb, help=text, description=text)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    if arguments.verb == "repo":
        print(forge.repo(arguments.name))
        return 0
    if arguments.verb == "batch":
        print(batch(arguments.name))
        return 0
    if arguments.verb in BROUGHT:
        for found in BROUGHT[arguments.verb]():
            print(found)
        return 0
    parts = chosen(arguments.only)
    if arguments.verb == "up":
        up(parts)
        say('Ready. Next: eval "$(dev/stack env)"')
    elif arguments.verb == "down":
        down(parts)
    elif arguments.verb == "clean":
        clean(parts)
    elif arguments.verb == "status":
        return 0 if status(parts) else 1
    else:
        values = exports(parts)
        lines = [json.dumps(values)] if arguments.json else [f"export {k}={shlex.quote(v)}" for k, v in values.items()]
        for line in lines:
            print(line)
    return 0


def main() -> int:
    """Run one command; an expected failure is one clear message and exit code 1."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # dev/stack env | head
    try:
        return _run(_parser().parse_args())
    except StackError as error:
        print(f"dev/stack: {error}", file=sys.stderr)
        return 1
