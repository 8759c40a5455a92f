"""Contents by object name in one temporary file: memory stays flat however large the tree is. Threads may share it."""

import tempfile
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

_CHUNK = 1 << 18
_IN_MEMORY = 8 << 20


class Spool:
    """Append-only; the same content is kept once. Close it, or use it as a context."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  closed by __exit__
        self._places: dict[str, tuple[int, int]] = {}
        self._trees: set[str] = set()
        self._end = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is kept any longer."""
        self._file.close()

    def begin(self) -> int:
        """Where the next content starts."""
        self._file.seek(self._end)
        return self._end

    def write(self, chunk: bytes) -> None:
        """More of the content begun."""
        self._file.write(chunk)

    def end(self, oid: str, place: int) -> None:
        """The content begun at `place` is whole, and this is its name."""
        if oid not in self._places:
            self._end = self._file.tell()
            self._places[oid] = (place, self._end - place)

    def add(self, oid: str, chunks: Iterable[bytes], *, tree: bool = False) -> None:
        """Keep one content; a file's, unless it is said to be a tree."""
        place = self.begin()
        for chunk in chunks:
            self.write(chunk)
        self.end(oid, place)
        if tree:
            self._trees.add(oid)

    def kind(self, oid: str) -> str:
        """What git calls the content named `oid`, blob or tree; "" when it was never added."""
        return "" if oid not in self._places else "tree" if oid in self._trees else "blob"

    def size(self, oid: str) -> int:
        """How many bytes it has; KeyError as below."""
        return self._places[oid][1]

    def chunks(self, oid: str) -> Iterator[bytes]:
        """The content named `oid`, piece by piece; KeyError when it was never added."""
        place, left = self._places[oid]
        while left:
            with self._lock:
                self._file.seek(place)
                chunk = self._file.read(min(left, _CHUNK))
            place, left = place + len(chunk), left - len(chunk)
            yield chunk
