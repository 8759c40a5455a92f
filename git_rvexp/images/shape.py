"""What documents of a registry must look like before anybody reads fields out of them.

A registry may answer anything. Only what is used here is looked at; what a field means is its reader's business.
"""

import json
from collections.abc import Mapping
from typing import Any

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.model import Json
from git_rvexp.names import Digest


def checked_manifest(content: Mapping[str, Json]) -> None:
    """RvexpError unless `content` has the shape of an image's manifest or of an index (OCI image specification)."""
    for key in ("manifests", "layers"):
        for descriptor in _list(content, key, "the manifest"):
            _check_descriptor(descriptor, f"{key} of the manifest", sized=key == "layers")
    for child in content.get("manifests") or []:
        _dict(child, "platform", "a manifest of the index")
    config = _dict(content, "config", "the manifest")
    if config:
        _check_descriptor(config, "the config of the manifest", sized=False)


def checked_config(content: Mapping[str, Json]) -> None:
    """RvexpError unless `content` has the shape of an image's configuration."""
    inner = _dict(content, "config", "the image's config")
    labels = _dict(inner, "Labels", "the image's config")
    if not all(isinstance(value, str) for value in labels.values()):
        raise _wrong("Labels of the image's config")
    if not isinstance(inner.get("WorkingDir") or "", str):
        raise _wrong("WorkingDir of the image's config")
    _list(content, "history", "the image's config")
    _list(_dict(content, "rootfs", "the image's config"), "diff_ids", "the image's rootfs")


def checked_base(manifest: Mapping[str, Json], config: Mapping[str, Json]) -> None:
    """RvexpError unless the two say all that an image built upon them needs: media types, and a layer for each id."""
    described = isinstance((manifest.get("config") or {}).get("mediaType"), str)
    ids = (config.get("rootfs") or {}).get("diff_ids")
    if not described or not isinstance(manifest.get("layers"), list) or not isinstance(ids, list):
        raise _wrong("an image to build upon")


def _check_descriptor(descriptor: Any, what: str, *, sized: bool) -> None:
    if not isinstance(descriptor, dict):
        raise _wrong(what)
    size = descriptor.get("size", None if sized else 0)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _wrong(what)
    if not isinstance(descriptor.get("mediaType", ""), str):
        raise _wrong(what)
    try:
        Digest(str(descriptor.get("digest")))
    except UsageError as why:
        raise _wrong(f"{what} ({why})") from why


def _list(content: Mapping[str, Json], key: str, what: str) -> list[Json]:
    found = content.get(key) or []
    if not isinstance(found, list):
        raise _wrong(f"{key} of {what}")
    return found


def _dict(content: Mapping[str, Json], key: str, what: str) -> Mapping[str, Json]:
    found = content.get(key) or {}
    if not isinstance(found, dict):
        raise _wrong(f"{key} of {what}")
    return found


def _wrong(what: str) -> RvexpError:
    return RvexpError(f"the registry sent a document of another shape than an image's: {what}")


def json_object(body: bytes, what: str) -> Mapping[str, Json]:
    """The JSON object that `body` is; RvexpError, naming `what` it should be, for anything else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as why:
        raise RvexpError(f"{what} is not JSON: {why}") from why
    if not isinstance(content, dict):
        raise RvexpError(f"{what} is not a JSON object")
    return content
