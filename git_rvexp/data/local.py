"""The files of a folder of this machine as a manifest's files, hashed.

Links that point to something in the folder, or to nothing, are listed by where they point; others are followed: what
they lead to is read as if it were there.
"""

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from git_rvexp.data import linked
from git_rvexp.data.manifest import Item
from git_rvexp.data.places import joined
from git_rvexp.errors import UsageError


def machine() -> str:
    """What this machine is called: a path means what it holds here."""
    return socket.gethostname()


def items(path: Path, declared: str) -> Iterator[Item]:
    """The files at or below `path`, sorted by name. UsageError when there is nothing or it cannot be read."""
    if not os.path.lexists(path):
        raise UsageError(f"there is no {path}", hint="--input PATH or s3://BUCKET/KEY")
    try:
        found = sorted(_found(path, declared, ()))
    except OSError as why:
        raise UsageError(f"the input {path} cannot be read: {why}") from why
    yield from found


def _found(path: Path, name: str, inside: tuple[Path, ...]) -> Iterator[Item]:
    """The file or the files of the folder `path`; `inside` are the folders, free of links, that it was found in."""
    real = Path(os.path.realpath(path))
    here = any(real.is_relative_to(folder) for folder in inside)
    if path.is_symlink() and (here or not (real.is_file() or real.is_dir())):
        yield Item(name, 0, linked.pointing(str(path.readlink())))
    elif path.is_dir():
        yield from _below(real, name, (*inside, real))
    else:
        yield _hashed(path, name)


def _below(top: Path, declared: str, inside: tuple[Path, ...]) -> Iterator[Item]:
    for folder, folders, names in os.walk(top, onerror=_raise):
        links = [n for n in folders if (Path(folder) / n).is_symlink()]
        for name in [*names, *links]:
            path = Path(folder) / name
            if path.is_symlink() or path.is_file():
                yield from _found(path, joined(declared, str(path.relative_to(top))), inside)


def _hashed(path: Path, name: str) -> Item:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Item(name, path.stat().st_size, f"sha256:{digest}")


def _raise(why: OSError) -> None:
    raise why
