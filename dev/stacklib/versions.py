"""Other Pythons and gits than this machine's own, and buildx: found here, or brought from newer releases of Debian.

What is brought goes to `.dev` and is never installed.
"""

import shlex
import shutil
import subprocess
from pathlib import Path

from stacklib import debian
from stacklib.process import StackError

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
GITS = ("trixie", "sid")
"""Releases of Debian whose git is tried, the newest last."""
_PYTHON_SUITES = {"3.13": "trixie", "3.14": "sid"}  # where Debian has which


def python(version: str) -> Path:
    """A Python of this version (such as 3.14); StackError where it is nowhere to be had."""
    found = _installed(version) or _python_from_debian(version)
    if found is None:
        raise StackError(f"No Python {version} here. hint: pyenv install {version}")
    return found


def pythons() -> list[Path]:
    """One of each version that can be had here; of those that Debian has, none is missing."""
    found = (_installed(version) or _python_from_debian(version) for version in PYTHONS)
    return [program for program in found if program]


def _installed(version: str) -> Path | None:
    """A Python on PATH or of pyenv that works (a shim of pyenv's may stand for none)."""
    places = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    named = shutil.which(f"python{version}")
    for place in [*places, *([Path(named)] if named else [])]:
        if subprocess.run([place, "-c", "import ssl"], capture_output=True, check=False).returncode == 0:
            return place
    return None


def _python_from_debian(version: str) -> Path | None:
    if version not in _PYTHON_SUITES:
        return None
    root = debian.bring(_PYTHON_SUITES[version], f"python{version}")
    program = root / "usr/bin" / f"python{version}"
    debian.adapt(root, [program])
    return program


def git(suite: str) -> Path:
    """A folder to put first on PATH: the `git` of a release of Debian, which knows where its own parts are."""
    root = debian.bring(suite, "git")
    parts = root / "usr/lib/git-core"
    debian.adapt(root, [root / "usr/bin/git", *(p for p in parts.iterdir() if p.is_file())])
    folder = root / "first"
    folder.mkdir(exist_ok=True)
    lines = ["#!/bin/sh", f"GIT_EXEC_PATH={shlex.quote(str(parts))}", "export GIT_EXEC_PATH"]
    (folder / "git").write_text("\n".join([*lines, f'exec {shlex.quote(str(root / "usr/bin/git"))} "$@"', ""]))
    (folder / "git").chmod(0o755)
    return folder


def newest_git() -> Path:
    """The same of the newest release."""
    return git(GITS[-1])


def buildx() -> Path:
    """The newest release's buildx, to stand among the docker command's plugins."""
    root = debian.bring(GITS[-1], "docker-buildx")
    program = root / "usr/libexec/docker/cli-plugins/docker-buildx"
    debian.adapt(root, [program])
    return program
