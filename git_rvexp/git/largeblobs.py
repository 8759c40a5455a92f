"""Large files out of the object store, piece by piece, each held against its name before its last piece is given.

Out of a pack git gives them so. One that is an object by itself (a loose one: what was just added, up to 512 MiB) git
maps as a whole, and all its pages count as git's memory; so those are read here. Their format is
gitformat-loose(5)'s: a zlib stream of kind, space, size, NUL and the content.
"""

import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import BinaryIO

from git_rvexp.git.catprocess import start, unreadable
from git_rvexp.tree import naming

_PIECE = 1 << 18


def pieces(git_dir: Path, env: Mapping[str, str], oid: str, size: int) -> Iterator[bytes]:
    """The blob's `size` bytes. GitError before the last piece when they are not what the name says."""
    seen, held = naming("blob", size, len(oid)), b""
    store = git_dir / env.get("GIT_OBJECT_DIRECTORY", "objects")
    try:
        with closing(_loose(store / oid[:2] / oid[2:], size) or _told(git_dir, env, oid)) as given:
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


def _loose(place: Path, size: int) -> Generator[bytes] | None:
    """The content of the loose object at `place`; None where there is none that begins as it should.

    Then it is in a pack or in another store, perhaps beside a file that a failing machine left empty: git's business.
    """
    head, inflate = b"blob %d\0" % size, zlib.decompressobj()
    with suppress(OSError, zlib.error), ExitStack() as stack:
        file = stack.enter_context(place.open("rb"))
        first = inflate.decompress(file.read(_PIECE), _PIECE)
        if first.startswith(head):
            stack.pop_all()
            return _rest(file, inflate, first[len(head) :])
    return None


def _rest(file: BinaryIO, inflate: "zlib._Decompress", first: bytes) -> Generator[bytes]:
    """What was read already, and all that follows. Some pieces may be empty."""
    with file:
        yield first
        while not inflate.eof and (some := inflate.unconsumed_tail or file.read(_PIECE)):
            yield inflate.decompress(some, _PIECE)
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
