"""A page written to a file whole or not at all, and never over anything that is not a page of ours."""

import os
from pathlib import Path

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.jitter import token

_OURS = '<meta name="generator" content="git-rvexp '
_HEAD = 2000  # characters in which the line above stands


def write(path: Path, page: str, *, force: bool) -> None:
    """Put `page` at `path`. UsageError when another file is there already and `force` is not given."""
    target = path.resolve()  # what a link names is replaced, not the link
    if target.exists() and not force and not ours(target):
        raise UsageError(f"{path} is there already, and is not a report", hint="-o with another name, or --force")
    partial = target.with_name(f".{target.name}.{token()}")
    try:
        partial.write_text(page, encoding="utf-8", newline="\n")
        os.replace(partial, target)  # noqa: PTH105  reads better with what it is about
    except OSError as why:
        raise RvexpError(f"{path} cannot be written: {why.strerror or why}") from why
    finally:
        partial.unlink(missing_ok=True)


def ours(path: Path) -> bool:
    """Whether there is a report at `path`."""
    try:
        with path.open(encoding="utf-8") as file:
            return _OURS in file.read(_HEAD)
    except (OSError, ValueError):
        return False
