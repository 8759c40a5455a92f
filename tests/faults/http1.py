"""HTTP/1.1 framing, just enough to stand between a client and a server without changing what they say.

Heads are kept as the bytes they came in; bodies are streamed in pieces of at most 64 KiB, so memory stays constant
whatever is uploaded. No upgrade to other protocols, no HTTP/2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 64 * 1024
_TLS = b"\x16"  # how its first record begins
Framing = Literal["none", "length", "chunked", "close"]


class Stream(Protocol):
    """What is read from: a socket's buffered reader, or bytes that were read before."""

    def readline(self, size: int, /) -> bytes:
        """A line with its end, or what there is before the end of the stream."""

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes, b"" at the end of the stream."""


class EarlyEndError(ConnectionError):
    """The peer went away in the middle of a message."""


@dataclass(frozen=True)
class Head:
    """Start line and headers of a request or reply; `raw` ends with the empty line."""

    raw: bytes
    start: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """A header's value, several of one name joined by commas, "" when absent."""
        return ",".join(value for key, value in self.headers if key == name)

    @property
    def method(self) -> str:
        """Of a request: its method."""
        return self.start.split(" ", 1)[0]

    @property
    def path(self) -> str:
        """Of a request: path and query as they were sent."""
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        """Of a reply: its status code."""
        return int(self.start.split(" ")[1])

    @property
    def persistent(self) -> bool:
        """True unless the message says that its connection ends with it."""
        return "HTTP/1.1" in self.start and "close" not in self.get("connection").lower()


def read_head(stream: Stream) -> Head | None:
    """The next head, or None when the peer closed before one began; EarlyEndError for TLS, which is not spoken here."""
    line, lines = stream.readline(1), list[bytes]()
    if not line:
        return None
    if line == _TLS:
        raise EarlyEndError("a client that tries TLS first would wait for an answer, Docker's engine ten seconds")
    line += stream.readline(PIECE) if line != b"\n" else b""
    while line not in (b"\r\n", b"\n"):
        if not line.endswith(b"\n"):
            raise EarlyEndError("a head was cut off")
        lines.append(line)
        line = stream.readline(PIECE)
    text = [each.decode("latin-1").rstrip("\r\n") for each in lines]
    pairs = (each.partition(":") for each in text[1:])
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return Head(b"".join([*lines, line]), text[0], headers)


def request_framing(head: Head) -> Framing:
    """How a request's body is delimited."""
    framing = _framing(head)
    return "none" if framing == "close" else framing


def reply_framing(method: str, head: Head) -> Framing:
    """How a reply's body is delimited; a reply to HEAD has none, whatever its Content-Length says."""
    if method == "HEAD" or head.status in (204, 304) or head.status < 200:
        return "none"
    return _framing(head)


def _framing(head: Head) -> Framing:
    if "chunked" in head.get("transfer-encoding").lower():
        return "chunked"
    return "length" if head.get("content-length") else "close"


class Body:
    """The body that follows a head, as an iterator of its pieces; chunk framing comes off and can be put on again."""

    def __init__(self, stream: Stream, head: Head, framing: Framing) -> None:
        self.framing = framing
        self._stream = stream
        self._left = int(head.get("content-length")) if framing == "length" else 0
        self._trailers = b""

    def __iter__(self) -> Iterator[bytes]:
        match self.framing:
            case "length":
                yield from self._exactly(self._left)
            case "chunked":
                yield from self._chunks()
            case "close":
                while piece := self._stream.read1(PIECE):
                    yield piece

    def frame(self, piece: bytes) -> bytes:
        """A piece as it travels."""
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self.framing == "chunked" else piece

    def end(self) -> bytes:
        """What travels after the last piece."""
        return b"0\r\n%b\r\n" % self._trailers if self.framing == "chunked" else b""

    def _exactly(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self._stream.read1(min(PIECE, count))
            if not piece:
                raise EarlyEndError("a body was cut off")
            count -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().split(b";")[0], 16):
            yield from self._exactly(size)
            self._line()
        while (line := self._line()) != b"\r\n":
            self._trailers += line

    def _line(self) -> bytes:
        line = self._stream.readline(PIECE)
        if not line.endswith(b"\n"):
            raise EarlyEndError("a chunked body was cut off")
        return line
