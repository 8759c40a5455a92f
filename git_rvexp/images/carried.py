"""Images through the engine's own archives: out as the engine writes them, in as every engine reads them.

The form that goes in is Docker's (`manifest.json`, config, layers), since engines before 25 read no OCI layout. The
engine hashes each layer as it unpacks it, and the image's id is the hash of the config. With its manifest the archive
is an OCI layout as well: engines with containerd's store read that one, and the image's id is the manifest's hash.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.images.engine import Engine, asking
from git_rvexp.images.ustar import END, Member, header, padding
from git_rvexp.model import Json
from git_rvexp.names import Digest


@dataclass(frozen=True)
class Piece:
    """A member of the archive: its name, size, and bytes."""

    name: str
    size: int
    open: Callable[[], Iterable[bytes]]


def save(engine: Engine, image: Digest) -> Iterator[bytes]:
    """The engine's archive of an image. RvexpError when it has none."""
    with asking(f"hand out the image {image}"):
        yield from engine.client.api.get_image(str(image))


@dataclass(frozen=True)
class Top:
    """The manifest or index that a registry names the image by, and every manifest as a piece `blobs/sha256/…`."""

    digest: Digest
    kind: str
    size: int
    manifests: Sequence[Piece]


def by_manifest(engine: Engine) -> bool:
    """Whether the engine names images by their manifests (containerd's store), and not by their configs."""
    with asking("describe itself"):
        status = engine.client.info().get("DriverStatus") or []
    return ["driver-type", "io.containerd.snapshotter.v1"] in status


def load(engine: Engine, image: Digest, config: Piece, layers: Sequence[Piece], top: Top | None = None) -> None:
    """Let the engine have the image under the id `image`; RvexpError when it does not take it, or makes another of it.

    With `top` config and layers are pieces `blobs/sha256/…` too.
    """
    with asking(f"load the image {image}"):
        for line in engine.client.api.load_image(_archive(config, layers, top)):
            if "error" in line:
                raise RvexpError(f"the engine does not take the image {image}\n  {line['error']}")
    if engine.inspect(str(image)) is None:
        raise RvexpError(f"the engine made another image than {image}")


def _archive(config: Piece, layers: Sequence[Piece], top: Top | None) -> Iterator[bytes]:
    listed = {"Config": config.name, "RepoTags": None, "Layers": [layer.name for layer in layers]}
    whole = [config, *{layer.name: layer for layer in layers}.values(), *(_layout(top) if top else [])]
    for piece in (*whole, _document("manifest.json", [listed])):
        yield header(Member(piece.name.encode(), b"0", 0o644, piece.size), time=0, owner=(0, 0))
        yield from piece.open()
        yield padding(piece.size)
    yield END


def _layout(top: Top) -> Iterator[Piece]:
    """What else an OCI layout needs. Its index is written here: another's could give the image any name."""
    entry = {"mediaType": top.kind, "digest": str(top.digest), "size": top.size}
    yield from top.manifests
    yield _document("index.json", {"schemaVersion": 2, "manifests": [entry]})
    yield _document("oci-layout", {"imageLayoutVersion": "1.0.0"})


def _document(name: str, content: Json) -> Piece:
    data = json.dumps(content).encode()
    return Piece(name, len(data), lambda: [data])
