"""The project's virtual environment `.venv`, with the package and its development extras."""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from stacklib import apt, paths
from stacklib.locks import alone
from stacklib.part import Package
from stacklib.process import StackError
from stacklib.story import say

FOLDER = paths.PROJECT / ".venv"
LOCK = paths.PROJECT / "requirements" / "dev.txt"
MINIMUM = (3, 11)


def locked() -> str:
    """What tells one state of pyproject.toml and the lock from another."""
    return hashlib.sha256((paths.PROJECT / "pyproject.toml").read_bytes() + LOCK.read_bytes()).hexdigest()


def packages() -> tuple[Package, ...]:
    """What Debian's Python needs to make the environment: it leaves `ensurepip` to a package."""
    if (FOLDER / "bin" / "pip").exists() or importlib.util.find_spec("ensurepip"):
        return ()
    return (Package("python3-venv", "ensurepip"),)


def ensure(needs: str | None = None) -> None:
    """Make the environment, and install into it, when it is missing or older than pyproject.toml.

    With `needs`, the name of a program, do nothing when that program is installed, whatever its age.
    """
    if needs is not None and (FOLDER / "bin" / needs).exists():
        return
    with alone("venv"):
        stamp, wanted = FOLDER / "rvexp-installed", locked()
        if not stamp.exists() or stamp.read_text() != wanted:
            _install()
            stamp.write_text(wanted)


def _install() -> None:
    version = sys.version.split()[0]
    if sys.version_info < MINIMUM:
        raise StackError(f"git rvexp needs Python 3.11 or newer; {sys.executable} is {version}.")
    if not (FOLDER / "bin" / "pip").exists():
        apt.install(apt.missing(packages()), "the virtual environment")
        say(f"Making the virtual environment {FOLDER.name} with Python {version}")
        run(sys.executable, "-m", "venv", "--clear", str(FOLDER))
    say("Installing git rvexp and its development tools with pip, as requirements/dev.txt has them")
    pip = (str(FOLDER / "bin/python"), "-m", "pip", "install", "--quiet")
    run(*pip, "--require-hashes", "--requirement", str(LOCK))
    run(*pip, "--editable", f"{paths.PROJECT}[dev,release]")  # nothing more, unless the lock is behind pyproject.toml


def run(*command: str) -> None:
    """Run a command; StackError with the end of what it said when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-15:])
        raise StackError(f"{' '.join(command)} failed:\n{lines}")


def apart(name: str, packages: tuple[str, ...], purpose: str) -> Path:
    """The programs' folder of the environment `.dev/NAME` with `packages`; made anew when that list has changed."""
    folder = paths.DEV / name
    stamp, wanted = folder / "rvexp-installed", hashlib.sha256("\n".join(packages).encode()).hexdigest()
    with alone(name):
        if not stamp.exists() or stamp.read_text() != wanted:
            say(f"Installing {purpose} with pip into .dev/{name}")
            run(sys.executable, "-m", "venv", "--clear", str(folder))
            run(str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *packages)
            stamp.write_text(wanted)
    return folder / "bin"


def add(module: str, extra: str) -> None:
    """Install the package's optional `extra` unless `module`, which it brings, is there."""
    if any(FOLDER.glob(f"lib/python*/site-packages/{module}")):
        return
    with alone("venv"):
        say(f"Installing {module} with pip (pyproject.toml: extra `{extra}`)")
        run(str(FOLDER / "bin/python"), "-m", "pip", "install", "--quiet", "--editable", f"{paths.PROJECT}[{extra}]")
