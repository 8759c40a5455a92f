"""The image in a bundle: every blob accounted for, each layer unpacked and held against the config, then loaded."""

import hashlib
import json
import shlex
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.images.carried import Piece, Top, by_manifest, load
from git_rvexp.images.engine import Engine
from git_rvexp.images.registry import Manifest
from git_rvexp.names import Digest
from git_rvexp.progress import Step, passing
from git_rvexp.workflow.carrying.container import Bundle, DamagedError
from git_rvexp.workflow.carrying.image import BLOBS, LAYOUT, TOP, own_manifest

_SMALL = 8 << 20
# What real layers come to is a few times their packed size; a bomb comes to a thousand times.
_FREE, _RATIO = 64 << 20, 100
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Carried:
    """An image that was checked: the digest at its top, its id, and its layers in their order.

    `kind` is the media type at the top, and `manifests` are those at the top and below it.
    """

    manifest: Digest
    id: Digest
    layers: tuple[Digest, ...]
    kind: str
    manifests: tuple[Digest, ...]


def checked(bundle: Bundle, step: Step = lambda _bytes: None) -> Carried:
    """The image in the bundle. DamagedError when anything of it is missing, added, or not what its name says."""
    try:
        return _checked(bundle, step)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, UsageError) as why:
        raise DamagedError(f"the image in the bundle is not one: {why}") from why


def _checked(bundle: Bundle, step: Step) -> Carried:
    for name, (_, _, digest) in bundle.places.items():
        if name.startswith(BLOBS) and name != BLOBS + digest:
            raise DamagedError(f"{name} holds something else")
    (entry,) = json.loads(bundle.read(TOP, _SMALL))["manifests"]
    top = Manifest.of(_small(bundle, Digest(str(entry["digest"]))), str(entry.get("mediaType", "")))
    children = [Digest(str(child["digest"])) for child in top.children]
    known = {digest: _small(bundle, digest) for digest in children if _name(digest) in bundle.places}
    own = own_manifest(top, known)
    layers = tuple(Digest(str(layer["digest"])) for layer in own.content["layers"])
    wanted = {LAYOUT, TOP, *map(_name, (top.digest, own.digest, own.config, *layers))}
    if wanted != {name for name in bundle.places if name.startswith("oci/")}:
        raise DamagedError("the image in the bundle lacks blobs, or has blobs that nothing names")
    config = json.loads(_small(bundle, own.config))
    diffs = [Digest(str(diff)) for diff in config["rootfs"]["diff_ids"]]
    if len(diffs) != len(layers):
        raise DamagedError("the image's config tells of other layers than its manifest")
    for layer, diff in dict(zip(layers, diffs, strict=True)).items():
        _unpack(bundle, layer, diff, step)
    return Carried(top.digest, own.config, layers, top.media_type, tuple(dict.fromkeys((top.digest, own.digest))))


def _unpack(bundle: Bundle, layer: Digest, diff: Digest, step: Step) -> None:
    """Unpack a layer into nothing. DamagedError for a bomb, and for one that the config does not tell of."""
    _, size, _ = bundle.places[_name(layer)]
    digest, left = hashlib.sha256(), _FREE + _RATIO * size
    for piece in _plain(bundle.chunks(_name(layer)), layer):
        digest.update(piece)
        left -= len(piece)
        step(len(piece))
        if left < 0:
            raise DamagedError(f"the layer {layer} unpacks to more than {_RATIO} times its size")
    if f"sha256:{digest.hexdigest()}" != diff.text:
        raise DamagedError(f"the layer {layer} is not the {diff} that the image's config names")


def _plain(chunks: Iterable[bytes], layer: Digest) -> Iterator[bytes]:
    """A layer unpacked, in pieces of bounded size; a plain tar as it is."""
    stream: zlib._Decompress | None = None
    for number, chunk in enumerate(chunks):
        if number == 0 and chunk[:2] == b"\x1f\x8b":
            stream = zlib.decompressobj(_GZIP)
        if stream is None:
            yield chunk
            continue
        rest = chunk
        while rest:
            try:
                yield stream.decompress(rest, 1 << 20)
            except zlib.error as why:
                raise DamagedError(f"the layer {layer} cannot be unpacked: {why}") from why
            rest = stream.unconsumed_tail
            if stream.eof and stream.unused_data:  # gzip files may follow one another
                rest, stream = stream.unused_data, zlib.decompressobj(_GZIP)
    if stream is not None:
        yield stream.flush()  # a few bytes at most: all input was taken
        if not stream.eof:
            raise DamagedError(f"the layer {layer} is cut short")


def name_in(engine: Engine, image: Carried, ref: str, path: Path) -> Digest:
    """What the engine will call the image of the bundle at `path`, which the record means by `ref`.

    RvexpError where that would be an id that the record does not know.
    """
    if not by_manifest(engine):
        return image.id
    if ref.rpartition("@")[2] == str(image.manifest):
        return image.manifest
    raise RvexpError(
        f"the engine here names images by their manifests (containerd's store), and the record only knows {ref}\n"
        "  the image would have another id here, and no repeat would find it",
        hint=f"git rvexp import --no-image {shlex.quote(str(path))}, then git rvexp repeat --rebuild",
    )


def loaded(engine: Engine, bundle: Bundle, image: Carried, name: Digest, step: Step) -> bool:
    """Let the engine have the image, which it will call `name`, unless it has it; whether it was new there."""
    if engine.inspect(str(name)) is not None:
        return False
    config, *layers = (_piece(bundle, digest, step) for digest in (image.id, *image.layers))
    manifests = [_piece(bundle, digest, step) for digest in image.manifests]
    top = Top(image.manifest, image.kind, bundle.places[_name(image.manifest)][1], manifests)
    load(engine, name, config, layers, top)
    return True


def _piece(bundle: Bundle, digest: Digest, step: Step) -> Piece:
    name = _name(digest)

    def opened() -> Iterator[bytes]:
        return passing(bundle.chunks(name), step)

    return Piece(name.removeprefix("oci/"), bundle.places[name][1], opened)


def _small(bundle: Bundle, digest: Digest) -> bytes:
    return bundle.read(_name(digest), _SMALL)


def _name(digest: Digest) -> str:
    return BLOBS + digest.text.removeprefix("sha256:")


def agrees(image: Carried, ref: str, recorded: str) -> None:
    """RvexpError unless the record means this image by `ref` and names its id."""
    digest = ref.rpartition("@")[2]
    if digest not in (str(image.manifest), str(image.id)) or recorded != str(image.id):
        raise RvexpError(f"the bundle's image is not the one that its record names: {ref}")
