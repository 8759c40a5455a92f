"""A registry that holds one image: the one of a given snapshot. It answers as the distribution API does, read only.

For tests of what happens around an image that is there already; pushing is for the real registry.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from git_rvexp.settings import Settings
from git_rvexp.workflow.building.engine import SPEC, TREE, recipe
from tests.unit.serving import Asked, Reply, Serving

_CONFIG = "application/vnd.docker.container.image.v1+json"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


@contextmanager
def registry_of(trees: Mapping[str, str]) -> Iterator[Serving]:
    """Serve an image for each mapped tag name -> tree, labelled as built from that tree by the default recipe."""
    documents: dict[str, bytes] = {}
    for tag, tree in trees.items():
        labels = {TREE: tree, SPEC: recipe(Settings()).spec}
        config = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Labels": labels}}).encode()
        told = {"mediaType": _CONFIG, "digest": _digest(config), "size": len(config)}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": told, "layers": []}).encode()
        documents |= {_digest(config): config, _digest(manifest): manifest, tag: manifest}

    def answer(asked: Asked) -> Reply:
        body = documents.get(asked.path.rpartition("/")[2])
        if body is None:
            return Reply(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        kind = _MANIFEST if "/manifests/" in asked.path else "application/octet-stream"
        return Reply(200, body, {"Content-Type": kind, "Docker-Content-Digest": _digest(body)})

    with Serving(answer) as server:
        yield server
