"""Home folders: the user's own, with what programs keep there, and those that ~ stands for in a path."""

import os
from collections.abc import Mapping
from pathlib import Path

from git_rvexp.errors import UsageError

NOWHERE = Path("/nonexistent")
"""The home of a user who has none, as Debian writes it (Debian policy 9.2.3): containers often run as such a one."""


def home(environ: Mapping[str, str]) -> Path:
    """The user's home folder, or NOWHERE."""
    found = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111  pathlib raises for a user without a name
    return NOWHERE if found == "~" else Path(found)


def settings(environ: Mapping[str, str]) -> Path:
    """Where the user's settings of all programs are (XDG base directories)."""
    return Path(environ.get("XDG_CONFIG_HOME") or home(environ) / ".config")


def share(environ: Mapping[str, str]) -> Path:
    """Where a user's own man pages and completions are looked for (XDG base directories)."""
    return Path(environ.get("XDG_DATA_HOME") or home(environ) / ".local" / "share")


def docker(environ: Mapping[str, str]) -> Path:
    """Docker's configuration, with the logins (`docker --help`, DOCKER_CONFIG)."""
    return Path(environ.get("DOCKER_CONFIG") or home(environ) / ".docker") / "config.json"


def expanded(path: str) -> Path:
    """A path as a shell reads it, with a home folder for ~ and ~USER. UsageError for a user who is not known here."""
    try:
        return Path(path).expanduser()
    except RuntimeError as why:
        raise UsageError(f"{path} cannot be found: {why}") from why
