"""Contents by object name in one temporary file: memory stays flat however large the tree is."""

import tempfile
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
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
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

    def add(self, oid: str, chunks: Iterable[bytes]) -> None:
        """Keep one content."""
        place = self.begin()
        for chunk in chunks:
            self.write(chunk)
        self.end(oid, place)

    def chunks(self, oid: str) -> Iterator[bytes]:
        """The content named `oid`, piece by piece; KeyError when it was never added."""
        place, left = self._places[oid]
        while left:
            self._file.seek(place)
            chunk = self._file.read(min(left, _CHUNK))
            place, left = place + len(chunk), left - len(chunk)
            yield chunk
