"""Volumes for `git rvexp run`, and the rule that none may hide or replace the snapshot's code.

The code is what is below the image's WORKDIR. Nothing may be mounted over that, whatever its source; data may be
mounted into it, but no file of the work tree. A destination that is a symbolic link inside the image is taken as
written.
"""

import os
from pathlib import Path, PurePosixPath

from git_rvexp.errors import UsageError


def volume(text: str, code: str, tree: Path, cwd: Path, *, local: bool) -> str:
    """A volume with its source made absolute. UsageError for one that hides or replaces the snapshot's code.

    `local`: the engine is on this machine, so a source that is not there is a slip (docker would make a folder).
    """
    source, destination, options = _parts(text)
    target, home = _absolute(text, destination), _absolute(text, code or "/")
    if home.is_relative_to(target):
        raise UsageError(
            f"-v {text} would hide the snapshot's code in {home}: what runs must be what the tag holds",
            hint="mount it elsewhere, for example -v SOURCE:/data",
        )
    if "/" not in source and source not in (".", ".."):
        return text  # a volume by name, or one without a name
    path = (cwd / source).resolve()
    if path.is_relative_to(tree.resolve()) and target.is_relative_to(home):
        raise UsageError(_over_code(text, str(home), known=bool(code)), hint="mount it elsewhere, such as :/data")
    if local and not path.exists():
        raise UsageError(f"-v {text}: there is no {path}", hint=f"mkdir -p {path}")
    return ":".join(filter(None, (str(path), str(target), options)))


def _over_code(text: str, home: str, *, known: bool) -> str:
    if known:
        return f"-v {text} would put files of the work tree into the snapshot's code in {home}"
    return f"-v {text} mounts from the work tree, and the image has no WORKDIR that says where its code is"


def _parts(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    if len(parts) > 3 or not all(parts):
        raise UsageError(f"-v {text} is not SOURCE:DESTINATION or SOURCE:DESTINATION:OPTIONS")
    if len(parts) == 1:
        return "", parts[0], ""
    return parts[0], parts[1], parts[2] if len(parts) == 3 else ""


def _absolute(text: str, path: str) -> PurePosixPath:
    """A path in the container, with `..` and doubled slashes resolved."""
    if not path.startswith("/"):
        raise UsageError(f"-v {text}: the destination must be an absolute path")
    return PurePosixPath("/" + os.path.normpath(path).lstrip("/"))
