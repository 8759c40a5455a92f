"""Tar headers, byte for byte as docs/layer-format.md says: POSIX ustar, and a pax header only where that is too small.

Written here because the tar libraries differ, between languages and between their own versions, in the bytes that
they write for one and the same file.
"""

from typing import NamedTuple

BLOCK = 512
END = bytes(2 * BLOCK)
EARLIEST = 315532802
"""1980-01-01T00:00:02Z: zip-based tools in images refuse files that are older."""
_NAME, _PREFIX, _LINK = 100, 155, 100
_LARGEST = 8**11  # bytes; eleven octal digits
_PAX_NAME = b"././@PaxHeader"


class Member(NamedTuple):
    """One member. `kind` is tar's typeflag: 0 a file, 2 a link, 5 a folder; `path` has no slash at either end."""

    path: bytes
    kind: bytes
    mode: int
    size: int = 0
    link: bytes = b""


def header(member: Member, *, time: int, owner: tuple[int, int]) -> bytes:
    """Everything that stands before the member's content; a multiple of 512 bytes. `time` in seconds since 1970."""
    path = member.path + b"/" if member.kind == b"5" else member.path
    split = _split(path)
    records = b"".join(
        _record(key, value)
        for key, value, needed in (
            (b"linkpath", member.link, len(member.link) > _LINK),
            (b"path", path, split is None),
            (b"size", b"%d" % member.size, member.size >= _LARGEST),
        )
        if needed
    )
    prefix, name = split or (b"", path[:_NAME])
    size = 0 if member.size >= _LARGEST else member.size
    own = _block(name, prefix, member.kind, member.mode, size, member.link[:_LINK], time, owner)
    if not records:
        return own
    extended = _block(_PAX_NAME, b"", b"x", 0o644, len(records), b"", time, owner)
    return extended + records + padding(len(records)) + own


def padding(size: int) -> bytes:
    """What fills the last block of `size` bytes."""
    return bytes(-size % BLOCK)


def _split(path: bytes) -> tuple[bytes, bytes] | None:
    """Prefix and name as ustar keeps them, split at the first slash that makes both fit; None when none does."""
    if len(path) <= _NAME:
        return b"", path
    for place, letter in enumerate(path[: _PREFIX + 1]):
        if letter == ord("/") and 0 < len(path) - place - 1 <= _NAME:
            return path[:place], path[place + 1 :]
    return None


def _record(key: bytes, value: bytes) -> bytes:
    """One pax record, which begins with its own length in decimal digits."""
    rest = len(key) + len(value) + 3
    size = rest + len(str(rest))
    if size != rest + len(str(size)):
        size = rest + len(str(size))
    return b"%d %s=%s\n" % (size, key, value)


def _block(
    name: bytes, prefix: bytes, kind: bytes, mode: int, size: int, link: bytes, time: int, owner: tuple[int, int]
) -> bytes:
    fields = (
        name.ljust(100, b"\0"),
        b"%07o\0%07o\0%07o\0" % (mode, *owner),
        b"%011o\0%011o\0" % (size, time),
        b" " * 8,
        kind,
        link.ljust(100, b"\0"),
        b"ustar\x0000",
        bytes(64),  # owner's and group's names
        b"0000000\x000000000\0",
        prefix.ljust(_PREFIX, b"\0"),
    )
    block = b"".join(fields).ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]
