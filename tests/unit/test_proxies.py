"""Proxies that the environment names, as curl and git take them: what they are asked, and what never reaches them."""

import base64
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from git_rvexp.http import HttpError, exchange
from tests.listening import listening
from tests.unit.serving import Reply, Serving


@dataclass
class Gate:
    """A proxy that writes down how each request begins, and lets nothing through."""

    port: int = 0
    heads: list[str] = field(default_factory=list)

    def answer(self, connection: socket.socket) -> None:
        """No."""
        with connection.makefile("rb") as lines:
            head = b""
            while (line := lines.readline()).strip():
                head += line
            self.heads.append(head.decode())
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A proxy on this machine that no variable names yet."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    made = Gate()
    with listening(made.answer) as made.port:
        yield made


def ask(url: str, authorization: str = "") -> int:
    """The status of one GET."""
    with exchange("GET", url, authorization=authorization) as answer:
        return answer.status


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY"])
def test_https_goes_through_a_tunnel(gate: Gate, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The proxy is asked for a tunnel, with its own login; the registry's login and path it never sees."""
    monkeypatch.setenv(name, f"http://ada:p%40ss@127.0.0.1:{gate.port}")
    with pytest.raises(HttpError, match=r"registry\.example/v2/ cannot be reached: tunnel connection failed: 403"):
        ask("https://registry.example/v2/", "Bearer secret")
    (head,) = gate.heads
    assert head.startswith("CONNECT registry.example:443 ")
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'ada:p@ss').decode()}" in head
    assert "secret" not in head


def test_http_is_asked_of_the_proxy(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the whole address, and its answer is the answer."""
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{gate.port}")
    assert ask("http://archive.example/a?b=c") == 403
    assert gate.heads[0].startswith("GET http://archive.example/a?b=c HTTP/1.1")


@pytest.mark.parametrize("spared", ["registry.invalid", ".invalid", "other.example,registry.invalid", "*"])
def test_no_proxy_spares_what_it_names(gate: Gate, monkeypatch: pytest.MonkeyPatch, spared: str) -> None:
    """The place is asked directly: here there is none of that name."""
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{gate.port}")
    monkeypatch.setenv("no_proxy", spared)
    with pytest.raises(HttpError, match="cannot be reached"):
        ask("https://registry.invalid/v2/")
    assert gate.heads == []


def test_this_machine_is_asked_directly(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the variables say."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{gate.port}")
    with Serving(lambda _: Reply(204)) as server:
        assert ask(server.url) == 204
    assert gate.heads == []
