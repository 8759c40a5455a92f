"""Each action of the fault proxy: what the client sees, and what the server got."""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
import time

import pytest

from tests.doubles.driving import wait_until
from tests.faults import actions
from tests.faults.origin import Origin, ask, connect, raw
from tests.faults.proxy import FaultProxy

pytest_plugins = ["tests.faults.fixtures"]

MEBIBYTE = 1024 * 1024


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


@pytest.mark.parametrize(("path", "keep"), [("/bytes/1000", 7), ("/chunked", 7), ("/chunked", 5)])
def test_a_truncated_reply_promises_more_than_it_gives(proxy: FaultProxy, path: str, keep: int) -> None:
    """The head is whole, the body ends early, between two chunks too."""
    proxy.on("GET", "", actions.truncate_reply(keep))
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(proxy, "GET", path)
    assert len(caught.value.partial) == keep
    assert (proxy.log[0].status, proxy.log[0].down) == (200, keep)


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


def test_the_first_byte_of_a_later_piece_can_be_flipped(proxy: FaultProxy) -> None:
    """Offsets count over the whole body, chunk framing left aside."""
    proxy.on("GET", "", actions.corrupt_reply(5), actions.corrupt_reply(0))
    assert ask(proxy, "GET", "/chunked") == (200, b"iello!world")


def test_an_answer_in_place_of_continue_ends_the_connection(proxy: FaultProxy, origin: Origin) -> None:
    """A client that waits for 100 Continue is told no and does not send; nothing it sends later is misread."""
    proxy.on("PUT", "", actions.status(413))
    head = b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    with raw(proxy, head) as connected:
        assert connected.makefile("rb").read().startswith(b"HTTP/1.1 413 ")
    assert origin.got == []


def test_a_held_request_lands_after_its_client_has_gone(proxy: FaultProxy, origin: Origin) -> None:
    """The late landing: nothing is there when the client has gone, and all of it when the gate opens."""
    gate = threading.Event()
    proxy.on("PUT", "", actions.hold(gate))
    connection = connect(proxy)
    connection.request("PUT", "/late", b"abc")
    connection.close()
    assert wait_until(lambda: len(proxy.log) == 1)
    assert origin.got == []
    gate.set()
    assert wait_until(lambda: len(origin.got) == 1)
    assert (origin.got[0].path, origin.got[0].length) == ("/late", 3)


def test_a_delayed_request_arrives_all_the_same(proxy: FaultProxy, origin: Origin) -> None:
    """Late, and not before its time."""
    proxy.on("PUT", "", actions.delay(0.1))
    started = time.monotonic()
    assert ask(proxy, "PUT", "/a", b"abc") == (200, b"ok")
    assert time.monotonic() - started >= 0.1
    assert len(origin.got) == 1


def test_a_delayed_reply_comes_after_the_work(proxy: FaultProxy, origin: Origin) -> None:
    """The server has answered, the client has not been told; without the rule it is."""
    proxy.on("PUT", "", actions.delay(30, "after"), count=1)
    waiting = connect(proxy)
    waiting.request("PUT", "/a", b"abc")
    assert wait_until(lambda: proxy.log[0:1] != [] and proxy.log[0].server_status == 200)
    assert (len(origin.got), proxy.log[0].status) == (1, None)
    waiting.close()
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


def test_latency_is_paid_each_way(proxy: FaultProxy) -> None:
    """A small exchange on a fast link takes at least twice the latency of one way."""
    proxy.on("*", "", actions.throttle(1_000_000_000, latency=0.1))
    started = time.monotonic()
    assert ask(proxy, "GET", "/a") == (200, b"ok")
    assert time.monotonic() - started >= 2 * 0.1


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
