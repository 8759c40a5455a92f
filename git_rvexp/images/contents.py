"""What an image holds, file by file, and how two images differ in it: paths, kinds, modes, owners, bytes, settings.

File times are not compared: a build sets them anew. What differs by nature between two builds of one Dockerfile, and
what we write into images ourselves, is the caller's to know.
"""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from git_rvexp import tars
from git_rvexp.errors import RvexpError
from git_rvexp.images.engine import Engine
from git_rvexp.model import Json
from git_rvexp.names import Digest
from git_rvexp.pieces import SIZE

_KINDS = {tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.CHRTYPE: "device", tarfile.BLKTYPE: "device"}


class Thing(NamedTuple):
    """One path of an image. `content` is a file's SHA-256, a link's target, a device's number."""

    kind: str
    mode: int
    owner: str
    content: str


def things(engine: Engine, image: Digest) -> dict[str, Thing]:
    """Everything in `image` by its path; a container is made for it, and never started."""
    with engine.container(image) as container:
        return _read(engine.files(container))


def _read(chunks: Iterable[bytes]) -> dict[str, Thing]:
    found: dict[str, Thing] = {}
    try:
        with tars.opened(chunks) as tar:
            for member in tar:
                path = "/" + member.name.strip("/")
                hard = found.get("/" + member.linkname.strip("/")) if member.islnk() else None
                found[path] = hard or _thing(tar, member)
    except tarfile.TarError as why:
        raise RvexpError(f"the image's files cannot be read: {why}") from why
    return found


def _thing(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Thing:
    kind, content = _KINDS.get(member.type, "other"), ""
    if member.isreg():
        data, hashed = tar.extractfile(member), hashlib.sha256()
        while data and (piece := data.read(SIZE)):
            hashed.update(piece)
        kind, content = "file", hashed.hexdigest()
    elif kind == "link":
        content = member.linkname
    elif kind == "device":
        content = f"{member.devmajor}:{member.devminor}"
    return Thing(kind, member.mode & 0o7777, f"{member.uid}:{member.gid}", content)


def differing(old: Mapping[str, Thing], new: Mapping[str, Thing]) -> Iterator[str]:
    """A line for each path that is not the same in both, in order."""
    for path in sorted(old.keys() | new.keys()):
        was, now = old.get(path), new.get(path)
        if was is None or now is None:
            yield f"{path}: only in the {'recorded' if was else 'rebuilt'} image"
        elif was != now:
            yield f"{path}: {', '.join(_changes(was, now))}"


def _changes(was: Thing, now: Thing) -> Iterator[str]:
    if was.kind != now.kind:
        yield f"a {was.kind}, rebuilt a {now.kind}"
    elif was.content != now.content:
        yield "other bytes" if was.kind == "file" else f"{was.content}, rebuilt {now.content}"
    if was.mode != now.mode:
        yield f"mode {was.mode:o}, rebuilt {now.mode:o}"
    if was.owner != now.owner:
        yield f"owner {was.owner}, rebuilt {now.owner}"


_CONFIG = (
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
)


def differing_config(old: Mapping[str, Json], new: Mapping[str, Json], *, but: tuple[str, ...]) -> Iterator[str]:
    """A line for each thing that the configurations say differently, but for labels that begin with one of `but`."""
    for key in _CONFIG:
        was, now = old.get(key) or None, new.get(key) or None
        if was != now:
            yield f"{key}: {was}, rebuilt {now}"
    was, now = ({k: v for k, v in (c.get("Labels") or {}).items() if not k.startswith(but)} for c in (old, new))
    for label in sorted(was.keys() | now.keys()):
        if was.get(label) != now.get(label):
            yield f"label {label}: {was.get(label)}, rebuilt {now.get(label)}"
