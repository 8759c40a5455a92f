"""The zip of a tree: made the same each time, and held against the tree when it comes back."""

import hashlib
import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.images import zipped
from git_rvexp.images.spool import Spool
from git_rvexp.images.unpacking import Different
from git_rvexp.tree import EXECUTABLE, FILE, GITLINK, SYMLINK, Entry, blob_id

CONTENTS = {b"code/run.sh": b"echo hi\n", b"code/link": b"run.sh", b"\xc3\xa9.txt": b"\xff\x00", b"empty": b""}
MODES = {b"code/run.sh": EXECUTABLE, b"code/link": SYMLINK}


def entries() -> list[Entry]:
    """A tree with each kind of file."""
    files = [
        Entry(path, MODES.get(path, FILE), blob_id([data], len(data)), len(data)) for path, data in CONTENTS.items()
    ]
    return sorted([*files, Entry(b"sub", GITLINK, "1" * 40)])


def made() -> bytes:
    """Its zip."""
    out = io.BytesIO()
    zipped.write(entries(), lambda e: CONTENTS[e.path], time=1_700_000_000, out=out)
    return out.getvalue()


def test_what_goes_in_comes_out() -> None:
    """Contents, links and modes; the same bytes each time it is made."""
    assert made() == made()
    with Spool() as spool:
        zipped.read(io.BytesIO(made()), entries(), spool)
        for entry in entries():
            if entry.mode != GITLINK:
                assert b"".join(spool.chunks(entry.oid)) == CONTENTS[entry.path]


def test_other_programs_read_it(tmp_path: Path) -> None:
    """Python's reader sees names, modes and links as they are."""
    (tmp_path / "a.zip").write_bytes(made())
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        modes = {i.filename: i.external_attr >> 16 for i in packed.infolist()}
    assert stat.S_ISLNK(modes["code/link"])
    assert modes["code/run.sh"] & 0o111
    assert sorted(modes) == ["code/link", "code/run.sh", "empty", "é.txt"]


def rewritten(change: Callable[[zipfile.ZipFile, zipfile.ZipInfo, bytes], None]) -> bytes:
    """The zip with each member put through `change`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made())) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            change(new, info, old.read(info))
    return out.getvalue()


def changed(new: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes) -> None:
    """Another content of the same size."""
    new.writestr(info, data.replace(b"hi", b"ho"))


def lacking(new: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes) -> None:
    """One file less."""
    if info.filename != "empty":
        new.writestr(info, data)


def added(new: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes) -> None:
    """One file more."""
    new.writestr(info, data)
    if info.filename == "empty":
        new.writestr("more", b"")


def plain(new: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes) -> None:
    """The executable bit lost."""
    if info.filename == "code/run.sh":
        info.external_attr = FILE << 16
    new.writestr(info, data)


def file_for_link(new: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes) -> None:
    """A file where a link belongs."""
    if info.filename == "code/link":
        info.external_attr = FILE << 16
    new.writestr(info, data)


def outside(new: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes) -> None:
    """A path that leads out."""
    if info.filename == "empty":
        info.filename = "../empty"
    new.writestr(info, data)


def bomb(new: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes) -> None:
    """A file that unpacks to very much."""
    packed = info.filename == "empty"
    new.writestr(info, bytes(1 << 26) if packed else data)


@pytest.mark.parametrize("change", [changed, lacking, added, plain, file_for_link, outside, bomb])
def test_another_zip_is_refused(change: Callable[[zipfile.ZipFile, zipfile.ZipInfo, bytes], None]) -> None:
    """Whatever differs, the tree's own objects are read instead."""
    with Spool() as spool, pytest.raises(Different):
        zipped.read(io.BytesIO(rewritten(change)), entries(), spool)


@pytest.mark.parametrize("place", [0.05, 0.4, 0.9, 0.99])
def test_a_damaged_zip_is_refused_or_the_same(place: float) -> None:
    """One flipped bit: refused, unless it changes nothing that is looked at (a time)."""
    data = bytearray(made())
    data[int(len(data) * place)] ^= 1
    with Spool() as spool:
        try:
            zipped.read(io.BytesIO(bytes(data)), entries(), spool)
        except Different:
            return
        held = {e.path: hashlib.sha256(b"".join(spool.chunks(e.oid))) for e in entries() if e.mode != GITLINK}
    assert {p: d.digest() for p, d in held.items()} == {p: hashlib.sha256(c).digest() for p, c in CONTENTS.items()}


def test_a_name_that_is_no_text_is_refused() -> None:
    """A zip's names are text; the bundle holds what the zip cannot."""
    entry = Entry(b"\xff.txt", FILE, blob_id([b""], 0))
    with pytest.raises(zipped.UnzippableError):
        zipped.write([entry], lambda _: b"", time=0, out=io.BytesIO())


def test_a_time_that_no_zip_knows_is_refused() -> None:
    """Its years end with 2107; what is a second older is taken."""
    end = 4_354_819_200
    zipped.write([], lambda e: CONTENTS[e.path], time=end - 1, out=io.BytesIO())
    with pytest.raises(zipped.UnzippableError, match="in the year 2108"):
        zipped.write([], lambda e: CONTENTS[e.path], time=end, out=io.BytesIO())
