"""A real fault: a socket before the engine's that passes everything on and cuts one call's answer off."""

import contextlib
import re
import socket
import threading
from pathlib import Path
from types import TracebackType

REQUEST = re.compile(rb"^(?:GET|POST|PUT|DELETE|HEAD) (\S+) HTTP/1.1\r\n")


class CutSocket:
    """Listens at `path` for the engine at `upstream` (unix://…); answers to calls that match `call` get lost.

    The engine has answered, so has done what it was asked, before the connection is cut: at once, or when `after` bytes
    have come through. At the end of the block
    all connections are cut, as if the engine had gone.
    """

    def __init__(self, upstream: str, path: Path, call: re.Pattern[str], *, after: int = 0) -> None:
        self._upstream = upstream.removeprefix("unix://")
        self._path = path
        self._call = call
        self._after = after
        self._server = socket.socket(socket.AF_UNIX)
        self._clients: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> str:
        self._server.bind(str(self._path))
        self._server.listen()
        self._thread.start()
        return f"unix://{self._path}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink()
        self._server.shutdown(socket.SHUT_RDWR)  # wakes who waits to accept
        self._thread.join(10)
        self._server.close()
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self._upstream)
            cut = threading.Event()
            threading.Thread(target=self._answers, args=(engine, client, cut), daemon=True).start()
            while data := client.recv(65536):
                head = REQUEST.match(data)
                if head and self._call.search(head[1].decode()):
                    cut.set()
                engine.sendall(data)

    def _answers(self, engine: socket.socket, client: socket.socket, cut: threading.Event) -> None:
        passed = 0
        try:
            while data := engine.recv(65536):
                passed += len(data) if cut.is_set() else 0
                if cut.is_set() and passed > self._after:
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)
        except OSError:
            return
