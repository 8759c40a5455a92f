"""The log of a bug: a traceback in the git directory, with what looks like a secret taken out."""

import datetime as dt
import platform
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from git_rvexp import __version__
from git_rvexp.git.plumbing import Repo
from git_rvexp.workflow.secrecy.redaction import redacted


def write(why: BaseException, cwd: Path, environ: Mapping[str, str]) -> Path | None:
    """Write the log beside this clone's state; None when there is no clone or it cannot be written."""
    try:
        return _written(why, cwd, environ)
    except Exception:  # noqa: BLE001  what is told of a bug must not hang on the bug
        return None


def _written(why: BaseException, cwd: Path, environ: Mapping[str, str]) -> Path:
    text = redacted("".join(traceback.format_exception(why)), environ)
    head = f"git-rvexp {__version__}, Python {platform.python_version()}, {sys.platform}\n"
    now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S")
    folder = Repo.discover(cwd, environ).state_dir
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"crash-{now}.log"
    path.write_text(head + text, encoding="utf-8", errors="backslashreplace")
    return path
