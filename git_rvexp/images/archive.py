"""An archive read as a stream and held against the tag's tree, file by file.

Nothing is unpacked to disk: contents go to one spool, named by what they hash to. The archive is a quicker way to
get bytes, never an authority on them: a missing, added or changed file, another mode, a link out of order or a
byte too many ends the reading with `Different`, and the caller uses the tree's own objects.
"""

import gzip
import posixpath
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from git_rvexp.images.pieces import SIZE, joined
from git_rvexp.images.spool import Spool
from git_rvexp.tree import EXECUTABLE, FILE, GITLINK, SYMLINK, Entry, blob_id

_BLOCK = 512
_HEADERS = 8 * _BLOCK
"""Room for one member's headers, extended ones included; an archive's end is padded to 10 KiB."""


class Different(Exception):  # noqa: N818  an answer, not an error: the reason to use the tree instead
    """Why the archive is not the tree."""


def bound(entries: Sequence[Entry]) -> int:
    """The most bytes an honest archive of `entries` unpacks to."""
    folders = {e.path[:i] for e in entries for i, c in enumerate(e.path) if c == ord("/")}
    names = sum(2 * len(e.path) for e in entries) + sum(2 * len(f) for f in folders)
    contents = sum(e.size + _BLOCK for e in entries)
    return contents + names + _HEADERS * (len(entries) + len(folders) + 8) + (64 << 10)


def read(chunks: Iterable[bytes], entries: Sequence[Entry], spool: Spool) -> None:
    """Fill `spool` with every file of `entries` from the tar stream `chunks` (gzip or plain).

    Raises Different when the archive is not exactly the tree. Submodules have no content and may be empty folders.
    """
    found: dict[bytes, tuple[int, str]] = {}
    width = len(entries[0].oid) if entries else 40
    try:
        bounded = joined(_bounded(_plain(chunks), bound(entries)))
        with tarfile.open(fileobj=bounded, mode="r|", errors="surrogateescape") as tar:
            for member in tar:
                if member.isdir():
                    continue
                path = safe_path(member.name)
                if path in found:
                    raise Different(f"it holds {_shown(path)} twice")
                found[path] = _take(tar, member, spool, width)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as why:
        raise Different(f"it cannot be unpacked: {why}") from why
    compare(found, [e for e in entries if e.mode != GITLINK])


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, spool: Spool, width: int) -> tuple[int, str]:
    if member.issym():
        target = member.linkname.encode("utf-8", "surrogateescape")
        oid = blob_id([target], len(target), width=width)
        spool.add(oid, [target])
        return SYMLINK, oid
    if not member.isreg() or member.issparse():
        raise Different(f"{_shown(safe_path(member.name))} is neither a file nor a link")
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


def compare(found: dict[bytes, tuple[int, str]], entries: Sequence[Entry]) -> None:
    """Strip the prefix folder (a forge's own; cgit's has slashes) and hold mode and name of the rest against the tree.

    Different says where they differ.
    """
    if entries and not found:
        raise Different("it is empty")
    top, inner = _root(found), _root(e.path for e in entries)
    if not (b"/" + top).endswith(b"/" + inner if inner else b""):
        raise Different("its folders are not the tag's")
    prefix = top[: len(top) - len(inner)].rstrip(b"/")
    stripped = {path[len(prefix) + 1 :] if prefix else path: what for path, what in found.items()}
    for entry in entries:
        mode, oid = stripped.pop(entry.path, (0, ""))
        if not mode:
            raise Different(f"{entry.shown} is not in it (export-ignore?)")
        if oid != entry.oid:
            raise Different(f"{entry.shown} has other content in it (export-subst, line ends or LFS?)")
        if mode != (FILE if entry.mode not in (EXECUTABLE, SYMLINK) else entry.mode):
            raise Different(f"{entry.shown} has another mode in it")
    if stripped:
        raise Different(f"it holds {_shown(min(stripped))}, which the tag does not")


def safe_path(name: str) -> bytes:
    """A member's name as a path of the tree; Different when it leads out of it."""
    if name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise Different(f"it holds the unsafe path {name!r}")
    return posixpath.normpath(name).encode("utf-8", "surrogateescape")


def _root(paths: Iterable[bytes]) -> bytes:
    """The deepest folder that holds all `paths`; empty when there is none."""
    folders = [p.rpartition(b"/")[0] for p in paths]
    return posixpath.commonpath(folders) if folders and all(folders) else b""


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "replace")


def _plain(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """`chunks` without their gzip wrapping, if they have one."""
    raw = joined(chunks)
    packed = raw.peek(2)[:2] == b"\x1f\x8b"
    stream = gzip.GzipFile(fileobj=raw) if packed else raw
    while chunk := stream.read(SIZE):
        yield chunk


def _bounded(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Count what comes out of the decompressor: a bomb ends at the size the tree can have."""
    for chunk in chunks:
        most -= len(chunk)
        if most < 0:
            raise Different("it unpacks to more than the tag can hold")
        yield chunk
