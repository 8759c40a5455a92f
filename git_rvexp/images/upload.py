"""Putting blobs and manifests into a registry, so that a tag never names what is not there.

A blob goes up in one POST and one PUT (chunked uploads lose data at some registries, ECR among them), a small one in
the POST alone where the registry takes that; the manifest last. The registry checks both by their digests; what it says
of them is compared with what was sent. Attempts are bounded; what arrived stays, so that a second call sends less.
"""

import functools
import urllib.parse
from collections.abc import Iterable, Sequence

from git_rvexp import http
from git_rvexp.beside import all_done
from git_rvexp.errors import RvexpError
from git_rvexp.images import places
from git_rvexp.images.attempts import AgainError, codes, damaged, insisting
from git_rvexp.images.blob import Blob
from git_rvexp.images.registry import AlteredError, Registry
from git_rvexp.names import Digest
from git_rvexp.pieces import joined

_ABSENT = ("BLOB_UNKNOWN", "LAYERS_NOT_FOUND")
_LOOKED_FOR = 1 << 20
"""Bytes from which on one request to see whether the blob is there already is the smaller cost."""
_COMPARED = 4096  # bytes: a layer's begin with its first path and its time
_LIMITS = http.Limits(size=1 << 20, seconds=12 * 3600, stall=300)


class MissingBlobError(RvexpError):
    """The registry does not take the manifest, since it lacks a blob that the manifest names."""


def blob(registry: Registry, what: Blob, place: str = "") -> None:
    """Make sure that the registry has the blob. RvexpError with the registry's words when it will not take it.

    `place` is where it may be sent to, when a place for it was asked for before (`places.begun`). What goes
    wrong in one request is tried in two.
    """
    tried = False

    def attempt() -> None:
        nonlocal tried
        if (tried or what.size >= _LOOKED_FOR) and there(registry, what, compared=True):
            return
        known, first, tried = "" if tried else place, not tried, True
        if not known and first and places.fits(registry, what):
            known = places.offered(registry, what)
            if not known:
                return
        _send(registry, what, known or places.begun(registry))

    insisting(attempt)


def blobs(registry: Registry, what: Sequence[Blob], rooms: Sequence[str] = ()) -> None:
    """Make sure that the registry has all of them, sent side by side; the first one's error when some fail."""
    to = [*rooms, *[""] * len(what)]
    all_done([functools.partial(blob, registry, each, place) for each, place in zip(what, to, strict=False)], len(what))


def mounted(registry: Registry, what: Blob, neighbour: str) -> bool:
    """Whether the registry took the blob over from its repository `neighbour`: not all do, and not for everyone."""
    query = urllib.parse.urlencode({"mount": str(what.digest), "from": neighbour})
    start = f"{registry.path('blobs', 'uploads/')}?{query}"
    with registry.send("POST", start, headers={"Content-Length": "0"}, body=b"") as answer:
        answer.read()
        return answer.status == 201 and there(registry, what)


def absent(registry: Registry, digests: Iterable[str]) -> list[str]:
    """Those of `digests` that the registry says it has no blob for."""
    missing = []
    for digest in digests:
        with registry.send("HEAD", registry.path("blobs", digest)) as answer:
            missing += [digest] if answer.status == 404 else []
    return missing


def manifest(registry: Registry, tag: str, body: bytes, media_type: str) -> None:
    """Let `tag` name the manifest `body`. MissingBlobError when a blob of it is not there; RvexpError otherwise.

    A registry that has the same manifest under the tag already is content, an immutable tag included.
    """
    digest = Digest.of(body)

    def attempt() -> None:
        try:
            _put_manifest(registry, tag, body, media_type)
        except (AgainError, AlteredError, MissingBlobError):
            raise
        except RvexpError:  # refused, or the reply was lost: what the tag names now decides
            there = registry.resolve(tag)
            if there is None or there.digest != digest:
                raise

    insisting(attempt)


def _put_manifest(registry: Registry, tag: str, body: bytes, media_type: str) -> None:
    headers = {"Content-Type": media_type, "Content-Length": str(len(body))}
    with registry.send("PUT", registry.path("manifests", tag), headers=headers, body=body) as answer:
        told = answer.read()
        if any(code.endswith(_ABSENT) for code in codes(told)):
            places.lost(registry)
            raise MissingBlobError(f"{registry.repository} lacks a blob of the image that was to become {tag}")
        what = f"the manifest of {registry.repository}:{tag} was not taken"
        registry.expect(answer, what, told)
        places.confirmed(registry, answer, Digest.of(body), what)


def there(registry: Registry, what: Blob, *, compared: bool = False) -> bool:
    """Whether the registry has the blob: it says so, with its size, and gives its first bytes.

    Its word is not enough: some say yes of blobs that they have lost. With `compared` the bytes must be ours.
    """
    place = registry.path("blobs", str(what.digest))
    with registry.send("HEAD", place) as answer:
        if answer.status != 200 or answer.headers.get("content-length") != str(what.size):
            return False
    ours = joined(what.open()).read(_COMPARED) if compared else b""
    with registry.send("GET", place, headers={"Range": f"bytes=0-{max(len(ours), 1) - 1}"}, limits=_LIMITS) as answer:
        return answer.status in (200, 206) and joined(answer.chunks()).read(len(ours)) == ours


def _send(registry: Registry, what: Blob, address: str) -> None:
    refused = f"the blob {what.digest} was not taken by {registry.repository}"
    whole = f"{address}{'&' if '?' in address else '?'}{urllib.parse.urlencode({'digest': str(what.digest)})}"
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(what.size)}
    with registry.send("PUT", whole, headers=headers, body=what.open, limits=_LIMITS) as answer:
        told = answer.read()
        if answer.status == 404 or damaged(told):
            raise AgainError(f"{refused}\n  HTTP {answer.status}: it was damaged or lost on the way")
        registry.expect(answer, refused, told)
        places.confirmed(registry, answer, what.digest, refused)
