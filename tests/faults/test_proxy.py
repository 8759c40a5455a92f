"""What the fault proxy passes unchanged, and which requests its rules pick out."""

from __future__ import annotations

import hashlib
import socket
import tracemalloc

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.doubles.batch import BatchDouble
from tests.doubles.driving import client as aws_client
from tests.faults import actions
from tests.faults.origin import Got, Origin, ask, connect, raw
from tests.faults.proxy import FaultProxy

pytest_plugins = ["tests.faults.fixtures"]

MEBIBYTE = 1024 * 1024


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


def test_tls_is_ended_at_once(proxy: FaultProxy) -> None:
    """As by the plain server behind it: Docker's engine tries it first, and would wait ten seconds for an answer."""
    connection = connect(proxy)
    with socket.create_connection((connection.host, connection.port), timeout=5) as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert client.recv(1) == b""


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
