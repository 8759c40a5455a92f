"""Images through the engine's own archives: out as the engine writes them, in as every engine reads them.

The form that goes in is Docker's (`manifest.json`, config, layers), since engines before 25 read no OCI layout. The
engine hashes each layer as it unpacks it, and the image's id is the hash of the config.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.images.engine import Engine, asking
from git_rvexp.images.ustar import END, Member, header, padding
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


def load(engine: Engine, image: Digest, config: Piece, layers: Sequence[Piece]) -> None:
    """Let the engine have the image; RvexpError when it does not take it, or makes another of it."""
    with asking(f"load the image {image}"):
        for line in engine.client.api.load_image(_archive(config, layers)):
            if "error" in line:
                raise RvexpError(f"the engine does not take the image {image}\n  {line['error']}")
    if engine.inspect(str(image)) is None:
        raise RvexpError(f"the engine made another image than {image}")


def _archive(config: Piece, layers: Sequence[Piece]) -> Iterator[bytes]:
    listed = {"Config": config.name, "RepoTags": None, "Layers": [layer.name for layer in layers]}
    manifest = json.dumps([listed]).encode()
    whole = [config, *{layer.name: layer for layer in layers}.values()]
    for piece in (*whole, Piece("manifest.json", len(manifest), lambda: [manifest])):
        yield header(Member(piece.name.encode(), b"0", 0o644, piece.size), time=0, owner=(0, 0))
        yield from piece.open()
        yield padding(piece.size)
    yield END
