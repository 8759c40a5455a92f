"""Putting blobs and manifests into a registry, so that a tag never names what is not there.

A blob goes up in one POST and one PUT (chunked uploads lose data at some registries, ECR among them), the manifest
last. The registry checks both by their digests; what it says of them is compared with what was sent. Attempts are
bounded; what arrived stays, so that a second call sends less.
"""

import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from git_rvexp import http
from git_rvexp.addresses import redacted
from git_rvexp.errors import RvexpError
from git_rvexp.images.pieces import joined
from git_rvexp.images.registry import AlteredError, Registry
from git_rvexp.jitter import jitter
from git_rvexp.names import Digest

_ATTEMPTS = 4
_FIRST_PAUSE = 0.2  # seconds; doubled each time
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_DAMAGED = ("DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN")
_ABSENT = ("BLOB_UNKNOWN", "LAYERS_NOT_FOUND")
_LOOKED_FOR = 1 << 20
"""Bytes from which on one request to see whether the blob is there already is the smaller cost."""
_COMPARED = 4096  # bytes: a layer's begin with its first path and its time
_LIMITS = http.Limits(size=1 << 20, seconds=12 * 3600, stall=300)


class MissingBlobError(RvexpError):
    """The registry does not take the manifest, since it lacks a blob that the manifest names."""


class _Again(Exception):  # noqa: N818  control flow within this module: worth another attempt
    def __init__(self, why: RvexpError) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True)
class Blob:
    """What to upload: its name, its length in bytes, and how to get it as often as needed."""

    digest: Digest
    size: int
    open: Callable[[], Iterable[bytes]]

    @classmethod
    def of(cls, data: bytes) -> "Blob":
        """A small one."""
        return cls(Digest.of(data), len(data), lambda: [data])


def blob(registry: Registry, what: Blob, place: str = "") -> None:
    """Make sure that the registry has the blob. RvexpError with the registry's words when it will not take it.

    `place` is where it may be sent to, when a place for it was asked for before (`begin`).
    """
    tried = False

    def attempt() -> None:
        nonlocal tried
        if (tried or what.size >= _LOOKED_FOR) and there(registry, what, compared=True):
            return
        known, tried = "" if tried else place, True
        _send(registry, what, known or _begun(registry))

    _insisting(attempt)


def blobs(registry: Registry, what: Sequence[Blob], places: Sequence[str] = ()) -> None:
    """Make sure that the registry has all of them, sent side by side; the first one's error when some fail."""
    failed: dict[int, RvexpError] = {}

    def one(number: int) -> None:
        try:
            blob(registry, what[number], places[number] if number < len(places) else "")
        except RvexpError as why:
            failed[number] = why

    threads = [threading.Thread(target=one, args=(number,)) for number in range(1, len(what))]
    for thread in threads:
        thread.start()
    one(0)
    for thread in threads:
        thread.join()
    if failed:
        raise failed[min(failed)]


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
        except (_Again, AlteredError, MissingBlobError):
            raise
        except RvexpError:  # refused, or the reply was lost: what the tag names now decides
            there = registry.resolve(tag)
            if there is None or there.digest != digest:
                raise

    _insisting(attempt)


def _put_manifest(registry: Registry, tag: str, body: bytes, media_type: str) -> None:
    headers = {"Content-Type": media_type, "Content-Length": str(len(body))}
    with registry.send("PUT", registry.path("manifests", tag), headers=headers, body=body) as answer:
        told = answer.read()
        codes = _codes(told)
        if any(code.endswith(_ABSENT) for code in codes):
            raise MissingBlobError(f"{registry.repository} lacks a blob of the image that was to become {tag}")
        what = f"the manifest of {registry.repository}:{tag} was not taken"
        _checked(registry, answer, told, what)
        _compare(registry, answer, Digest.of(body), what)


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


def begin(registry: Registry) -> str:
    """Ask once for a place to send one blob to. RvexpError when there is none."""
    try:
        return _begun(registry)
    except _Again as why:
        raise why.why from why


def _begun(registry: Registry) -> str:
    refused = f"{registry.repository} takes no blob"
    # POST wants the length of its empty body
    start = registry.path("blobs", "uploads/")
    with registry.send("POST", start, headers={"Content-Length": "0"}, body=b"") as answer:
        told = answer.read()
        _checked(registry, answer, told, refused)
        place = answer.headers.get("location", "")
    if not place:
        raise RvexpError(f"{refused}\n  the registry named no place to send it to")
    address = urllib.parse.urljoin(registry.repository.address + "/", place)
    if not http.protected(address):
        raise RvexpError(f"{refused}\n  it wants the bytes sent unprotected to {redacted(address)}")
    return address


def _send(registry: Registry, what: Blob, address: str) -> None:
    refused = f"the blob {what.digest} was not taken by {registry.repository}"
    whole = f"{address}{'&' if '?' in address else '?'}{urllib.parse.urlencode({'digest': str(what.digest)})}"
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(what.size)}
    with registry.send("PUT", whole, headers=headers, body=what.open, limits=_LIMITS) as answer:
        told = answer.read()
        if answer.status == 404 or any(code in _DAMAGED for code in _codes(told)):
            raise _Again(RvexpError(f"{refused}\n  HTTP {answer.status}: it was damaged or lost on the way"))
        _checked(registry, answer, told, refused)
        _compare(registry, answer, what.digest, refused)


def _checked(registry: Registry, answer: http.Answer, told: bytes, what: str) -> None:
    try:
        registry.expect(answer, what, told)
    except RvexpError as why:
        if answer.status in _AGAIN:
            raise _Again(why) from why
        raise


def _compare(registry: Registry, answer: http.Answer, digest: Digest, what: str) -> None:
    named = answer.headers.get("docker-content-digest", str(digest))
    if named != str(digest):
        raise AlteredError(f"{what}\n  {registry.repository.host} stored {named} in place of {digest}")


def _insisting(attempt: Callable[[], None]) -> None:
    pause = _FIRST_PAUSE
    for left in reversed(range(_ATTEMPTS)):
        try:
            return attempt()
        except _Again as why:
            if not left:
                raise why.why from why
        except http.HttpError:
            if not left:
                raise
        time.sleep(jitter(pause, 2 * pause))
        pause *= 2
    return None


def _codes(told: bytes) -> list[str]:
    """The error codes in a registry's answer."""
    try:
        return [str(error.get("code")) for error in json.loads(told)["errors"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []
