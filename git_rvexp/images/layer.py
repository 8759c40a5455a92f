"""A delta as a layer's bytes: a tar of ustar members in a gzip frame without compression ("rvexp-layer/1").

The bytes are a pure function of git's objects, the tag's commit time and the owner. Where there are many, they are made
twice, once to be measured and once to be sent: memory does not grow with them. Specified in docs/layer-format.md.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from git_rvexp.git import lfs
from git_rvexp.git.objects import Objects
from git_rvexp.images import stored, ustar
from git_rvexp.images.delta import Delta
from git_rvexp.images.ustar import EARLIEST
from git_rvexp.names import Digest

FORMAT = "rvexp-layer/1"
_HELD = 1 << 20  # bytes


class Layer(NamedTuple):
    """A layer ready to be sent: `diff_id` names the tar, `digest` and `size` (bytes) the gzip that `open` gives."""

    diff_id: Digest
    digest: Digest
    size: int
    open: Callable[[], Iterable[bytes]]


def make(objects: Objects, delta: Delta, *, time: int, owner: tuple[int, int]) -> Layer:
    """The layer of `delta`; `time` (seconds since 1970) is every member's time, `owner` the code's user and group."""

    def tar() -> Iterator[bytes]:
        return _tar(objects, delta, max(time, EARLIEST), owner)

    inner, outer, size = hashlib.sha256(), hashlib.sha256(), 0
    held: list[bytes] = []

    def measured() -> Iterator[bytes]:
        for chunk in tar():
            inner.update(chunk)
            yield chunk

    for chunk in stored.packed(measured()):
        outer.update(chunk)
        size += len(chunk)
        if size <= _HELD:
            held.append(chunk)
    named = [Digest(f"sha256:{made.hexdigest()}") for made in (inner, outer)]
    whole = b"".join(held)
    return Layer(named[0], named[1], size, lambda: [whole] if len(whole) == size else stored.packed(tar()))


def _tar(objects: Objects, delta: Delta, time: int, owner: tuple[int, int]) -> Iterator[bytes]:
    for laid in delta.members:
        yield ustar.header(laid.member, time=time, owner=laid.owner or owner)
        if laid.content is not None:
            yield from lfs.chunks(objects.contents, laid.content)
            yield ustar.padding(laid.content.size)
        elif laid.entry is not None:
            yield from objects.pieces(laid.entry)
            yield ustar.padding(laid.member.size)
    yield ustar.END
