"""git's file of packed refs, searched where it is sorted: the format of git-pack-refs, and nothing of what refs mean.

A first line names the file's traits; then `<id> <ref>` lines, sorted by ref where the traits say so, each followed by
`^<id>` where it is an annotated tag. Whoever writes the file replaces it whole, so one that is open never changes.
"""

from mmap import ACCESS_READ, mmap
from pathlib import Path


class PackedRefs:
    """The refs in one file, by offsets into it. ValueError when it is not sorted, or not of this format."""

    def __init__(self, path: Path) -> None:
        """Open the file; one that is not there or empty holds no refs."""
        self._data: bytes | mmap = b""
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file:
                self._data = mmap(file.fileno(), 0, access=ACCESS_READ)
        self._begin = self._data.find(b"\n") + 1
        self.end = len(self._data)
        traits = self._data[: self._begin].split()
        if self.end and not (traits[:1] == [b"#"] and b"sorted" in traits and self._data[-1:] == b"\n"):
            raise ValueError("not a sorted file of packed refs")

    def first(self, key: bytes) -> int:
        """Where the first ref stands that is not below `key`; `end` when all are."""
        low, high = self._begin, self.end
        while low < high:
            at = self._line((low + high) // 2)
            if self.ref(at) < key:
                low = self._after(at)
            else:
                high = at
        return low

    def ref(self, at: int) -> bytes:
        """The ref whose line begins at `at`."""
        name = self._data.find(b" ", at) + 1
        return self._data[name : self._data.find(b"\n", name)]

    def before(self, at: int) -> bytes:
        """The ref before the one at `at`; b"" when that is the first."""
        return self.ref(self._line(at - 1)) if at > self._begin else b""

    def count(self, begin: int, end: int) -> int:
        """How many refs stand between two offsets."""
        return self._data[begin:end].count(b" ")

    def _line(self, at: int) -> int:
        """The beginning of the ref's line that `at` is in, or whose `^` line it is in."""
        begin = self._data.rfind(b"\n", 0, at) + 1
        return self._line(begin - 1) if self._data[begin : begin + 1] == b"^" else begin

    def _after(self, at: int) -> int:
        """The beginning of the next ref's line."""
        end = self._data.find(b"\n", at) + 1
        return self._data.find(b"\n", end) + 1 if self._data[end : end + 1] == b"^" else end
