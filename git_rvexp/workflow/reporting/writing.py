"""A page written to a file whole or not at all, and never over anything that is not a page of ours."""

import os
from pathlib import Path

from git_rvexp.errors import UsageError
from git_rvexp.workflow.resultfile import beside, writing

_OURS = '<meta name="generator" content="git-rvexp '
_HEAD = 2000  # characters in which the line above stands


def write(path: Path, page: str, *, force: bool) -> None:
    """Put `page` at `path`. UsageError when another file is there already and `force` is not given."""
    with writing(path):
        target = path.resolve()  # what a link names is replaced, not the link
        taken = target.exists() and not force and not ours(target)
    if taken:
        raise UsageError(f"{path} is there already, and is not a report", hint="-o with another name, or --force")
    with beside(target) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")
        os.replace(partial, target)  # noqa: PTH105  reads better with what it is about


def ours(path: Path) -> bool:
    """Whether there is a report at `path`."""
    try:
        with path.open(encoding="utf-8") as file:
            return _OURS in file.read(_HEAD)
    except (OSError, ValueError):
        return False
