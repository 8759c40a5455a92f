"""The files of a tar stream as they pass, as they are or hashed: what a container left behind, without keeping it.

Links are listed by where they point and not followed, those that lead out of the place as such; folders and devices are
left out.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, NamedTuple

from git_rvexp import tars
from git_rvexp.data import linked
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


class Member(NamedTuple):
    """One file as it comes: its name in a manifest, bytes, and content, to be read before the next one is asked for.

    Of a link there is no content, and `link` is its digest in a manifest.
    """

    name: str
    size: int
    content: IO[bytes] | None
    link: str = ""


def members(chunks: Iterator[bytes], declared: str, top: str) -> Iterator[Member]:
    """The files of a tar of what is at the path `top`, the declared file or folder, as they come.

    To be gone through in `reading`.
    """
    with tars.opened(chunks) as tar:
        for member in tar:
            inner = member.name.partition("/")[2]
            name = joined(declared, inner)
            if member.issym():
                yield Member(name, 0, None, linked.digest(member.linkname, joined(top, inner), top))
            elif member.islnk():
                yield Member(name, 0, None, linked.pointing(member.linkname))  # to a file before it
            elif member.isreg():
                yield Member(name, member.size, tar.extractfile(member))


@contextmanager
def reading(declared: str) -> Iterator[None]:
    """A block that goes through such a tar: RvexpError when it breaks off."""
    try:
        yield
    except tarfile.TarError as why:
        raise RvexpError(f"{declared} cannot be read: {why}") from why


def files(chunks: Iterator[bytes], declared: str, top: str) -> Iterator[Read]:
    """The same hashed, as they come. RvexpError when it breaks off."""
    with reading(declared):
        for member in members(chunks, declared, top):
            yield _hashed(member, member.content) if member.content else Read(Item(member.name, 0, member.link))


def pieces(content: IO[bytes]) -> Iterator[bytes]:
    """What is in a file, piece by piece."""
    while piece := content.read(_PIECE):
        yield piece


def _hashed(member: Member, content: IO[bytes]) -> Read:
    digest, kept = hashlib.sha256(), b""
    wanted = member.size <= _LARGEST_TEXT and member.name.endswith(READABLE)
    for piece in pieces(content):
        digest.update(piece)
        kept += piece if wanted else b""
    text = kept.decode("utf-8", "surrogateescape") if wanted else None
    return Read(Item(member.name, member.size, f"sha256:{digest.hexdigest()}"), text)
