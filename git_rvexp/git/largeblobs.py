"""Large files out of the object store, piece by piece, each held against its name before its last piece is given.

Out of a pack git gives them so. One that is an object by itself (a loose one: what was just added, up to 512 MiB) git
maps as a whole, and all its pages count as git's memory; so those are read here. Their format is
gitformat-loose(5)'s: a zlib stream of kind, space, size, NUL and the content.
"""

import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

from git_rvexp.git.catprocess import start, unreadable
from git_rvexp.tree import naming

_PIECE = 1 << 18


def pieces(git_dir: Path, env: Mapping[str, str], oid: str, size: int) -> Iterator[bytes]:
    """The blob's `size` bytes. GitError before the last piece when they are not what the name says."""
    seen, held = naming("blob", size, len(oid)), b""
    loose = _file(git_dir / env.get("GIT_OBJECT_DIRECTORY", "objects"), oid)
    try:
        with closing(_inflated(loose) if loose else _told(git_dir, env, oid)) as given:
            for piece in filter(None, given):
                seen.update(piece)
                if held:
                    yield held
                held = piece
    except (OSError, zlib.error) as why:
        raise unreadable(oid, str(why)) from why
    if seen.hexdigest() != oid:
        raise unreadable(oid, "hash mismatch, or it breaks off")
    if held:
        yield held


def _file(store: Path, oid: str) -> BinaryIO | None:
    """The loose object; None for one that is in a pack or in another store, which are git's business."""
    with suppress(OSError):
        return (store / oid[:2] / oid[2:]).open("rb")
    return None


def _inflated(file: BinaryIO) -> Generator[bytes]:
    """What follows the head. Some pieces may be empty."""
    inflate, head = zlib.decompressobj(), True
    with file:
        while not inflate.eof and (some := inflate.unconsumed_tail or file.read(_PIECE)):
            piece = inflate.decompress(some, _PIECE)
            yield piece.partition(b"\0")[2] if head else piece
            head = False
        yield inflate.flush()


def _told(git_dir: Path, env: Mapping[str, str], oid: str) -> Generator[bytes]:
    """The same by a git of its own."""
    with start(git_dir, env, "blob", oid) as git:
        assert git.stdout
        try:
            while piece := git.stdout.read(_PIECE):
                yield piece
        finally:
            git.stdout.close()  # git ends when nobody reads any more
