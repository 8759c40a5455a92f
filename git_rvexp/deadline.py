"""A reader of a socket that ends when its time is up, however slowly the bytes drip.

A timeout of a socket begins anew with every byte; a server that sends one now and then would hold us for ever.
"""

import io
import socket
import time


class Reader(io.RawIOBase):
    """What arrives at `sock` until the moment `until` (of the monotonic clock); `stall` seconds for each piece.

    TimeoutError when either has passed.
    """

    def __init__(self, sock: socket.socket, until: float, stall: float) -> None:
        self._sock, self._until, self._stall = sock, until, stall
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        """As much as is there; waits no longer than what is left."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        self._sock.settimeout(min(self._stall, left))
        try:
            return self._raw.readinto(buffer)
        except TimeoutError as why:
            raise TimeoutError("it took too long" if left < self._stall else str(why)) from why

    def close(self) -> None:
        """Let go of the socket too."""
        self._raw.close()
        super().close()
