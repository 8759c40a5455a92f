"""Pieces of bytes as one stream, for what wants to `read`."""

import io
from collections.abc import Iterable, Iterator

SIZE = 1 << 18


def joined(pieces: Iterable[bytes]) -> io.BufferedReader:
    """A reader over `pieces`, which are taken as they are needed; what their source raises is raised to the reader."""
    return io.BufferedReader(_Joined(iter(pieces)), SIZE)


class _Joined(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As much of the current piece as fits; 0 at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        head, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(head)] = head
        return len(head)
