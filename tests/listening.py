"""A port on loopback that answers as a test says, down to the bytes and when the connection is closed."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def listening(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port; each connection, one after the other, is given to `answer`, which may find that the client has left.

    In the end nobody accepts any more: a thread that was left waiting on a closed socket's number would take what is
    meant for the next socket that gets it.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    answer(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes who waits to accept
            thread.join(10)
