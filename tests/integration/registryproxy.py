"""Faults in front of a real registry: passes everything on, but for what the test asks to be refused or altered."""

import http.client
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Passed:
    """An exchange on its way back to the client."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def answering(self, status: int, body: bytes) -> "Passed":
        """The same exchange with another answer."""
        return replace(self, status=status, body=body)


def never(method: str, path: str) -> bool:
    """Nothing."""
    return False


def body_of(handler: BaseHTTPRequestHandler) -> bytes:
    """A request's body; the engine sends layers in chunks."""
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    body = b""
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


class RegistryProxy:
    """While the block runs, `host` (localhost:PORT) is the registry at `upstream`, seen through `change`."""

    def __init__(
        self, upstream: str, change: Callable[[Passed], Passed | None], *, withheld: Callable[[str, str], bool] = never
    ) -> None:
        """Listen on a free port of 127.0.0.1; where `change` gives None the connection is cut.

        What `withheld` says of method and path never reaches the registry: `change` makes the answer from a 202.
        """
        self.seen: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                outer.seen.append((self.command, self.path))
                if withheld(self.command, self.path):
                    body_of(self)
                    self._reply(change(Passed(self.command, self.path, 202, {}, b"")))
                    return
                onward = http.client.HTTPConnection(upstream, timeout=60)
                headers = {k: v for k, v in self.headers.items() if k.lower() != "transfer-encoding"}
                onward.request(self.command, self.path, body=body_of(self), headers=headers)
                got = onward.getresponse()
                self._reply(change(Passed(self.command, self.path, got.status, dict(got.getheaders()), got.read())))
                onward.close()

            def _reply(self, passed: Passed | None) -> None:
                self.close_connection = True
                if passed is None:
                    return
                self.send_response(passed.status)
                for name, value in passed.headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                length = passed.headers.get("Content-Length", "0") if self.command == "HEAD" else len(passed.body)
                self.send_header("Content-Length", str(length))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(passed.body)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer  # noqa: N815  http.server's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def host(self) -> str:
        """As images name it."""
        return f"localhost:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
