"""A small real HTTP server to put behind the fault proxy, and the plainest of clients to ask it through it."""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.proxy import FaultProxy


@dataclass
class Got:
    """One request as the server received it."""

    method: str
    path: str
    length: int
    digest: str


@dataclass
class Origin:
    """The real server: its address, what it received, and a gate that holds back `/gated`."""

    url: str
    got: list[Got] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)


class Server(ThreadingHTTPServer):
    """Serves Handler and tells `origin`."""

    origin: Origin


class Handler(BaseHTTPRequestHandler):
    """`/bytes/N` answers N bytes, `/chunked` in chunks, `/until-close` without a length, `/refuse` before the body."""

    protocol_version = "HTTP/1.1"
    server: Server

    def _receive(self) -> None:
        digest, length = hashlib.sha256(), 0
        for piece in self._pieces():
            digest.update(piece)
            length += len(piece)
        self.server.origin.got.append(Got(self.command, self.path, length, digest.hexdigest()))

    def _pieces(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                raise ConnectionError
            left -= len(piece)
            yield piece

    def handle_expect_100(self) -> bool:
        """Refuse early where asked to; otherwise let the body come."""
        if self.path == "/refuse":
            self.send_error(401)
            return False
        return super().handle_expect_100()

    def _answer(self) -> None:
        try:
            self._receive()
        except ConnectionError:
            self.close_connection = True
            return
        if self.path == "/gated":
            self.server.origin.gate.wait(10)
        getattr(self, "_" + self.path.split("/")[1].replace("-", "_"), self._ok)()

    do_GET = do_PUT = do_POST = do_HEAD = _answer  # noqa: N815 - the base class calls them so

    def _ok(self) -> None:
        self._send(b"ok")

    def _bytes(self) -> None:
        self._send(b"\x00" * int(self.path.rpartition("/")[2]))

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Path", self.path)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def _chunked(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: t\r\n\r\n")

    def _until_close(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"the end")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay silent."""


def connect(proxy: FaultProxy) -> http.client.HTTPConnection:
    """A keep-alive connection to the proxy."""
    return http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=10)


def ask(proxy: FaultProxy, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """One request on a connection of its own: status and body."""
    connection = connect(proxy)
    connection.request(method, path, body)
    reply = connection.getresponse()
    try:
        return reply.status, reply.read()
    finally:
        connection.close()


def raw(proxy: FaultProxy, text: bytes) -> socket.socket:
    """A socket to the proxy on which this has been sent."""
    place = urlsplit(proxy.url)
    connection = socket.create_connection((place.hostname, place.port), timeout=10)
    connection.sendall(text)
    return connection
