"""`dev/test`: the virtual environment, lint, types, the stack, and the tests; what CI runs too."""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence

from stacklib import apt, cli, disk, paths, readers, venv, versions
from stacklib.part import Package
from stacklib.process import StackError
from stacklib.story import say

BROWSER = (
    Package("chromium", "chromium"),
    Package("poppler-utils", "pdftotext"),
    Package("fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
)
UNIT = (Package("git-lfs", "git-lfs"),)
COVERAGE_FLOOR = 78  # percent of lines and branches of git_rvexp, looked at when everything is run in CI

NEWEST_GIT = ("pytest", "-n", "2", "tests/unit/test_hook_install.py", "tests/unit/test_hook_post_push.py")
"""Where the newest git works in another way: hooks set in the configuration."""

SITE = ("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs")

CHECKS: Mapping[str, tuple[str, ...]] = {
    "lint": ("ruff", "check"),
    "format": ("ruff", "format", "--check"),
    "types": ("mypy",),
    "types of dev": ("mypy", "-p", "stacklib"),
    "documents": (*SITE, ".dev/site"),
}
REMEDIES = {"lint": ".venv/bin/ruff check --fix", "format": ".venv/bin/ruff format", "tests": "dev/test --lf"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev/test",
        description="Set up what is missing, then lint, types and all tests against the real parts.",
        epilog="Everything else is handed to pytest: dev/test tests/unit -k names -x. The default is -n 2.",
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="lint, types and unit tests only; no stack")
    parser.add_argument("--long", action="store_true", help="the tests marked `long` too, unbounded")
    return parser


def _run(title: str, command: Sequence[str], env: Mapping[str, str]) -> bool:
    """Run one of the environment's programs, shown first; whether it succeeded."""
    print(f"\n== {title}: {shlex.join(command)}", flush=True)
    program = venv.FOLDER / "bin" / command[0]
    return subprocess.run([str(program), *command[1:]], cwd=paths.PROJECT, env=dict(env), check=False).returncode == 0


def _pytest(arguments: argparse.Namespace, extra: list[str], *, ci: bool) -> list[str]:
    """The pytest command. Arguments of the caller's come last and so win."""
    command = ["pytest", "-n", "2", "--dist", "worksteal"]  # a long test holds nobody up
    if arguments.quick:
        command.append("tests/unit")
    elif ci and not extra:
        command += ["--cov", "--cov-report=term", f"--cov-fail-under={COVERAGE_FLOOR}"]
    if not (ci or arguments.long or "-m" in extra):
        command += ["-m", "not long"]
    return command + extra


def _environment(arguments: argparse.Namespace, *, ci: bool) -> dict[str, str]:
    env = {**os.environ, "MYPYPATH": str(paths.PROJECT / "dev")}
    env["PATH"] = f"{venv.FOLDER / 'bin'}{os.pathsep}{env['PATH']}"  # `git rvexp` finds git-rvexp there
    if ci and not arguments.long:
        env["RVEXP_DEV_LONG"] = "bounded"
    return env


def check(arguments: argparse.Namespace, extra: list[str], *, ci: bool) -> list[str]:
    """Run everything; the titles of what failed."""
    if not arguments.quick:
        disk.look()
        cli.up(cli.PARTS, (*venv.packages(), *BROWSER))
        readers.ensure()
        versions.pythons()
        versions.newest_git()
        versions.buildx()
    apt.install(apt.missing(UNIT), "the unit tests")
    venv.ensure()
    env = _environment(arguments, ci=ci)
    failed = [title for title, command in CHECKS.items() if not _run(title, command, env)]
    if ci and not extra and not arguments.quick:
        if not _supplied():
            failed.append("supply")
        path = os.pathsep.join((str(versions.newest_git()), env["PATH"]))
        if not _run("tests with Debian's newest git", NEWEST_GIT, {**env, "PATH": path}):
            failed.append("newest git")
    if not _run("tests", _pytest(arguments, extra, ci=ci), env):
        failed.append("tests")
    return failed


def _supplied() -> bool:
    """Whether the wheel can be built twice the same and used, its parts list is valid, and the lowest versions pass."""
    print("\n== supply: dev/supply check", flush=True)
    command = [str(venv.FOLDER / "bin/python"), "dev/supply", "check"]
    return subprocess.run(command, cwd=paths.PROJECT, check=False).returncode == 0


def main() -> int:
    """Run the checks and end with the next command to type."""
    arguments, extra = _parser().parse_known_args()
    try:
        failed = check(arguments, extra, ci=os.environ.get("CI") == "true")
    except StackError as error:
        print(f"dev/test: {error}", file=sys.stderr)
        return 1
    if failed:
        nexts = [REMEDIES[title] for title in failed if title in REMEDIES] or ["dev/test"]
        say(f"\nFailed: {', '.join(failed)}. Next: {nexts[0]}")
        return 1
    if arguments.quick:
        say("\nAll passed. Next: dev/test")
    else:
        say("\nAll passed. Next: dev/quickstart    (the stack keeps running; dev/stack down stops it)")
    return 0
