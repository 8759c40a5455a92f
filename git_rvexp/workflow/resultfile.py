"""The file of a result: written beside its place first, then given its name, so that it is there whole or not at all.

That it cannot be written (no room, a folder for reading only) is told here, in one way for every verb.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.jitter import token


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A block that works at the file `path`: what the system refuses there is an RvexpError that names it."""
    try:
        yield
    except OSError as why:
        raise RvexpError(f"{path} cannot be written: {why.strerror or why}", hint="-o with another place") from why


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A name beside `path` for what the block writes and then gives its place; RvexpError when it cannot."""
    half = path.with_name(f".{path.name[:40]}.{token()}")  # a name may be as long as a file system takes
    try:
        with writing(path):
            yield half
    finally:
        with suppress(OSError):  # it is gone, or never was: where nothing can be written, nothing can be removed
            half.unlink()


def refuse_taken(path: Path) -> None:
    """UsageError when there is something at `path` already."""
    with writing(path):
        taken = path.exists() or path.is_symlink()
    if taken:
        raise UsageError(f"{path} is there already, and is not written over", hint="-o with another name")


def fill(path: Path, pieces: Iterable[bytes]) -> None:
    """Make `pieces` the content of the new file `path`, on the disk when this returns."""
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def written(path: Path, pieces: Iterable[bytes]) -> None:
    """Put `pieces` into the file that `path` then names. UsageError when that name is taken."""
    refuse_taken(path)
    with beside(path) as half:
        fill(half, pieces)
        try:
            os.link(half, path)  # unlike a rename, replaces nothing
        except FileExistsError:
            refuse_taken(path)
            raise
