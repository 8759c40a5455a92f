"""The files of a tar stream, hashed as they pass: what a container left behind, without keeping it.

Links are listed by where they point and not followed, those that lead out of the place as such; folders and devices are
left out.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

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


def files(chunks: Iterator[bytes], declared: str, top: str) -> Iterator[Read]:
    """The files of a tar of what is at the path `top`, the declared file or folder, as they come.

    RvexpError when it breaks off.
    """
    try:
        with tars.opened(chunks) as tar:
            for member in tar:
                inner = member.name.partition("/")[2]
                name = joined(declared, inner)
                if member.issym():
                    yield Read(Item(name, 0, linked.digest(member.linkname, joined(top, inner), top)))
                elif member.islnk():
                    yield Read(Item(name, 0, linked.pointing(member.linkname)))  # to a file before it
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
