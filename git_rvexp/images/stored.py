"""Gzip without compression: stored blocks (RFC 1951, 3.2.4) in a gzip frame (RFC 1952), the same bytes everywhere.

What a compressor writes depends on its make and version; what is written here depends on nothing but the content.
Every reader of gzip reads it.
"""

import binascii
from collections.abc import Iterable, Iterator

_MOST = 65535  # a stored block's length has 16 bits
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no time, no name, no system
_BATCH = 8 * _MOST


def packed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The gzip file of `chunks`: blocks of 65,535 bytes, the last one as long as what is left."""
    yield _HEAD
    check, size, held = 0, 0, bytearray()
    for chunk in chunks:
        check, size = binascii.crc32(chunk, check), size + len(chunk)
        held += chunk
        if len(held) > _BATCH:
            # at least one byte stays, so that the last block is known to be the last
            whole = (len(held) - 1) // _MOST * _MOST
            yield b"".join(_blocks(held[:whole], last=False))
            del held[:whole]
    yield b"".join(_blocks(held, last=True))
    yield check.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")


def _blocks(data: bytearray, *, last: bool) -> Iterator[bytes]:
    for start in range(0, max(len(data), 1), _MOST):
        piece = data[start : start + _MOST]
        final = last and start + _MOST >= len(data)
        yield bytes([final]) + len(piece).to_bytes(2, "little") + (len(piece) ^ 0xFFFF).to_bytes(2, "little") + piece
