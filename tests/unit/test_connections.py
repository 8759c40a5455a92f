"""Connections that are used again, servers that close them, and logins that run out between two requests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from git_rvexp.connections import Connections, Sent
from git_rvexp.http import HttpError, exchange
from git_rvexp.images import upload
from git_rvexp.images.blob import Blob
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from tests.unit.serving import Asked, Reply, Serving


class Lasting(ThreadingHTTPServer):
    """Keeps connections open, but for those that it closes without a word after `each` answers."""

    def __init__(self, each: int) -> None:
        """Listen on a free port of 127.0.0.1."""
        self.each, self.opened, self.bodies = each, 0, list[bytes]()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Lasting

    def setup(self) -> None:
        super().setup()
        self.server.opened += 1
        self.left = self.server.each

    def do_PUT(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.left -= 1
        self.close_connection = not self.left

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Say nothing."""


@contextmanager
def lasting(each: int) -> Iterator[Lasting]:
    """The server while the block runs."""
    with Lasting(each) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def put(server: Lasting, kept: Connections, body: Sent) -> int:
    """One PUT of four bytes."""
    headers = {"Content-Length": "4"}
    with exchange("PUT", server.url, headers=headers, body=body, through=kept) as answer:
        return answer.status


def test_one_connection_serves_many_requests() -> None:
    """An answer that was not even read leaves the connection usable, as long as it is short."""
    kept = Connections()
    with lasting(99) as server:
        assert [put(server, kept, b"data") for _ in range(3)] == [201, 201, 201]
        assert server.opened == 1
        kept.close()


def test_request_on_a_connection_that_was_closed_is_sent_again() -> None:
    """Bytes and pieces that can be made anew arrive whole, on a new connection."""
    kept = Connections()
    with lasting(1) as server:
        assert [put(server, kept, body) for body in (b"1234", b"5678", lambda: [b"ab", b"cd"])] == [201, 201, 201]
        assert (server.opened, server.bodies) == (3, [b"1234", b"5678", b"abcd"])


def test_pieces_that_are_used_up_are_not_sent_again() -> None:
    """Half of a body would be worse than an error."""
    kept = Connections()
    with lasting(1) as server:
        put(server, kept, b"1234")
        with pytest.raises(HttpError):
            put(server, kept, iter([b"ab", b"cd"]))
        assert server.bodies == [b"1234"]


def test_login_that_runs_out_during_an_upload_is_renewed() -> None:
    """The token that opened the upload is refused at its end: a new one is asked for and the bytes go out whole."""
    blob = Blob.of(b"x" * 5000)
    tokens = iter(("first", "second"))

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(200, json.dumps({"token": next(tokens)}).encode())
        wanted = "Bearer second" if asked.method == "PUT" else "Bearer first"
        if asked.headers.get("authorization") != wanted:
            challenge = f'Bearer realm="{server.url}/token",service="s",scope="x"'
            return Reply(401, headers={"WWW-Authenticate": challenge})
        if asked.method == "PUT":
            return Reply(201, headers={"Docker-Content-Digest": str(blob.digest)})
        return Reply(202, headers={"Location": "/v2/lab/exp/blobs/uploads/1"})

    with Serving(answer) as server:
        upload.blob(Registry(Repository.parse(f"127.0.0.1:{server.port}/lab/exp")), blob)
        taken = [a for a in server.asked if a.method == "PUT"]
    assert [a.headers["authorization"] for a in taken] == ["Bearer first", "Bearer second"]
    assert {a.body for a in taken} == {b"x" * 5000}
