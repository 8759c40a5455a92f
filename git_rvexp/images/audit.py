"""An image's layers read from the registry to the last byte: hashed, and its files held against a tree.

A layer is one stream: the registry's bytes are hashed as they pass, unpacked as they pass, and dropped. What is kept
is one object name for each wanted file, so memory follows the tag's tree and not the image. Layers are applied as
the OCI image specification says ("Applying Changesets": whiteouts first, `.wh.NAME` and `.wh..wh..opq`).
"""

import hashlib
import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from git_rvexp import http, tars
from git_rvexp.errors import RvexpError
from git_rvexp.images.registry import AlteredError, GoneError, Manifest, Registry
from git_rvexp.model import Json
from git_rvexp.names import Digest
from git_rvexp.pieces import SIZE
from git_rvexp.progress import Step, passing
from git_rvexp.tree import EXECUTABLE, FILE, SYMLINK, Entry, blob_id

_WHITEOUT, _OPAQUE = b".wh.", b".wh..wh..opq"
_SECONDS = 6 * 3600
_UNREADABLE = "?"


@dataclass
class Files:
    """What an image holds of the `wanted` paths below `root`: object names, by path relative to it.

    `unread`: why layers could not be unpacked, when that happened; then nothing is said about files.
    """

    root: bytes
    wanted: Mapping[bytes, Entry]
    found: dict[bytes, str] = field(default_factory=dict)
    unread: str = ""

    @cached_property
    def places(self) -> set[bytes]:
        """The absolute paths of the wanted files and of the folders above them: all that can matter in a layer."""
        whole = [posixpath.join(self.root, path) for path in self.wanted]
        return {path[:i] for path in whole for i, c in enumerate(path + b"/") if c == ord("/")}

    def differing(self) -> list[Entry]:
        """Files that are there with other content."""
        return [e for path, e in self.wanted.items() if self.found.get(path, e.oid) not in (e.oid, _UNREADABLE)]

    def same(self) -> int:
        """How many are there as they are in the tree."""
        return sum(self.found.get(path) == e.oid for path, e in self.wanted.items())


def layers(registry: Registry, manifest: Manifest, files: Files, step: Step = lambda _bytes: None) -> int:
    """Read every layer of `manifest` and fill `files`; how many bytes were read.

    AlteredError for a layer that is not what its digest names, GoneError for one that is missing; other RvexpErrors
    when it cannot be told.
    """
    read = 0
    for layer in manifest.content.get("layers") or []:
        read += _layer(registry, layer, files, step)
    return read


def _layer(registry: Registry, layer: Mapping[str, Json], files: Files, step: Step) -> int:
    digest, size = Digest(str(layer["digest"])), int(layer["size"])
    if layer.get("urls"):
        raise RvexpError(f"the layer {digest} is kept elsewhere, at an address of its own")
    path = f"/v2/{registry.repository.name}/blobs/{digest}"
    with registry.send("GET", path, limits=http.Limits(size=size, seconds=_SECONDS)) as answer:
        if answer.status == 404:
            raise GoneError(f"the layer {digest} is gone from {registry.repository}")
        if not answer.ok:
            raise RvexpError(f"the layer {digest} cannot be read: HTTP {answer.status}", hint="git rvexp doctor")
        counted = _Counted(passing(answer.chunks(), step))
        stream = iter(counted)
        if not files.unread:
            files.unread = _unpacked(stream, str(layer.get("mediaType", "")), files)
        for _ in stream:  # the rest, when unpacking stopped before the end
            pass
    if (counted.size, counted.hash.hexdigest()) != (size, digest.text.removeprefix("sha256:")):
        raise AlteredError(f"the layer {digest} is damaged: what is stored under that name hashes to another")
    return size


class _Counted:
    """Chunks on their way through, hashed and counted."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.hash = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.hash.update(chunk)
            self.size += len(chunk)
            yield chunk


def _unpacked(chunks: Iterator[bytes], kind: str, files: Files) -> str:
    """Apply one layer to `files`; why it could not be unpacked, "" when it was."""
    if "zstd" in kind:
        return "its layers are packed with zstd, which is not read here"
    try:
        with tars.opened(tars.plain(chunks)) as tar:
            _apply(tar, files)
    except (tarfile.TarError, OSError) as why:
        return f"a layer cannot be unpacked: {why}"
    return ""


def _apply(tar: tarfile.TarFile, files: Files) -> None:
    layer: dict[bytes, str] = {}
    gone: list[bytes] = []
    for member in tar:
        path = posixpath.normpath("/" + member.name.lstrip("/")).encode("utf-8", "surrogateescape")
        folder, name = posixpath.split(path)
        if name.startswith(_WHITEOUT):
            opaque = name == _OPAQUE
            hidden = folder.rstrip(b"/") if opaque else posixpath.join(folder, name.removeprefix(_WHITEOUT))
            gone += [hidden + b"/" if opaque else hidden] if hidden in files.places else []
            continue
        if member.isdir() or path not in files.places:
            continue
        gone += [path]  # whatever stood there goes, a folder with all that is in it too
        inner = _below(path, files.root)
        if inner in files.wanted:
            layer[inner] = _object(tar, member, files, layer)
    _remove(files, gone)
    files.found.update(layer)


def _object(tar: tarfile.TarFile, member: tarfile.TarInfo, files: Files, layer: Mapping[bytes, str]) -> str:
    """The object name git has for what `member` is; `_UNREADABLE` for what stands in for content kept elsewhere."""
    width = len(next(iter(files.wanted.values())).oid)
    if member.issym():
        target = member.linkname.encode("utf-8", "surrogateescape")
        return blob_id([target], len(target), width=width)
    if member.islnk():
        target = posixpath.normpath("/" + member.linkname.lstrip("/")).encode("utf-8", "surrogateescape")
        inner = _below(target, files.root)
        return layer.get(inner, files.found.get(inner, _UNREADABLE))
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        return "neither a file nor a link"
    return blob_id(iter(lambda: content.read(SIZE), b""), member.size, width=width)


def _remove(files: Files, gone: list[bytes]) -> None:
    """Take away what the lower layers had at these paths and below them; with a slash at the end, only below."""
    taken = set(gone)
    for inner in list(files.found):
        path = posixpath.join(files.root, inner)
        above = [path[:i] for i, c in enumerate(path) if c == ord("/")]
        if path in taken or any(folder in taken or folder + b"/" in taken for folder in above):
            del files.found[inner]


def _below(path: bytes, root: bytes) -> bytes:
    """`path` relative to `root`; empty when it is not below it."""
    top = root.rstrip(b"/") + b"/"
    return path[len(top) :] if path.startswith(top) else b""


def wanted(entries: Iterable[Entry]) -> dict[bytes, Entry]:
    """The entries that can be looked for in an image: files and links, by path."""
    return {e.path: e for e in entries if e.mode in (FILE, EXECUTABLE, SYMLINK)}
