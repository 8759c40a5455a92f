"""Where a blob may be sent to: a request of its own (POST), which some registries let carry a small blob at once.

OCI's distribution specification 1.1 calls that a single POST. A registry that does not do it gives a place all the
same, for a PUT as usual. Which kind it is, is found out with a blob so small that sending it in vain costs little, and
remembered for a while.
"""

import urllib.parse

from git_rvexp import http
from git_rvexp.addresses import redacted
from git_rvexp.errors import RvexpError
from git_rvexp.images.attempts import PASSING
from git_rvexp.images.blob import Blob
from git_rvexp.images.registry import AlteredError, Registry
from git_rvexp.names import Digest

_TRIED = 16 << 10  # bytes
_MOST = 1 << 20  # bytes; beyond, a request saved is no gain over one sent in vain
_LIMITS = http.Limits(size=1 << 20, seconds=600)


def wanted(registry: Registry) -> int:
    """How many places to ask for before the layer and the config are known: none where they need none.

    Where nobody has tried, one for the layer: the config is what it is tried with.
    """
    return {True: 0, None: 1, False: 2}[_taking(registry)]


def fits(registry: Registry, blob: Blob) -> bool:
    """Whether the blob is to be offered whole: it is small, and the registry takes that, or may."""
    return blob.size <= {True: _MOST, None: _TRIED, False: -1}[_taking(registry)]


def lost(registry: Registry) -> None:
    """A blob that the registry took is not there: from now on they go the usual way."""
    _note(registry, taking=False)


def confirmed(registry: Registry, answer: http.Answer, digest: Digest, what: str) -> None:
    """AlteredError when the registry names another digest than that of what it was sent."""
    named = answer.headers.get("docker-content-digest", str(digest))
    if named != str(digest):
        raise AlteredError(f"{what}\n  {registry.repository.host} stored {named} in place of {digest}")


def begun(registry: Registry) -> str:
    """Ask once for a place to send one blob to. RvexpError when there is none, AgainError where one may come."""
    refused = _refused(registry)
    # POST wants the length of its empty body
    with registry.send("POST", _start(registry), headers={"Content-Length": "0"}, body=b"") as answer:
        told = answer.read()
        registry.expect(answer, refused, told)
        return _place(registry, answer)


def offered(registry: Registry, blob: Blob) -> str:
    """Send the blob with the question: "" when the registry took it, else the place where it wants it.

    A registry that refuses the request is asked without the blob. Errors as `begun` has them; AlteredError when
    it says that it stored something else.
    """
    start = f"{_start(registry)}?{urllib.parse.urlencode({'digest': str(blob.digest)})}"
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
    taken = False
    try:
        with registry.send("POST", start, headers=headers, body=blob.open, limits=_LIMITS) as answer:
            told = answer.read()
            if answer.status == 201:
                confirmed(registry, answer, blob.digest, f"the blob {blob.digest} was not taken as it is")
                taken = True
                return ""
            if answer.ok:
                return _place(registry, answer)
            if answer.status in PASSING:
                registry.expect(answer, _refused(registry), told)
        return begun(registry)
    finally:
        _note(registry, taking=taken)


def _start(registry: Registry) -> str:
    return registry.path("blobs", "uploads/")


def _refused(registry: Registry) -> str:
    return f"{registry.repository} takes no blob"


def _place(registry: Registry, answer: http.Answer) -> str:
    place = answer.headers.get("location", "")
    if not place:
        raise RvexpError(f"{_refused(registry)}\n  the registry named no place to send it to")
    address = urllib.parse.urljoin(registry.repository.address + "/", place)
    if not http.protected(address):
        raise RvexpError(f"{_refused(registry)}\n  it wants the bytes sent unprotected to {redacted(address)}")
    return address


def _taking(registry: Registry) -> bool | None:
    """Whether the registry takes a blob in one request; None when nobody has tried.

    What ECR does with such a request is written nowhere, so it never gets one.
    """
    if registry.repository.is_ecr:
        return False
    return registry.kept.noted(_question(registry)) if registry.kept else None


def _note(registry: Registry, *, taking: bool) -> None:
    if registry.kept and _taking(registry) is not taking:
        registry.kept.note(_question(registry), answer=taking)


def _question(registry: Registry) -> str:
    return f"{registry.repository.host} takes a blob in one request"
