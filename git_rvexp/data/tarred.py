"""The files of a tar stream, hashed as they pass: what a container left behind, without keeping it.

Links are listed by where they point and not followed; folders and devices are left out.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from git_rvexp.data.manifest import Item
from git_rvexp.data.places import joined
from git_rvexp.data.tolerance import READABLE
from git_rvexp.errors import RvexpError

_PIECE = 1 << 20
_LARGEST_TEXT = 65536


@dataclass(frozen=True)
class Read:
    """One file of the stream; `text` is the content of a small one whose numbers can be compared, else None."""

    item: Item
    text: str | None = None


def files(chunks: Iterator[bytes], declared: str) -> Iterator[Read]:
    """The files of a tar whose top is the declared file or folder, as they come. RvexpError when it breaks off."""
    try:
        with tarfile.open(fileobj=Stream(chunks), mode="r|", encoding="utf-8", errors="surrogateescape") as tar:
            for member in tar:
                name = joined(declared, member.name.partition("/")[2])
                if member.issym() or member.islnk():
                    yield Read(Item(name, 0, f"link:{member.linkname}".replace("\t", " ").replace("\n", " ")))
                elif member.isreg():
                    yield _hashed(tar, member, name)
    except tarfile.TarError as why:
        raise RvexpError(f"{declared} cannot be read: {why}") from why


def _hashed(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> Read:
    content = tar.extractfile(member)
    assert content is not None
    digest, kept = hashlib.sha256(), b""
    wanted = member.size <= _LARGEST_TEXT and name.endswith(READABLE)
    while piece := content.read(_PIECE):
        digest.update(piece)
        kept += piece if wanted else b""
    text = kept.decode("utf-8", "surrogateescape") if wanted else None
    return Read(Item(name, member.size, f"sha256:{digest.hexdigest()}"), text)


class Stream(io.RawIOBase):
    """Chunks as the readable file that tarfile wants."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, fewer at the end; all that is left for -1."""
        while size < 0 or len(self._rest) < size:
            piece = next(self._chunks, None)
            if piece is None:
                break
            self._rest += piece
        cut = len(self._rest) if size < 0 else size
        given, self._rest = self._rest[:cut], self._rest[cut:]
        return given
