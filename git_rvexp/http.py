"""The one door to plain HTTP: one request in, one bounded, streamed answer out.

Redirects are followed here, by hand, so that credentials never reach another place: they are dropped as soon as
scheme, host or port change, and they are sent over https or to this machine only. Any status is an answer; only
an exchange that did not come about is an error. No retries, no sessions, no JSON: callers know what they asked.
"""

import base64
import contextlib
import socket
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from git_rvexp import __version__
from git_rvexp.addresses import redacted
from git_rvexp.connections import BROKEN, Asked, Connections, Reply, Sent
from git_rvexp.errors import CredentialsError, RvexpError

CHUNK = 1 << 18
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 8


class HttpError(RvexpError):
    """An exchange that did not come about: unreachable, cut short, too large or too slow. Says where, not secrets."""


class Limits(NamedTuple):
    """Bounds of one exchange: `size` in bytes of the answer's body, `seconds` in all, `stall` between two bytes."""

    size: int = 16 << 20
    seconds: float = 60
    stall: float = 30


class Answer(NamedTuple):
    """The last request's method, a status, headers (names in lower case), who answered, and a body to read once."""

    method: str
    status: int
    headers: Mapping[str, str]
    url: str
    stream: Reply
    limits: Limits

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    def chunks(self) -> Iterator[bytes]:
        """The body, piece by piece; HttpError when it breaks off or passes a limit."""
        length = self.headers.get("content-length", "")
        told = int(length) if length.isascii() and length.isdecimal() else None
        had = 0
        while chunk := self._read():
            had += len(chunk)
            if had > self.limits.size:
                raise HttpError(f"{redacted(self.url)} sent more than {self.limits.size} bytes")
            yield chunk
        if told is not None and had < told and self.method != "HEAD" and self.status not in (204, 304):
            raise HttpError(f"{redacted(self.url)} broke off after {had} of {told} bytes")

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks())

    def _read(self) -> bytes:
        try:
            return self.stream.read1(CHUNK)
        except BROKEN as why:
            raise HttpError(f"{redacted(self.url)} broke off: {_told(why)}") from why


@contextlib.contextmanager
def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    authorization: str = "",
    body: Sent | None = None,
    limits: Limits | None = None,
    through: Connections | None = None,
) -> Iterator[Answer]:
    """Send one request and hold its answer open. GET and HEAD follow redirects; others return them.

    A body in pieces needs a Content-Length among the headers, else it is sent chunked. `through` are connections to use
    again, for requests that do no harm when they arrive twice.

    `authorization` is the header's whole value and is dropped on the way to another scheme, host or port.
    CredentialsError when it would travel unprotected, HttpError when nobody answers.
    """
    limits = limits or Limits()
    until = time.monotonic() + limits.seconds
    for _ in range(_MOST_REDIRECTS):
        if authorization and not protected(url):
            raise CredentialsError(f"credentials are not sent unprotected to {redacted(url)}", hint="use https")
        with _sent(method, url, {**(headers or {})}, authorization, body, limits, until, through) as stream:
            names = {k.lower(): ", ".join(stream.headers.get_all(k, [])) for k in stream.headers}
            target = names.get("location", "")
            if stream.status not in _REDIRECTS or method not in ("GET", "HEAD") or not target:
                yield Answer(method, stream.status, names, url, stream, limits)
                return
        onward = _joined(url, target)
        if origin(onward) != origin(url):
            authorization = ""
        url = onward
    raise HttpError(f"{redacted(url)} redirects without end")


Opened = contextlib.AbstractContextManager[Answer]
"""An answer that is closed on leaving."""


def basic(user: str, password: str) -> str:
    """The value of an Authorization header for a user and a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of `url`; HttpError when it is not http or https."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        raise HttpError(f"{redacted(url)!r} is not an http or https address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HttpError(f"{redacted(url)!r} is not an http or https address")
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)


def loopback(host: str) -> bool:
    """Whether `host` (no port) is this machine by name or address."""
    bare = host.strip("[]")
    own = _packed(socket.AF_INET, bare)[:1] == b"\x7f" or _packed(socket.AF_INET6, bare) == bytes(15) + b"\1"
    return own or host.lower() == "localhost"


def _packed(family: int, host: str) -> bytes:
    """An address in its binary form; nothing for a name. `ipaddress` would be another 2 ms for each process."""
    try:
        return socket.inet_pton(family, host)
    except (OSError, ValueError):
        return b""


def protected(url: str) -> bool:
    """Whether credentials may travel to `url`: over https, or without leaving this machine."""
    scheme, host, _ = origin(url)
    return scheme == "https" or loopback(host)


def _joined(url: str, target: str) -> str:
    try:
        return urllib.parse.urljoin(url, target)
    except ValueError:
        raise HttpError(f"{redacted(target)!r} is not an http or https address") from None


def _bare(url: str) -> str:
    """`url` without the user and password it may hold: those are given apart, or not at all."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


@contextlib.contextmanager
def _sent(
    method: str,
    url: str,
    headers: dict[str, str],
    authorization: str,
    body: Sent | None,
    limits: Limits,
    until: float,
    through: Connections | None,
) -> Iterator[Reply]:
    place = origin(url)
    headers.setdefault("User-Agent", f"git-rvexp/{__version__}")
    if body is not None:
        headers.setdefault("Content-Type", "application/octet-stream")
    if authorization:
        headers["Authorization"] = authorization
    asked = Asked(method, _bare(url), place, headers, body, limits.stall, until)
    with contextlib.ExitStack() as stack:
        connections = through or stack.enter_context(contextlib.closing(Connections()))
        try:
            # A proxy is for the way out; what is on this machine is asked directly.
            reply = stack.enter_context(connections.reply(asked, proxied=not loopback(place[1])))
        except (*BROKEN, ValueError) as why:
            raise HttpError(f"{redacted(url)} cannot be reached: {_told(why)}") from why
        yield reply


def _told(why: BaseException) -> str:
    return (getattr(why, "strerror", None) or str(why) or type(why).__name__).lower()
