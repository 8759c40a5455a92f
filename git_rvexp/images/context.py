"""The build context: one deterministic tar of the tag's files, made the same way whichever door they came through.

Sorted, every folder explicit, owner 0:0 without names, modes 0644, 0755 and links, and one time for all: the
commit's. A constant time would let Python run stale bytecode of the base image. Filters, line ends and export
attributes play no part: the contents are blobs.
"""

import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from git_rvexp.images.ustar import EARLIEST
from git_rvexp.pieces import joined
from git_rvexp.tree import EXECUTABLE, GITLINK, SYMLINK, Entry

Read = Callable[[Entry], Iterable[bytes]]


def write(entries: Sequence[Entry], contents: Read, *, time: int, out: IO[bytes]) -> None:
    """Write the tar of `entries` (submodules left out) to `out`; `time` is in seconds since 1970."""
    # ustar where it suffices, pax headers where a path or a size does not fit
    with tarfile.open(
        fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        for path, entry in sorted(_members(entries), key=lambda m: m[0]):
            info = tarfile.TarInfo(path.decode("utf-8", "surrogateescape"))
            info.mtime, info.mode = max(time, EARLIEST), 0o755
            if entry is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            elif entry.mode == SYMLINK:
                info.type, info.mode = tarfile.SYMTYPE, 0o777
                info.linkname = b"".join(contents(entry)).decode("utf-8", "surrogateescape")
                tar.addfile(info)
            else:
                info.mode = 0o755 if entry.mode == EXECUTABLE else 0o644
                info.size = entry.size
                tar.addfile(info, joined(contents(entry)))


def submodules(entries: Iterable[Entry]) -> list[str]:
    """The folders that are other repositories: an image does not hold them."""
    return [e.shown for e in entries if e.mode == GITLINK]


def _members(entries: Sequence[Entry]) -> Iterator[tuple[bytes, Entry | None]]:
    folders: set[bytes] = set()
    for entry in entries:
        if entry.mode == GITLINK:
            continue
        yield entry.path, entry
        parent = entry.path.rpartition(b"/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            yield parent, None
            parent = parent.rpartition(b"/")[0]
