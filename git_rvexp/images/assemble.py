"""The config and the manifest of an image that is another image and one layer: pure functions, canonical JSON.

The base's family of manifests (OCI's or Docker's) is kept, so that a pull by digest works wherever the base's did. What
varies from build to build without meaning (a builder's host name, its container) is dropped.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from git_rvexp.images.blob import Blob
from git_rvexp.images.layer import FORMAT, Layer
from git_rvexp.images.registry import Manifest
from git_rvexp.images.shape import checked_base
from git_rvexp.model import Json

_VOLATILE = ("container", "container_config", "docker_version", "id", "parent")
_HOSTS = ("Hostname", "Domainname", "Image")
_DOCKER = "application/vnd.docker"
_OCI = "application/vnd.oci.image"
# family -> media types of manifest and layer
_KINDS = {
    "docker": (f"{_DOCKER}.distribution.manifest.v2+json", f"{_DOCKER}.image.rootfs.diff.tar.gzip"),
    "oci": (f"{_OCI}.manifest.v1+json", f"{_OCI}.layer.v1.tar+gzip"),
}


def labels_of(config: Mapping[str, Json]) -> Mapping[str, str]:
    """A config's labels."""
    return (config.get("config") or {}).get("Labels") or {}


class Base(NamedTuple):
    """The image that is built upon: its manifest and its config, as JSON values."""

    manifest: Manifest
    config: Mapping[str, Json]

    @property
    def labels(self) -> Mapping[str, str]:
        """The config's labels."""
        return labels_of(self.config)

    @property
    def kinds(self) -> tuple[str, str]:
        """The media types of the manifest and of a layer, in the base's family."""
        return _KINDS["oci" if str(self.manifest.content["config"].get("mediaType")).startswith(_OCI) else "docker"]


class Assembled(NamedTuple):
    """An image ready to be sent. `layer` is None when nothing had to be laid over the base."""

    config: Blob
    manifest: bytes
    media_type: str
    layer: Layer | None


def assemble(base: Base, layer: Layer | None, *, labels: Mapping[str, str], created: str, told: str) -> Assembled:
    """`base` with `layer` on top; `created` is RFC 3339, `told` what the history says of the layer.

    RvexpError when the base's documents lack what is needed for that.
    """
    checked_base(base.manifest.content, base.config)
    blob = configured(base.config, layer, labels=labels, created=created, told=told)
    kind, layer_kind = base.kinds
    content = base.manifest.content
    more = [_descriptor(layer_kind, str(layer.digest), layer.size)] if layer else []
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": _descriptor(str(content["config"]["mediaType"]), str(blob.digest), blob.size),
        "layers": [*content["layers"], *more],
    }
    return Assembled(blob, _json(manifest), kind, layer)


def configured(
    base: Mapping[str, Json], layer: Layer | None, *, labels: Mapping[str, str], created: str, told: str
) -> Blob:
    """The config of the image: `base` is the one below's. Its digest is the image's id."""
    return Blob.of(_json(_config(base, layer, labels, created, told)))


def _config(
    base: Mapping[str, Json], layer: Layer | None, labels: Mapping[str, str], created: str, told: str
) -> Mapping[str, Json]:
    kept = {k: v for k, v in base.items() if k not in _VOLATILE}
    inner = {k: v for k, v in (kept.get("config") or {}).items() if k not in _HOSTS}
    entry = {"created": created, "created_by": told, "comment": FORMAT}
    rootfs = kept["rootfs"]
    return {
        **kept,
        "created": created,
        "config": {**inner, "Labels": {**labels_of(base), **labels}},
        "rootfs": {**rootfs, "diff_ids": [*rootfs["diff_ids"], *([str(layer.diff_id)] if layer else [])]},
        "history": [*(kept.get("history") or []), entry if layer else {**entry, "empty_layer": True}],
    }


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Json]:
    return {"mediaType": kind, "digest": digest, "size": size}


def _json(value: Json) -> bytes:
    """Canonical: sorted keys, no spaces, only ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
