"""Images into the engine without a registry: a docker archive of the configuration and the one layer that is new.

The engine looks up each layer that a configuration names before it opens the archive for it, so layers that it has
need not be carried. Its image id is the configuration's digest, as in a registry. Engines with the containerd image
store name images by a manifest of their own and want every layer: they build the whole.
"""

import json
from collections.abc import Mapping

from git_rvexp import tars
from git_rvexp.images import carried
from git_rvexp.images.blob import Blob
from git_rvexp.images.delta import Unfit
from git_rvexp.images.engine import Engine, asking
from git_rvexp.images.kept import Kept
from git_rvexp.images.layer import Layer
from git_rvexp.images.shape import checked_config
from git_rvexp.model import Json
from git_rvexp.names import Digest

_LARGEST_CONFIG = 8 << 20


def config_of(engine: Engine, image: Digest, kept: Kept) -> Mapping[str, Json]:
    """The configuration whose digest is `image`, byte for byte. Unfit when the engine's id is no configuration's.

    The engine gives it with all the layers only, so it is asked once and kept.
    """
    known = kept.get(image)
    if known is None:
        known = _found(engine, image)
        kept.put(known)
    content = json.loads(known)
    if not isinstance(content, dict) or "rootfs" not in content:
        raise Unfit("the engine does not name its images by their configuration")
    checked_config(content)
    return content


def _found(engine: Engine, image: Digest) -> bytes:
    wanted = image.text.removeprefix("sha256:")
    with asking(f"hand out the image {image}"), tars.opened(carried.save(engine, image)) as tar:
        for member in tar:
            if not member.isreg() or wanted not in member.name or member.size > _LARGEST_CONFIG:
                continue
            content = tar.extractfile(member)
            data = content.read() if content else b""
            if Digest.of(data) == image:
                return data
    raise Unfit(f"the engine does not give the configuration of {image}")


def load(engine: Engine, config: Blob, layer: Layer | None, repository: str, tag: str) -> Digest:
    """Make the image of `config` in the engine, under that name, and return its id. RvexpError when it is another."""
    document = b"".join(config.open())
    count = len(json.loads(document)["rootfs"]["diff_ids"]) - (layer is not None)
    below = [carried.Piece("below.tar", 0, list)] * count
    own = [carried.Piece("layer.tar", layer.size, layer.open)] if layer else []
    name = f"{config.digest.text.removeprefix('sha256:')}.json"
    carried.load(engine, config.digest, carried.Piece(name, config.size, config.open), [*below, *own])
    engine.tag(config.digest, repository, tag)
    return config.digest
