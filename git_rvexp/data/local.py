"""The files of a folder of this machine as a manifest's files, hashed; links are listed by where they point."""

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

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
        found = [_item(path, declared)] if not path.is_dir() or path.is_symlink() else list(_below(path, declared))
    except OSError as why:
        raise UsageError(f"the input {path} cannot be read: {why}") from why
    yield from sorted(found)


def _below(top: Path, declared: str) -> Iterator[Item]:
    for folder, folders, names in os.walk(top, onerror=_raise):
        links = [n for n in folders if (Path(folder) / n).is_symlink()]
        for name in [*names, *links]:
            path = Path(folder) / name
            if path.is_symlink() or path.is_file():
                yield _item(path, joined(declared, str(path.relative_to(top))))


def _item(path: Path, name: str) -> Item:
    if path.is_symlink():
        return Item(name, 0, f"link:{path.readlink()}".replace("\t", " ").replace("\n", " "))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Item(name, path.stat().st_size, f"sha256:{digest}")


def _raise(why: OSError) -> None:
    raise why
