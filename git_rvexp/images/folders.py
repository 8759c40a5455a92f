"""Which of the folders that code is laid into an image has already, with their modes and owners.

A layer names the folders above its files, and what it says of them replaces what they were. So it has to say again what
they are: read here from the image's layers, the topmost first and only until all is known, or from an engine.
"""

import os
import posixpath
import tarfile
from collections.abc import Collection, Iterable, Iterator

from git_rvexp import tars
from git_rvexp.errors import RvexpError
from git_rvexp.images.blob import Blob
from git_rvexp.images.delta import WHITEOUT, Folder, Unfit
from git_rvexp.images.engine import Engine, asking
from git_rvexp.names import Digest

_OPAQUE = WHITEOUT + WHITEOUT + b".opq"
_LARGEST_OWNER = 8**7 - 1


def in_layers(layers: Iterable[Blob], wanted: Collection[bytes]) -> dict[bytes, Folder]:
    """Those of `wanted` (paths with no slash at either end) that an image has; its `layers` come topmost first.

    Unfit when one is no folder there; RvexpError for a layer that cannot be unpacked.
    """
    found: dict[bytes, Folder] = {}
    open_ones = set(wanted)
    for layer in layers:
        if not open_ones:
            break
        seen, gone = _told(layer, open_ones)
        found |= {path: _folder(path, member) for path, member in seen.items()}
        open_ones = {path for path in open_ones - seen.keys() if not _hidden(path, gone)}
    return found


def in_engine(engine: Engine, image: Digest, wanted: Collection[bytes]) -> dict[bytes, Folder]:
    """The same of an image that an engine has; a container is made of it, and never started."""
    found: dict[bytes, Folder] = {}
    with engine.container(image) as container:
        for path in sorted(wanted):  # what is above comes first: no link there is followed
            there = engine.archive(container, "/" + os.fsdecode(path))
            if there is None:
                continue
            with asking(f"read /{os.fsdecode(path)} in {image}"), tars.opened(there[0]) as tar:
                member = tar.next()
            if member:
                found[path] = _folder(path, member)
    return found


def _told(layer: Blob, wanted: Collection[bytes]) -> tuple[dict[bytes, tarfile.TarInfo], set[bytes]]:
    """What a layer says of `wanted`, and what of the layers below it hides: with a slash at the end, what is in it."""
    seen: dict[bytes, tarfile.TarInfo] = {}
    gone: set[bytes] = set()
    for member in _members(layer):
        path = os.fsencode(posixpath.normpath("/" + member.name.lstrip("/")))[1:]
        folder, _, name = path.rpartition(b"/")
        if name == _OPAQUE:
            gone.add(folder + b"/")
        elif name.startswith(WHITEOUT):
            gone.add(posixpath.join(folder, name.removeprefix(WHITEOUT)))
        elif path in wanted:
            seen[path] = member
    return seen, gone


def _members(layer: Blob) -> Iterator[tarfile.TarInfo]:
    stream = iter(layer.open())
    try:
        with tars.opened(tars.plain(stream)) as tar:
            yield from tar
    except (tarfile.TarError, OSError) as why:
        raise RvexpError(f"the layer {layer.digest} is neither a tar nor one packed with gzip: {why}") from why
    for _ in stream:  # at its end it is held against its digest
        pass


def _hidden(path: bytes, gone: Collection[bytes]) -> bool:
    above = [path[:i] for i, letter in enumerate(path) if letter == ord("/")]
    return path in gone or any(folder in gone or folder + b"/" in gone for folder in (b"", *above))


def _folder(path: bytes, member: tarfile.TarInfo) -> Folder:
    shown = "/" + path.decode("utf-8", "replace")
    if not member.isdir():
        what = f"a link to {member.linkname}" if member.issym() else "no folder"
        raise Unfit(f"{shown} is {what} in the base")
    if max(member.uid, member.gid) > _LARGEST_OWNER:
        raise Unfit(f"{shown} belongs to {member.uid}:{member.gid} in the base, numbers that no layer's header holds")
    return Folder(member.mode & 0o7777, (member.uid, member.gid))
