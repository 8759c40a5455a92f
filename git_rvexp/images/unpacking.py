"""A tar that somebody else made, read as a stream: what each of its files hashes to. Nothing is unpacked to disk.

Names that lead out, devices, and bombs of every kind (bytes, names, headers) end the reading. What the archive should
have been is `archive`'s business.
"""

import posixpath
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from git_rvexp import tars
from git_rvexp.images.spool import Spool
from git_rvexp.pieces import SIZE
from git_rvexp.tree import EXECUTABLE, FILE, SYMLINK, blob_id

_MOST = 4 << 30
"""The most bytes that are unpacked where nobody knows how many there should be."""
_LONGEST = 4096  # bytes of a path, the most that Linux opens
NAMES = 256 << 20  # bytes of all paths, and a hundred for each: some two million files
PER_NAME = 100

Files = dict[bytes, tuple[int, str]]
"""Mode and object name by path."""


class Different(Exception):  # noqa: N818  an answer, not an error: the reason to use the tree instead
    """Why the archive is not the tree."""


def room() -> int:
    """The most bytes an archive may unpack to when sizes are not known: half of what is free for temporary files."""
    return min(_MOST, shutil.disk_usage(tempfile.gettempdir()).free // 2)


def unpacked(chunks: Iterable[bytes], spool: Spool, width: int, most: int) -> tuple[Files, set[bytes]]:
    """The files of the tar stream `chunks` (gzip or plain), contents in `spool`; and the folders that it names.

    Different where it is broken, holds what no tree holds, or unpacks to more than `most` bytes; `width` is that of the
    object names, 40 or 64.
    """
    found: Files = {}
    folders: set[bytes] = set()
    names = NAMES
    try:
        with tars.opened(_bounded(tars.plain(chunks), most)) as tar:
            for member in tar:
                path = safe_path(member.name)
                names -= len(path) + PER_NAME
                if names < 0:
                    raise Different("it holds too many names")
                if member.isdir():
                    folders.add(path)
                    continue
                if path in found:
                    raise Different(f"it holds {shown(path)} twice")
                found[path] = _take(tar, member, spool, width)
    except (tarfile.TarError, OSError) as why:
        raise Different(f"it cannot be unpacked: {why}") from why
    return found, folders


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, spool: Spool, width: int) -> tuple[int, str]:
    if member.issym():
        target = member.linkname.encode("utf-8", "surrogateescape")
        oid = blob_id([target], len(target), width=width)
        spool.add(oid, [target])
        return SYMLINK, oid
    if not member.isreg() or member.issparse():
        raise Different(f"{shown(safe_path(member.name))} is neither a file nor a link")
    content = tar.extractfile(member)
    assert content is not None
    place = spool.begin()
    oid = blob_id(_kept(content, spool), member.size, width=width)
    spool.end(oid, place)
    return (EXECUTABLE if member.mode & 0o100 else FILE), oid


def _kept(content: IO[bytes], spool: Spool) -> Iterator[bytes]:
    while chunk := content.read(SIZE):
        spool.write(chunk)
        yield chunk


def safe_path(name: str) -> bytes:
    """A member's name as a path of the tree; Different when it leads out of it."""
    if name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise Different(f"it holds the unsafe path {name!r}")
    path = posixpath.normpath(name).encode("utf-8", "surrogateescape")
    if len(path) > _LONGEST:
        raise Different(f"it holds a path of {len(path)} bytes")
    return path


def shown(path: bytes) -> str:
    """A path for people."""
    return path.decode("utf-8", "replace")


def _bounded(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Count what comes out of the decompressor: a bomb ends at the size the tree can have."""
    for chunk in chunks:
        most -= len(chunk)
        if most < 0:
            raise Different("it unpacks to more than the tag can hold")
        yield chunk
