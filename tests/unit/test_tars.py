"""Tars of others as streams: what would keep tarfile busy for ever, or fill the memory, ends in its error."""

import gzip
import io
import tarfile
from collections.abc import Callable, Iterator

import pytest

from git_rvexp import tars

FILES = {"a": b"one", "b/c": b"two" * 5000}


def packed(size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar of `FILES`; with `size` one more member is begun in it, of a size that does not come."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        end = tar.offset
    if not size:
        return out.getvalue()
    member = tarfile.TarInfo("long")
    member.size, member.type = size, kind
    return out.getvalue()[:end] + member.tobuf(tarfile.GNU_FORMAT)


class Counted(Iterator[bytes]):
    """Pieces, and how often one was asked for."""

    def __init__(self, data: bytes, piece: int = 700) -> None:
        self._pieces = (data[at : at + piece] for at in range(0, len(data), piece))
        self.asked = 0

    def __next__(self) -> bytes:
        self.asked += 1
        return next(self._pieces)


@pytest.mark.parametrize("wrapped", [False, True])
def test_members_come_one_by_one(*, wrapped: bool) -> None:
    """Each with its content, and none is remembered."""
    data = gzip.compress(packed()) if wrapped else packed()
    found = {}
    with tars.opened(tars.plain(iter([data[:10], b"", data[10:]]))) as tar:
        for member in tar:
            content = tar.extractfile(member)
            assert content
            found[member.name] = content.read()
            assert vars(tar)["members"] == []
    assert found == FILES


@pytest.mark.parametrize("size", [1 << 30, 1 << 62])
def test_size_beyond_the_end_ends_the_reading(size: int) -> None:
    """Passing over such a member asks for its bytes a few times, not for as long as its size says."""
    pieces = Counted(packed(size))
    with pytest.raises(tarfile.TarError, match="breaks off"), tars.opened(pieces) as tar:
        for _ in tar:
            pass
    assert pieces.asked < 200


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_endless_header_is_refused_before_it_is_read(kind: bytes) -> None:
    """A name or comment of gigabytes is not taken into memory."""
    pieces = Counted(packed(1 << 40, kind) + bytes(4 << 20))
    with pytest.raises(tarfile.TarError, match="endless header"), tars.opened(pieces) as tar:
        for _ in tar:
            pass
    assert pieces.asked * 700 < 2 << 20


def sparse(**words: str) -> bytes:
    """A tar whose second member has pax words of a sparse file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for pax in ({}, {f"GNU.sparse.{key}": value for key, value in words.items()}):
            member = tarfile.TarInfo("a")
            member.size, member.pax_headers = 3, pax
            tar.addfile(member, io.BytesIO(b"abc"))
    return out.getvalue()


def chained(count: int) -> bytes:
    """A tar with one member, before which stand so many long names."""
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 2
    one = name.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(tarfile.BLOCKSIZE, b"\0")
    return one * count + tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT) + bytes(2 * tarfile.BLOCKSIZE)


@pytest.mark.parametrize(
    "data",
    [sparse(map="a,b"), sparse(major="0", minor="0", size="x"), sparse(major="1", minor="0"), chained(3000)],
    ids=["map", "size", "content", "chain"],
)
def test_header_that_tarfile_fails_over_is_a_broken_tar(data: bytes) -> None:
    """Where it lets errors of other kinds out: callers know what to do about a broken archive."""
    with pytest.raises(tarfile.TarError, match="broken header"), tars.opened(iter([data])) as tar:
        for _ in tar:
            pass


@pytest.mark.parametrize("damage", [lambda data: data[:-12], lambda data: data[:60] + b"\xff" * 9 + data[69:]])
def test_broken_gzip_is_a_broken_tar(damage: Callable[[bytes], bytes]) -> None:
    """Whatever gzip and zlib say of it."""
    data = damage(gzip.compress(packed()))
    with pytest.raises(tarfile.TarError), tars.opened(tars.plain(iter([data]))) as tar:
        for _ in tar:
            pass
