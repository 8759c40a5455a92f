"""A file written whole or not at all, and never over another one: beside its place first, then given its name."""

import os
from collections.abc import Iterable
from pathlib import Path

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.jitter import token


def refuse_taken(path: Path) -> None:
    """UsageError when there is something at `path` already."""
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is there already, and is not written over", hint="-o with another name")


def written(path: Path, pieces: Iterable[bytes]) -> None:
    """Put `pieces` into the file that `path` then names. UsageError when that name is taken."""
    refuse_taken(path)
    half = path.with_name(f".{path.name}.{token()}")
    try:
        with half.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.link(half, path)  # unlike a rename, replaces nothing
    except FileExistsError:
        refuse_taken(path)
        raise
    except OSError as why:
        raise RvexpError(f"{path} cannot be written: {why.strerror or why}") from why
    finally:
        half.unlink(missing_ok=True)
