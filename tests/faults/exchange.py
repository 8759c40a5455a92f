"""One request through a fault proxy: onwards to the server and back, with what the rules say done to it.

Heads and bodies pass unchanged unless an action says otherwise. The body goes up in a thread of its own, so that
`100 Continue`, early answers and slow uploads work as they do without a proxy.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from tests.faults.actions import Action, Answer, Corrupt, Cut, Delay, Hangup, Hold, Throttle, When
from tests.faults.http1 import Body, EarlyEndError, Head, read_head, reply_framing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind = TypeVar("Kind", bound=Action)


class ClosedError(ConnectionError):
    """The exchange is over and its client connection is to be closed."""


@dataclass
class Seen:
    """What the proxy saw of one exchange.

    `status` is what the client was told (None: nothing), `server_status` what the server said (None: it was not asked
    or did not answer); `up` and `down` count body bytes passed to the server and to the client.
    """

    method: str
    path: str
    target: str = ""
    status: int | None = None
    server_status: int | None = None
    up: int = 0
    down: int = 0


class Wire:
    """A connected socket with a buffered reader."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.stream = connection.makefile("rb")

    def close(self, *, reset: bool = False) -> None:
        """Close at once, waking any thread that reads here; with RST if asked."""
        with contextlib.suppress(OSError):
            if reset:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
        self.stream.close()
        self.socket.close()


class Exchange:
    """One request that has been read as far as its head (`request`), with `body` still to come from the client."""

    def __init__(
        self,
        client: Wire,
        request: Head,
        body: Body,
        *,
        actions: tuple[Action, ...],
        seen: Seen,
        sleep: Callable[[float], None],
    ) -> None:
        self.seen = seen
        self._client, self._request, self._body = client, request, body
        self._actions, self._sleep = actions, sleep
        self._link = next(iter(self._all(Throttle)), None)

    def run(self, dial: Callable[[], Wire]) -> bool:
        """Carry it through; True when the client's connection can take another request."""
        if (done := self._interfere("before", self._skip_upload)) is not None:
            return done
        server = dial()
        upload = threading.Thread(target=self._upload, args=(server,), daemon=True)
        try:
            self._latency()
            server.socket.sendall(self._request.raw)
            upload.start()
            reply = self._reply_head(server)
            self.seen.server_status = reply.status
            return self._return(server, reply) and self._uploaded(upload)
        finally:
            server.close()

    def _all(self, kind: type[Kind]) -> list[Kind]:
        return [action for action in self._actions if isinstance(action, kind)]

    def _interfere(self, when: When, finish: Callable[[], None]) -> bool | None:
        """Do what is to be done before or after; True or False as in run when that ends the exchange, else None."""
        for action in self._actions:
            if isinstance(action, Delay) and action.when == when:
                self._sleep(action.seconds)
            elif isinstance(action, Hold) and action.when == when:
                while not action.gate.wait(0.02):
                    self._sleep(0)
            elif isinstance(action, Hangup) and action.when == when:
                finish()
                self._client.close(reset=action.reset)
                return False
            elif isinstance(action, Answer) and action.when == when:
                finish()
                self._answer(action)
                return self._request.persistent and not self._unsent_body
        return None

    @property
    def _unsent_body(self) -> bool:
        return self._request.get("expect").lower() == "100-continue" and self.seen.up == 0

    def _skip_upload(self) -> None:
        # Closing on unread bytes would turn a polite close into a reset.
        if not self._unsent_body:
            _skip(self._body)

    def _answer(self, action: Answer) -> None:
        self.seen.status, self.seen.down = action.status, len(action.body)
        lines = [f"HTTP/1.1 {action.status} Fault", *(f"{name}: {value}" for name, value in action.headers)]
        lines += [f"Content-Length: {len(action.body)}", "", ""]
        body = b"" if self._request.method == "HEAD" else action.body
        self._client.socket.sendall("\r\n".join(lines).encode("latin-1") + body)

    def _upload(self, server: Wire) -> None:
        """Thread: the client's body to the server; what the server no longer takes is read and dropped."""
        try:
            for piece in self._altered(iter(self._body), "up"):
                self.seen.up += len(piece)
                with contextlib.suppress(OSError):
                    server.socket.sendall(self._body.frame(piece))
            with contextlib.suppress(OSError):
                server.socket.sendall(self._body.end())
        except (OSError, ValueError):
            # The client left, or a cut was asked for: the server must not wait for the rest.
            server.close()

    def _uploaded(self, upload: threading.Thread) -> bool:
        if self._unsent_body and self._body.framing != "none":
            return False
        upload.join()
        return True

    def _reply_head(self, server: Wire) -> Head:
        while True:
            reply = read_head(server.stream)
            if reply is None:
                raise EarlyEndError("the server closed without a reply")
            if reply.status >= 200:
                return reply
            self._client.socket.sendall(reply.raw)

    def _return(self, server: Wire, reply: Head) -> bool:
        body = Body(server.stream, reply, reply_framing(self._request.method, reply))
        if (done := self._interfere("after", lambda: _skip(body))) is not None:
            return done
        self._latency()
        self.seen.status = reply.status
        self._client.socket.sendall(reply.raw)
        for piece in self._altered(iter(body), "down"):
            self.seen.down += len(piece)
            self._client.socket.sendall(body.frame(piece))
        self._client.socket.sendall(body.end())
        return self._request.persistent and reply.persistent and body.framing != "close"

    def _latency(self) -> None:
        if self._link:
            self._sleep(self._link.latency)

    def _altered(self, pieces: Iterator[bytes], direction: Literal["up", "down"]) -> Iterator[bytes]:
        """The pieces as they are to arrive: slowed, corrupted, and cut off by ClosedError."""
        upload = direction == "up"
        cut = next((action.keep for action in self._all(Cut) if action.upload == upload), None)
        flips = {action.offset for action in self._all(Corrupt) if action.upload == upload}
        at = 0
        for piece in self._paced(pieces, direction):
            kept = piece if cut is None else piece[: cut - at]
            if kept:
                yield _flipped(kept, {offset - at for offset in flips})
            at += len(piece)
            if cut is not None and at >= cut:
                raise ClosedError(f"cut after {cut} bytes")

    def _paced(self, pieces: Iterator[bytes], direction: Literal["up", "down"]) -> Iterator[bytes]:
        if self._link is None:
            yield from pieces
            return
        size = max(1024, int(self._link.rate / 50))
        for piece in pieces:
            for start in range(0, len(piece), size):
                part = piece[start : start + size]
                self._sleep(self._link.wait_for(direction, len(part)))
                yield part


def _skip(body: Body) -> None:
    for _ in body:
        pass


def _flipped(piece: bytes, offsets: set[int]) -> bytes:
    changed = bytearray(piece)
    for offset in offsets:
        if 0 <= offset < len(changed):
            changed[offset] ^= 1
    return bytes(changed)
