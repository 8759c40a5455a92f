"""The log of a bug: a traceback in the git directory, with what looks like a secret taken out."""

import datetime as dt
import platform
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from git_rvexp import __version__
from git_rvexp.errors import RvexpError
from git_rvexp.git.plumbing import Repo

_SECRET_NAME = re.compile(r"(?i)(token|secret|passw|key|credential|auth)")
_URL_LOGIN = re.compile(r"://[^/@\s]+@")


def write(why: BaseException, cwd: Path, environ: Mapping[str, str]) -> Path | None:
    """Write the log beside this clone's state; None when there is no clone or it cannot be written."""
    text = redacted("".join(traceback.format_exception(why)), environ)
    head = f"git-rvexp {__version__}, Python {platform.python_version()}, {sys.platform}\n"
    now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S")
    try:
        folder = Repo.discover(cwd, environ).state_dir
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"crash-{now}.log"
        path.write_text(head + text, encoding="utf-8", errors="backslashreplace")
    except (RvexpError, OSError):
        return None
    return path


def redacted(text: str, environ: Mapping[str, str]) -> str:
    """`text` without logins in URLs and without the values of variables whose names speak of secrets."""
    text = _URL_LOGIN.sub("://", text)
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and len(value) >= 6:
            text = text.replace(value, f"<{name}>")
    return text
