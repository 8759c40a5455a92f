"""The image as an OCI layout: from the registry by its digest, blob by blob, or from an engine that alone has it.

Source of the form: the OCI image layout specification 1.0. What a registry sends is passed on as it is, so that digests
stay; of an engine's image, whose layers it hands out unpacked, a manifest is written. Blobs are never held in memory.
"""

import hashlib
import json
import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from git_rvexp import http
from git_rvexp.errors import RvexpError
from git_rvexp.images.blob import Blob
from git_rvexp.images.carried import save
from git_rvexp.images.engine import Engine
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.model import Json
from git_rvexp.names import Digest
from git_rvexp.pieces import SIZE
from git_rvexp.workflow.carrying.container import Part

LAYOUT, TOP, BLOBS = "oci/oci-layout", "oci/index.json", "oci/blobs/sha256/"
_SECONDS = 6 * 3600
_OCI = "application/vnd.oci.image."
_MANIFEST_KIND = f"{_OCI}manifest.v1+json"
_SMALL = 8 << 20


@dataclass(frozen=True)
class Layout:
    """The parts, the digest of the manifest that stands at the top, and the image's id."""

    parts: tuple[Part, ...]
    manifest: Digest
    id: Digest


def from_registry(registry: Registry, digest: Digest, platform: str) -> Layout:
    """The image named `digest`; RvexpError when the registry cannot give it, or keeps parts of it elsewhere."""
    top = registry.fetch(digest)
    own = registry.for_platform(top, platform)
    layers = own.content.get("layers") or []
    if any(layer.get("urls") for layer in layers):
        raise RvexpError(f"{registry.repository}@{digest} has layers that are kept at addresses of their own")
    if any("zstd" in str(layer.get("mediaType")) for layer in layers):
        raise RvexpError(
            f"{registry.repository}@{digest} has layers that are packed with zstd, which a bundle cannot carry",
            hint="publish it over a base whose layers are packed with gzip",
        )
    small = [*dict.fromkeys((top.body, own.body)), registry.blob(own.config)]
    blobs = [Blob.of(data) for data in small]
    blobs += [_streamed(registry, Digest(str(each["digest"])), int(each["size"])) for each in layers]
    return _layout(blobs, top.digest, top.media_type, len(top.body), own.config)


def from_engine(engine: Engine, image: Digest, folder: Path) -> Layout:
    """An image that only an engine has; it is spooled to `folder`. RvexpError when it hands out another."""
    spool = folder / "image.tar"
    with spool.open("wb") as file:
        for chunk in save(engine, image):
            file.write(chunk)
    try:
        with tarfile.open(spool, "r:") as tar:
            named = set(tar.getnames())
            listed = json.loads(_content(tar, "manifest.json"))[0]
            config = Blob.of(_content(tar, str(listed["Config"])))
            layers = [_member(spool, _file(tar, str(name))) for name in listed["Layers"]]
        diffs = json.loads(b"".join(config.open()))["rootfs"]["diff_ids"]
    except (tarfile.TarError, LookupError, ValueError, TypeError) as why:
        raise RvexpError(f"the engine handed out {image} in a form that is not known here: {why}") from why
    if config.digest != image and f"blobs/sha256/{image.text.removeprefix('sha256:')}" in named:
        raise RvexpError(
            f"{image} is only in an engine that names images by their manifests (containerd's store)\n"
            "  other engines would give it another id, which the record does not know",
            hint="set ecr_repo and git rvexp publish: from a registry a bundle carries it",
        )
    if config.digest != image or [str(layer.digest) for layer in layers] != diffs:
        raise RvexpError(f"the engine handed out another image than {image}", hint="git rvexp doctor")
    manifest = _manifest(config, layers)
    return _layout([Blob.of(manifest), config, *layers], Digest.of(manifest), _MANIFEST_KIND, len(manifest), image)


def _manifest(config: Blob, layers: Iterable[Blob]) -> bytes:
    def described(kind: str, blob: Blob) -> dict[str, Json]:
        return {"mediaType": _OCI + kind, "digest": str(blob.digest), "size": blob.size}

    whole = {"schemaVersion": 2, "mediaType": _MANIFEST_KIND, "config": described("config.v1+json", config)}
    return _json({**whole, "layers": [described("layer.v1.tar", layer) for layer in layers]})


def _layout(blobs: Iterable[Blob], top: Digest, kind: str, size: int, image: Digest) -> Layout:
    entry = {"mediaType": kind, "digest": str(top), "size": size}
    index = {"schemaVersion": 2, "mediaType": f"{_OCI}index.v1+json", "manifests": [entry]}
    parts = {
        LAYOUT: Blob.of(_json({"imageLayoutVersion": "1.0.0"})),
        TOP: Blob.of(_json(index)),
        **{BLOBS + blob.digest.text.removeprefix("sha256:"): blob for blob in blobs},
    }
    return Layout(tuple(Part(name, blob) for name, blob in parts.items()), top, image)


def _streamed(registry: Registry, digest: Digest, size: int) -> Blob:
    def opened() -> Iterator[bytes]:
        limits = http.Limits(size=size, seconds=_SECONDS)
        with registry.send("GET", registry.path("blobs", str(digest)), limits=limits) as answer:
            if not answer.ok:
                raise RvexpError(
                    f"the layer {digest} cannot be read: HTTP {answer.status}", hint="git rvexp verify --deep"
                )
            yield from answer.chunks()

    return Blob(digest, size, opened)


def _file(tar: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    """The file called `name`. Engines before 25 write a layer that comes a second time as a link to the first."""
    member = tar.getmember(name)
    if member.issym():
        member = tar.getmember(posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname)))
    if not member.isreg():
        raise LookupError(name)
    return member


def _member(spool: Path, member: tarfile.TarInfo) -> Blob:
    """A layer within the spooled file; it is read once for its digest and once for its bytes."""

    def opened() -> Iterator[bytes]:
        with spool.open("rb") as file:
            file.seek(member.offset_data)
            left = member.size
            while left and (piece := file.read(min(SIZE, left))):
                left -= len(piece)
                yield piece

    digest = hashlib.sha256()
    for piece in opened():
        digest.update(piece)
    return Blob(Digest(f"sha256:{digest.hexdigest()}"), member.size, opened)


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.getmember(name)
    file = tar.extractfile(member) if member.size <= _SMALL else None
    if file is None:
        raise LookupError(name)
    return file.read()


def _json(value: Mapping[str, Json]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def own_manifest(top: Manifest, known: Mapping[Digest, bytes]) -> Manifest:
    """The image's manifest: `top`, or the one child of an index whose bytes are `known`."""
    if not top.children:
        return top
    here = [known[digest] for child in top.children if (digest := Digest(str(child.get("digest")))) in known]
    if len(here) != 1:
        raise RvexpError("the image is an index of which one manifest should be here")
    return Manifest.of(here[0])
