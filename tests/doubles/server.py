"""A threaded loopback HTTP server that performs replies, broken ones included.

It knows requests and replies only; what is asked and answered is the business of whoever gave it `respond`.
A reply may be late, cut in half, or no reply at all: the server does to the socket what the reply says.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Ending = Literal["reply", "close", "reset"]


@dataclass(frozen=True)
class Request:
    """One HTTP request, read whole; header names are lower case, `path` is still percent-encoded."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What to do to the connection: wait `delay` seconds, then reply, close it, or reset it.

    `keep` sends only that many bytes of the body under the full Content-Length, then closes.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    keep: int | None = None
    ending: Ending = "reply"


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN, the way a dying middlebox does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class LoopbackServer(ThreadingHTTPServer):
    """Serves `respond` on 127.0.0.1 and a free port from `start()` until `stop()`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, respond: Callable[[Request], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.respond = respond
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a trailing slash."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Begin to accept connections, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting, and wake every reply that is still waiting out its delay."""
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is an ordinary thing here; anything else is reported as usual."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.respond(Request(self.command, self.path, headers, body))
        if reply.delay:
            self.server.stopping.wait(reply.delay)
        if reply.ending == "reset":
            self.rfile.close()
            reset(self.connection)
        elif reply.ending == "reply":
            self._send(reply)
        if reply.ending != "reply" or reply.keep is not None:
            self.close_connection = True

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the base class calls them so

    def _send(self, reply: Reply) -> None:
        # Head and body in one write: two small writes meet Nagle and cost 40 ms a call.
        headers = {"Content-Type": "application/json", **reply.headers, "Content-Length": str(len(reply.body))}
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", f"Date: {self.date_time_string()}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body[: reply.keep])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay silent: the calls are recorded by whoever owns `respond`."""
