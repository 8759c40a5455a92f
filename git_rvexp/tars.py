"""Tars that somebody else made, as streams: from registries, engines, containers and archives.

What tarfile does not mind is minded here: a size that reaches beyond the end (it goes on reading until the size is
reached, for hours), headers that never end (it takes them into memory whole), headers that it fails over in errors of
other kinds, and its list of all members it has seen.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Self

from git_rvexp.pieces import SIZE, joined

_EXTENDED = 1 << 20  # bytes of an extended header, which tarfile reads as a whole
_EXTENSIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_BEYOND = 16  # reads after the end; tarfile looks for it a few times itself


def opened(chunks: Iterable[bytes]) -> tarfile.TarFile:
    """The tar that `chunks` make, to be gone through once with `next` or `for`; names keep their bytes (os.fsdecode).

    TarError, here and while it is read, where it is none, is broken, or has a header of over a megabyte.
    """
    stream = _Ending(joined(chunks))
    return _Tar.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape", tarinfo=_Header)


def plain(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """`chunks` without their gzip wrapping, if they have one; TarError where that is broken."""
    raw = joined(chunks)
    packed = raw.peek(2)[:2] == b"\x1f\x8b"
    stream = gzip.GzipFile(fileobj=raw) if packed else raw
    try:
        while chunk := stream.read(SIZE):
            yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as why:
        raise tarfile.ReadError(str(why)) from why


class _Header(tarfile.TarInfo):
    """A header, refused before an endless name or comment is taken into memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """As tarfile has it."""
        made = super().frombuf(buf, encoding, errors)
        if made.type in _EXTENSIONS and made.size > _EXTENDED:
            raise tarfile.ReadError("it holds an endless header")
        return made


class _Tar(tarfile.TarFile):
    """One that forgets what has passed, since a member takes hundreds of bytes, and fails in one way."""

    def next(self) -> tarfile.TarInfo | None:
        """As tarfile has it."""
        try:
            member = super().next()
        except (ValueError, RecursionError) as why:  # numbers that are none; a chain of headers before one member
            raise tarfile.ReadError(f"it has a broken header: {why}") from why
        self.members: list[tarfile.TarInfo] = []
        return member


class _Ending(io.RawIOBase):
    """A file that does not let itself be read for ever after its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._beyond = file, 0

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, fewer at the end."""
        piece = self._file.read(size)
        self._beyond += not piece
        if self._beyond > _BEYOND:
            raise tarfile.ReadError("it breaks off")
        return piece
