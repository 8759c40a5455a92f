"""A tree's files as one zip, and such a zip held against the tree, file by file, as `archive` does with tars.

Made deterministic: sorted, one time for all (the commit's), git's modes, links as links. Submodules are left out. Zips
take only names that are text.
"""

import datetime as dt
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from git_rvexp.errors import RvexpError
from git_rvexp.images import archive
from git_rvexp.images.spool import Spool
from git_rvexp.images.unpacking import Different, safe_path
from git_rvexp.images.ustar import EARLIEST
from git_rvexp.pieces import SIZE
from git_rvexp.tree import EXECUTABLE, FILE, GITLINK, SYMLINK, Entry, blob_id

_UNIX = 3
_LARGE = 1 << 31
_LAST_YEAR = 2107
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class UnzippableError(RvexpError):
    """A tree that no zip can hold."""


def write(entries: Sequence[Entry], contents: Callable[[Entry], bytes], *, time: int, out: IO[bytes]) -> None:
    """Write the zip of `entries` to `out`; `time` is in seconds since 1970.

    UnzippableError for a name that is no text, and for a time after the last year that a zip knows.
    """
    when = dt.datetime.fromtimestamp(max(time, EARLIEST), dt.UTC).timetuple()[:6]
    if when[0] > _LAST_YEAR:
        raise UnzippableError(f"its commit is dated in the year {when[0]}, and a zip's years end with {_LAST_YEAR}")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in sorted(e for e in entries if e.mode != GITLINK):
            info = zipfile.ZipInfo(_name(entry), when)
            info.create_system, info.compress_type = _UNIX, zipfile.ZIP_DEFLATED
            info.external_attr = (FILE if entry.mode not in (EXECUTABLE, SYMLINK) else entry.mode) << 16
            with made.open(info, "w", force_zip64=entry.size > _LARGE) as member:
                member.write(contents(entry))


def read(file: IO[bytes], entries: Sequence[Entry], spool: Spool) -> None:
    """Fill `spool` with every file of `entries` from a zip. Different when the zip is not exactly the tree."""
    wanted = [e for e in entries if e.mode != GITLINK]
    try:
        with zipfile.ZipFile(file) as packed:
            members = [m for m in packed.infolist() if not m.is_dir()]
            # What a member says is all that is unpacked of it, so a bomb is seen before it goes off.
            if sum(m.file_size for m in members) > sum(e.size for e in wanted):
                raise Different("it unpacks to more than the tag can hold")
            archive.compare(dict(_members(packed, members, spool, wanted)), wanted)
    except _BROKEN as why:
        raise Different(f"it cannot be unpacked: {why}") from why


def _members(
    packed: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo], spool: Spool, wanted: Sequence[Entry]
) -> Iterator[tuple[bytes, tuple[int, str]]]:
    width, seen = len(wanted[0].oid) if wanted else 40, set()
    for member in members:
        path = safe_path(member.filename)
        if path in seen:
            raise Different(f"it holds {member.filename} twice")
        seen.add(path)
        mode = member.external_attr >> 16
        place = spool.begin()
        with packed.open(member) as content:
            oid = blob_id(_kept(content, spool), member.file_size, width=width)
        spool.end(oid, place)
        kind = SYMLINK if mode & 0o170000 == SYMLINK else EXECUTABLE if mode & 0o100 else FILE
        yield path, (kind, oid)


def _kept(content: IO[bytes], spool: Spool) -> Iterator[bytes]:
    while chunk := content.read(SIZE):
        spool.write(chunk)
        yield chunk


def _name(entry: Entry) -> str:
    try:
        return entry.path.decode("utf-8")
    except UnicodeDecodeError as why:
        raise UnzippableError(f"a zip cannot hold the name {entry.path!r}, which is no text") from why
