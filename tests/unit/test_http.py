"""The door to HTTP: where credentials go, what ends an exchange, what is shown."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from git_rvexp import http
from git_rvexp.addresses import redacted
from git_rvexp.errors import CredentialsError
from git_rvexp.http import HttpError, Limits, exchange
from tests.listening import listening
from tests.unit.serving import Asked, Reply, Serving

SECRET = http.basic("ada", "secret")


def get(url: str, *, authorization: str = "", limits: Limits | None = None) -> tuple[int, bytes]:
    """Status and body of a GET."""
    with exchange("GET", url, authorization=authorization, limits=limits) as answer:
        return answer.status, answer.read()


def moved(to: str, status: int = 302) -> Reply:
    """A redirect."""
    return Reply(status, headers={"Location": to})


def dripping(head: bytes) -> Callable[[socket.socket], None]:
    """A server that says `head` and then a byte now and then, for ever."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            time.sleep(0.02)
            connection.sendall(b"x")

    return drip


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "]
)
def test_a_slow_drip_ends_with_the_time_there_is(head: bytes) -> None:
    """Every byte comes in time; the whole, in the body or in a header, never does."""
    with listening(dripping(head)) as port, pytest.raises(HttpError, match="it took too long"):
        get(f"http://127.0.0.1:{port}/", limits=Limits(seconds=0.3, stall=5))


def test_an_answer_before_all_was_sent_is_an_answer_to_a_command_too() -> None:
    """A server that refuses a size says so and reads no further: that is told, and not the end of the process."""

    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.3)

    program = """
import sys
from git_rvexp import cli, http
cli.main(["--version"])
with http.exchange("PUT", sys.argv[1], body=bytes(50_000_000)) as answer:
    print(answer.status)
"""
    with listening(refuse) as port:
        words = [sys.executable, "-c", program, f"http://127.0.0.1:{port}/"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[-1:], done.stderr) == (0, ["413"], "")


def test_header_that_comes_twice_is_kept_whole() -> None:
    """A registry may offer its logins in a header for each; a length that is no number in ASCII is none."""
    head = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer a=b\r\nWWW-Authenticate: Negotiate\r\nContent-Length: \xb2"

    def answer(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(head + b"\r\nConnection: close\r\n\r\nno")
        connection.shutdown(socket.SHUT_WR)

    with listening(answer) as port, exchange("GET", f"http://127.0.0.1:{port}/") as found:
        assert (found.headers["www-authenticate"], found.read()) == ("Bearer a=b, Negotiate", b"no")


def test_any_status_is_an_answer() -> None:
    """404 and 500 come back with their body, as 200 does."""
    with Serving(lambda a: Reply(int(a.path[1:]), b"told")) as server:
        assert [get(f"{server.url}/{s}") for s in (200, 404, 500)] == [(200, b"told"), (404, b"told"), (500, b"told")]


def test_credentials_stay_with_their_place() -> None:
    """A redirect within the same host keeps them; one to another port of it loses them, for good."""
    with Serving(lambda _: Reply(body=b"far")) as far:
        with Serving(lambda a: moved("/b" if a.path == "/a" else f"{far.url}/c")) as near:
            assert get(f"{near.url}/a", authorization=SECRET) == (200, b"far")
        assert [a.headers.get("authorization") for a in near.asked] == [SECRET, SECRET]
    assert [a.headers.get("authorization") for a in far.asked] == [None]


def test_credentials_do_not_come_back_after_a_detour() -> None:
    """A redirect away and back does not get them a second time."""
    with (
        Serving(lambda _: moved(f"{near.url}/home")) as far,
        Serving(lambda a: Reply(body=b"home") if a.path == "/home" else moved(f"{far.url}/x")) as near,
    ):
        get(f"{near.url}/a", authorization=SECRET)
        assert [a.headers.get("authorization") for a in near.asked] == [SECRET, None]


def test_credentials_are_not_sent_unprotected() -> None:
    """Plain http to another machine is refused before anything is sent, and the secret is not shown."""
    with pytest.raises(CredentialsError, match="not sent unprotected") as caught:
        get("http://ada:secret@registry.example/v2/", authorization=SECRET)
    assert "secret" not in str(caught.value)


def test_post_is_not_repeated_elsewhere() -> None:
    """A redirect of a POST is returned, not followed."""
    with (
        Serving(lambda _: moved("/b", 307)) as server,
        exchange("POST", f"{server.url}/a", body=b"data") as answer,
    ):
        assert answer.status == 307
        assert [(a.path, a.body) for a in server.asked] == [("/a", b"data")]


def test_endless_redirects_end() -> None:
    """A loop is an error after a few rounds."""
    with Serving(lambda _: moved("/a")) as server, pytest.raises(HttpError, match="redirects without end"):
        get(f"{server.url}/a")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[bad/"])
def test_redirect_out_of_http_is_refused(target: str) -> None:
    """Only http and https are followed."""
    with Serving(lambda _: moved(target)) as server, pytest.raises(HttpError, match="not an http or https address"):
        get(server.url)


def test_large_answer_is_cut_off() -> None:
    """More than the bound is an error, not memory."""
    with Serving(lambda _: Reply(body=b"x" * 100)) as server:
        assert get(server.url, limits=Limits(size=100)) == (200, b"x" * 100)
        with pytest.raises(HttpError, match="sent more than 99 bytes"):
            get(server.url, limits=Limits(size=99))


def test_answer_that_breaks_off_is_an_error() -> None:
    """Fewer bytes than the length told are never taken for the whole."""
    with Serving(lambda _: Reply(body=b"half", length=8)) as server, pytest.raises(HttpError, match="broke off"):
        get(server.url)


def test_silent_server_is_given_up() -> None:
    """A server that accepts and says nothing is left after `stall` seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(HttpError, match="cannot be reached: timed out"):
            get(url, limits=Limits(stall=0.05))


def test_head_has_headers_and_no_body() -> None:
    """The length that a HEAD tells is not missed."""
    with Serving(lambda _: Reply(body=b"1234")) as server, exchange("HEAD", server.url) as answer:
        assert (answer.headers["content-length"], answer.read()) == ("4", b"")


def test_unreachable_is_said_with_the_systems_reason() -> None:
    """Nobody listening: the address without its secrets, and why."""
    with pytest.raises(HttpError, match=r"^http://127\.0\.0\.1:1/x cannot be reached: connection refused$"):
        get("http://ada:secret@127.0.0.1:1/x?token=secret")


def test_proxy_is_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is passed by on loopback."""
    with Serving(lambda _: Reply(body=b"direct")) as server:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert get(server.url) == (200, b"direct")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:secret@example.org/a/b", "https://example.org/a/b"),
        ("https://example.org/a?private_token=secret#secret", "https://example.org/a"),
        ("https://a@b@example.org", "https://example.org"),
        ("/srv/exp.git", "/srv/exp.git"),
    ],
)
def test_redacted(url: str, shown: str) -> None:
    """User, password, query and fragment are not shown."""
    assert redacted(url) == shown


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost.example.org", False),
        *((h, False) for h in ("127.0.0.1.org", "127.999.0.1", "::2", "é")),
    ],
)
def test_loopback(host: str, *, here: bool) -> None:
    """Names and addresses of this machine, and nothing that only looks like one."""
    assert http.loopback(host) is here


def test_asked_is_honest() -> None:
    """The double reports what arrived."""
    with Serving(lambda _: Reply()) as server:
        get(f"{server.url}/x")
        assert server.asked[0] == Asked("GET", "/x", server.asked[0].headers)
        assert server.asked[0].headers["user-agent"].startswith("git-rvexp/")
