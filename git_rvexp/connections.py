"""Connections to HTTP servers, used again for the next request when the last answer was read to its end.

A new connection costs a round trip, two more with TLS, and most of what we do is a few small requests to one place.
What may be sent where, redirects, limits and errors in our words are `http`'s business.
"""

import contextlib
import functools
import http.client
import io
import socket
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from git_rvexp.deadline import Reader

BROKEN = (OSError, http.client.HTTPException)
"""What a connection that breaks raises."""
_DRAINED = 1 << 16
Origin = tuple[str, str, int]
"""Scheme, host and port."""
Reply = http.client.HTTPResponse


class Body(Protocol):
    """What can be sent: anything with `read`."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""


Sent = bytes | Body | Iterable[bytes] | Callable[[], Iterable[bytes]]
"""What a request carries: bytes, a reader, pieces that are made as they are sent, or a way to make them anew."""


class Connections:
    """Open connections by where they lead. Threads may share them. They are closed with the last that knows of them."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[http.client.HTTPConnection]] = {}

    @contextlib.contextmanager
    def reply(self, asked: "Asked", *, proxied: bool) -> Iterator[Reply]:
        """One request's answer, open while the block runs. Raises BROKEN, or ValueError for a URL that cannot be sent.

        With `proxied` by way of the proxy that the environment or the system names, if any. A server may close an idle
        connection at any moment: then the request goes out once more, on a new one, if its body can be had again. So
        share connections only between requests that may arrive twice.
        """
        connection, reply = self._answered(asked, proxied=proxied)
        try:
            yield reply
            _finish(asked.method, reply)
        except BaseException:
            connection.close()
            raise
        if reply.isclosed() and not reply.will_close:
            self._idle.setdefault(asked.origin, []).append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close those that are idle."""
        for kept in self._idle.values():
            while kept:
                kept.pop().close()

    def __del__(self) -> None:
        """Nobody is left to send anything."""
        self.close()

    def _answered(self, asked: "Asked", *, proxied: bool) -> tuple[http.client.HTTPConnection, Reply]:
        kept = self._idle.get(asked.origin)
        connection = kept.pop() if kept else None
        if connection is not None:
            try:
                return connection, asked.on(connection)
            except (ConnectionError, http.client.BadStatusLine):
                connection.close()
                if not asked.repeatable:
                    raise
        proxy = _proxy(asked.origin) if proxied else None
        connection = _made(asked.origin, proxy, asked.stall)
        try:
            return connection, asked.on(connection, proxy)
        except BaseException:
            connection.close()
            raise


class Asked(NamedTuple):
    """One request; its answer may go `stall` seconds without a byte, and ends at `until` (of the monotonic clock)."""

    method: str
    url: str
    origin: Origin
    headers: Mapping[str, str]
    body: Sent | None
    stall: float
    until: float

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent once more: a body in pieces may be used up."""
        return self.body is None or isinstance(self.body, bytes) or callable(self.body)

    def on(self, connection: http.client.HTTPConnection, proxy: urllib.parse.SplitResult | None = None) -> Reply:
        """Send it on `connection` (which leads to `proxy`, if that is given) and read how the answer begins."""
        target, headers = self._target(), dict(self.headers)
        if proxy and self.origin[0] == "http":
            target, headers = self.url, headers | _login(proxy)
        content = self.body() if callable(self.body) else self.body
        connection.response_class = functools.partial(_Response, until=self.until, stall=self.stall)  # type: ignore[assignment]  # it is only ever called
        if connection.sock is not None:
            connection.sock.settimeout(self.stall)
        with contextlib.suppress(BrokenPipeError):
            # a server that refuses (a login that ran out, a size) may answer and close before it has read everything
            connection.request(self.method, target, body=content, headers=headers)
        return connection.getresponse()

    def _target(self) -> str:
        parts = urllib.parse.urlsplit(self.url)
        return urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))


class _Response(Reply):
    """An answer that ends in time, headers included."""

    def __init__(self, sock: socket.socket, *, until: float, stall: float, method: str | None = None) -> None:
        super().__init__(sock, method=method)
        self.fp.close()
        self.fp = io.BufferedReader(Reader(sock, until, stall))


def _finish(method: str, reply: Reply) -> None:
    """Read a short rest, so that the connection can be used again."""
    if method == "HEAD" or (reply.length is not None and reply.length <= _DRAINED):
        with contextlib.suppress(*BROKEN):
            reply.read()


def _made(origin: Origin, proxy: urllib.parse.SplitResult | None, stall: float) -> http.client.HTTPConnection:
    scheme, host, port = origin
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    if proxy is None:
        return kind(host, port, timeout=stall)
    made = kind(proxy.hostname or "", proxy.port or 80, timeout=stall)
    if scheme == "https":
        made.set_tunnel(host, port, headers=_login(proxy))
    return made


def _login(proxy: urllib.parse.SplitResult) -> dict[str, str]:
    """The proxy's own login, which its address may hold."""
    if proxy.username is None:
        return {}
    import base64  # noqa: PLC0415  few proxies ask for one

    pair = f"{urllib.parse.unquote(proxy.username)}:{urllib.parse.unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _proxy(origin: Origin) -> urllib.parse.SplitResult | None:
    """The proxy that the environment, or the system's settings, name for the way to `origin`."""
    import urllib.request  # noqa: PLC0415  knows the systems' settings; on this machine nothing is asked by proxy

    scheme, host, port = origin
    found = urllib.request.getproxies().get(scheme, "")
    if not found or urllib.request.proxy_bypass(f"{host}:{port}"):
        return None
    return urllib.parse.urlsplit(found if "://" in found else f"//{found}")
