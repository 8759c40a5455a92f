"""Each action of the fault proxy against a small real server: what the client sees, and what the server got."""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
import time
import tracemalloc
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.doubles.batch import BatchDouble
from tests.doubles.driving import client as aws_client
from tests.faults import actions
from tests.faults.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

MEBIBYTE = 1024 * 1024


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


class _Server(ThreadingHTTPServer):
    origin: Origin


class _Handler(BaseHTTPRequestHandler):
    """`/bytes/N` answers N bytes, `/chunked` in chunks, `/until-close` without a length, `/refuse` before the body."""

    protocol_version = "HTTP/1.1"
    server: _Server

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


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A real HTTP server on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.origin = made = Origin(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.gate.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(origin: Origin) -> Iterator[FaultProxy]:
    """A proxy without rules in front of it."""
    with FaultProxy(origin.url) as made:
        yield made


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


# --- passing ----------------------------------------------------------------------------------------------------


def test_everything_passes_unchanged_without_rules(proxy: FaultProxy, origin: Origin) -> None:
    """Bodies both ways, headers, and the log of it."""
    body = bytes(range(256)) * 1000
    connection = connect(proxy)
    connection.request("PUT", "/bytes/300000", body)
    reply = connection.getresponse()
    assert (reply.status, reply.headers["X-Path"], len(reply.read())) == (200, "/bytes/300000", 300_000)
    assert origin.got == [Got("PUT", "/bytes/300000", 256_000, hashlib.sha256(body).hexdigest())]
    (seen,) = proxy.log
    assert (seen.method, seen.status, seen.server_status, seen.up, seen.down) == ("PUT", 200, 200, 256_000, 300_000)


def test_a_connection_is_kept_for_many_requests(proxy: FaultProxy) -> None:
    """Keep-alive works across different kinds of replies."""
    connection = connect(proxy)
    connection.connect()
    first = connection.sock
    for path in ("/bytes/10", "/chunked", "/a", "/bytes/0"):
        connection.request("GET", path)
        connection.getresponse().read()
    assert connection.sock is first
    assert [seen.path for seen in proxy.log] == ["/bytes/10", "/chunked", "/a", "/bytes/0"]


def test_head_keeps_its_content_length(proxy: FaultProxy) -> None:
    """A reply to HEAD has no body and still tells the size; the connection goes on."""
    connection = connect(proxy)
    for _ in range(2):
        connection.request("HEAD", "/bytes/12345")
        reply = connection.getresponse()
        assert (reply.headers["Content-Length"], reply.read()) == ("12345", b"")


def test_chunked_bodies_pass_both_ways(proxy: FaultProxy, origin: Origin) -> None:
    """Up from an iterator, down with a trailer."""
    connection = connect(proxy)
    connection.request("PUT", "/chunked", iter([b"one", b"two"]), encode_chunked=True)
    assert connection.getresponse().read() == b"hello world"
    assert origin.got[0].digest == hashlib.sha256(b"onetwo").hexdigest()
    with raw(proxy, b"GET /chunked HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as connected:
        assert connected.makefile("rb").read().endswith(b"0\r\nX-Trailer: t\r\n\r\n")


def test_a_reply_may_end_with_its_connection(proxy: FaultProxy) -> None:
    """Without a length the end of the connection is the end of the body."""
    assert ask(proxy, "GET", "/until-close") == (200, b"the end")


def test_continue_is_relayed_before_the_body_is_sent(proxy: FaultProxy, origin: Origin) -> None:
    """A client that waits for 100 Continue gets it, then sends, then is answered."""
    head = b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    with raw(proxy, head) as connected:
        lines = connected.makefile("rb")
        assert lines.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert origin.got == []
        connected.sendall(b"abc")
        assert lines.readline() == b"\r\n"
        assert b" 200 " in lines.readline()
    assert origin.got[0].length == 3


def test_an_early_refusal_reaches_a_client_that_waits(proxy: FaultProxy, origin: Origin) -> None:
    """Where the server answers in place of 100 Continue the body is never sent."""
    head = b"PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    with raw(proxy, head) as connected:
        assert b" 401 " in connected.makefile("rb").read()
    assert (origin.got, proxy.log[0].up) == ([], 0)


def test_a_large_upload_takes_no_memory(proxy: FaultProxy, origin: Origin) -> None:
    """Thirty-two mebibytes go through in pieces."""
    piece = b"x" * 65536
    connection = connect(proxy)
    tracemalloc.start()
    try:
        pieces = (piece for _ in range(512))
        connection.request("PUT", "/a", pieces, {"Content-Length": str(32 * MEBIBYTE)})
        assert connection.getresponse().read() == b"ok"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert origin.got[0].length == proxy.log[0].up == 32 * MEBIBYTE
    assert peak < 4 * MEBIBYTE


# --- matching ---------------------------------------------------------------------------------------------------


def test_a_rule_matches_method_and_path_and_counts(proxy: FaultProxy) -> None:
    """Others pass, the first `skip` pass, `count` are hit, the rest pass again."""
    rule = proxy.on("PUT", r"^/v2/.*/manifests/", actions.status(500), count=2, skip=1)
    assert ask(proxy, "GET", "/v2/x/manifests/t")[0] == 200
    assert ask(proxy, "PUT", "/v2/x/blobs/t", b"")[0] == 200
    assert [ask(proxy, "PUT", "/v2/x/manifests/t", b"")[0] for _ in range(4)] == [200, 500, 500, 200]
    assert rule.hits == 2


def test_the_first_claiming_rule_acts_alone_and_rules_can_be_cleared(proxy: FaultProxy) -> None:
    """A rule without actions is an exception to a later, wider one."""
    proxy.on("GET", "^/fine$")
    proxy.on("*", "", actions.status(503))
    assert [ask(proxy, "GET", path)[0] for path in ("/fine", "/other")] == [200, 503]
    proxy.clear()
    assert ask(proxy, "GET", "/other")[0] == 200


def test_a_rule_matches_aws_operations_by_target_and_action() -> None:
    """JSON 1.1 names its operation in a header, the query protocol in the form, and the form still arrives."""
    with BatchDouble(account="999999999999") as double, FaultProxy(double.url) as proxy:
        sts, logs = aws_client(proxy, "sts"), aws_client(proxy, "logs")
        proxy.on("POST", "^/$", actions.drop_before(), target=r"GetLogEvents$")
        assert sts.get_caller_identity()["Account"] == "999999999999"
        with pytest.raises(ConnectionClosedError):
            logs.get_log_events(logGroupName="/g", logStreamName="s")
        assert [seen.target for seen in proxy.log] == ["GetCallerIdentity", "Logs_20140328.GetLogEvents"]
        proxy.on("POST", "^/$", actions.drop_before(), target=r"^GetCaller")
        with pytest.raises(ConnectionClosedError):
            sts.get_caller_identity()


# --- faults -----------------------------------------------------------------------------------------------------


def test_drop_before_never_reaches_the_server(proxy: FaultProxy, origin: Origin) -> None:
    """The client sees a closed connection, and nothing was done."""
    proxy.on("PUT", "", actions.drop_before(), count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy, "PUT", "/a", b"x" * MEBIBYTE)
    assert (origin.got, proxy.log[0].status, proxy.log[0].server_status) == ([], None, None)
    assert ask(proxy, "PUT", "/a", b"x")[0] == 200


def test_drop_reply_reaches_the_server(proxy: FaultProxy, origin: Origin) -> None:
    """The client sees the same, but the work was done."""
    proxy.on("PUT", "", actions.drop_reply())
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy, "PUT", "/bytes/100000", b"abc")
    assert [got.length for got in origin.got] == [3]
    assert (proxy.log[0].status, proxy.log[0].server_status) == (None, 200)


@pytest.mark.parametrize(("when", "reached"), [("before", 0), ("after", 1)])
def test_reset_is_a_reset(proxy: FaultProxy, origin: Origin, when: actions.When, reached: int) -> None:
    """RST instead of FIN, before or after the work."""
    proxy.on("*", "", actions.reset(when))
    with pytest.raises(ConnectionResetError) as caught:
        ask(proxy, "PUT", "/a", b"abc")
    assert not isinstance(caught.value, http.client.RemoteDisconnected)
    assert len(origin.got) == reached


@pytest.mark.parametrize(("when", "reached"), [("before", 0), ("after", 1)])
def test_an_answer_in_the_servers_place(proxy: FaultProxy, origin: Origin, when: actions.When, reached: int) -> None:
    """Status, headers and body are the test's, the connection stays usable."""
    proxy.on("PUT", "", actions.status(429, b"slow down", (("Retry-After", "7"),), when=when))
    connection = connect(proxy)
    connection.request("PUT", "/bytes/99", b"abc")
    reply = connection.getresponse()
    assert (reply.status, reply.headers["Retry-After"], reply.read()) == (429, "7", b"slow down")
    assert len(origin.got) == reached
    first = connection.sock
    connection.request("GET", "/a")
    assert (connection.getresponse().read(), connection.sock) == (b"ok", first)


@pytest.mark.parametrize("path", ["/bytes/1000", "/chunked"])
def test_a_truncated_reply_promises_more_than_it_gives(proxy: FaultProxy, path: str) -> None:
    """The head is whole, the body ends early."""
    proxy.on("GET", "", actions.truncate_reply(7))
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(proxy, "GET", path)
    assert len(caught.value.partial) == 7
    assert (proxy.log[0].status, proxy.log[0].down) == (200, 7)


def test_a_cut_upload_leaves_the_server_with_less(proxy: FaultProxy, origin: Origin) -> None:
    """Neither side gets an answer, and the server does not take the part for the whole."""
    proxy.on("PUT", "", actions.cut_upload(1000))
    with pytest.raises(ConnectionError):
        ask(proxy, "PUT", "/a", b"x" * 5000)
    assert (origin.got, proxy.log[0].up, proxy.log[0].status) == ([], 1000, None)


def test_one_flipped_bit_changes_a_body_and_not_its_length(proxy: FaultProxy, origin: Origin) -> None:
    """Up and down, in whichever piece the byte travels."""
    proxy.on("PUT", "", actions.corrupt_upload(100_000), actions.corrupt_reply(150_000))
    body = bytearray(200_000)
    _, reply = ask(proxy, "PUT", "/bytes/200000", bytes(body))
    body[100_000] = 1
    assert origin.got[0].digest == hashlib.sha256(body).hexdigest()
    assert (len(reply), reply[150_000], sum(reply)) == (200_000, 1, 1)


def test_a_delayed_request_lands_after_its_client_has_gone(proxy: FaultProxy, origin: Origin) -> None:
    """The late landing: the client is gone when the server gets the request, whole."""
    proxy.on("PUT", "", actions.delay(0.3))
    connection = connect(proxy)
    connection.request("PUT", "/late", b"abc")
    connection.close()
    assert origin.got == []
    deadline = time.monotonic() + 10
    while not origin.got and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [(got.path, got.length) for got in origin.got] == [("/late", 3)]


def test_a_delayed_reply_comes_after_the_work(proxy: FaultProxy, origin: Origin) -> None:
    """An impatient client gives up on a request that has been carried out; without the rule it is answered."""
    rule = proxy.on("PUT", "", actions.delay(30, "after"), count=1)
    impatient = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=0.3)
    impatient.request("PUT", "/a", b"abc")
    with pytest.raises(TimeoutError):
        impatient.getresponse()
    assert (len(origin.got), rule.hits) == (1, 1)
    assert ask(proxy, "PUT", "/a", b"abc") == (200, b"ok")


def test_a_throttled_link_is_slow_both_ways_and_shared(proxy: FaultProxy) -> None:
    """Bytes take at least their time at the rate, two exchanges at once take the time of both."""
    proxy.on("*", "", actions.throttle(1_000_000, latency=0.05))
    started = time.monotonic()
    threads = [threading.Thread(target=ask, args=(proxy, "PUT", "/bytes/100000", b"x" * 100_000)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # 200,000 bytes each way at a million a second; up and down may overlap. Only the lower bound is certain.
    assert time.monotonic() - started >= 0.2 + 2 * 0.05
    assert [seen.down for seen in proxy.log] == [100_000, 100_000]


def test_actions_of_one_rule_work_together(proxy: FaultProxy, origin: Origin) -> None:
    """A slow link that also loses the reply."""
    proxy.on("PUT", "", actions.throttle(10_000_000), actions.delay(0.01), actions.drop_reply())
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy, "PUT", "/a", b"abc")
    assert len(origin.got) == 1


def test_the_proxy_stops_while_exchanges_wait(origin: Origin) -> None:
    """Leaving the proxy closes its connections instead of waiting for a server that does not answer."""
    with FaultProxy(origin.url) as proxy:
        connection = connect(proxy)
        connection.request("GET", "/gated")
    with pytest.raises(ConnectionError):
        connection.getresponse()


def test_a_server_that_is_down_closes_the_connection() -> None:
    """Nobody listening upstream looks like a closed connection, and is logged as no answer."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with FaultProxy(f"http://127.0.0.1:{port}") as proxy:
        with pytest.raises(ConnectionError):
            ask(proxy, "GET", "/")
        assert (proxy.log[0].status, proxy.log[0].server_status) == (None, None)
