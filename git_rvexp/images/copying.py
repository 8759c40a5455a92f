"""Blobs from one registry into another (or within one): streamed, hashed on the way, never whole in memory.

What the target has already is not asked for again, so a copy that broke off goes on where it stopped. Within one
registry the target is asked to take the blob over from its neighbour first; where it will not, the bytes are sent.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from git_rvexp import http
from git_rvexp.beside import all_done
from git_rvexp.errors import RvexpError
from git_rvexp.images import upload
from git_rvexp.images.blob import Blob
from git_rvexp.images.registry import AlteredError, GoneError, Registry
from git_rvexp.model import Json
from git_rvexp.names import Digest
from git_rvexp.progress import Step, recounted

_AT_ONCE = 3
_LIMIT = 12 * 3600
Say = Callable[[str], None]


def copied(source: Registry, target: Registry, descriptors: Sequence[Mapping[str, Json]], say: Say, step: Step) -> None:
    """Make sure that `target` has the blobs of `descriptors`, which `source` has. `step` hears of the bytes.

    GoneError when the source lacks one, AlteredError when it sends another than its digest names; other RvexpErrors
    with the registries' words.
    """
    for descriptor in descriptors:
        if descriptor.get("urls"):
            raise RvexpError(f"the layer {descriptor['digest']} may not be copied: its address is its licence's")
    wanted = {Digest(str(d["digest"])): int(d["size"]) for d in descriptors}
    blobs = [streamed(source, digest, size, step) for digest, size in wanted.items()]
    all_done([functools.partial(_one, source, target, blob, say) for blob in blobs], _AT_ONCE)


def _one(source: Registry, target: Registry, blob: Blob, say: Say) -> None:
    if upload.there(target, blob):
        return
    if source.repository.host == target.repository.host and upload.mounted(target, blob, source.repository.name):
        return
    say(f"copying {blob.digest.text[7:19]} ({blob.size / 1e6:.1f} MB) from {source.repository}")
    upload.blob(target, blob)


def streamed(source: Registry, digest: Digest, size: int, step: Step) -> Blob:
    """A blob of `source` whose bytes come as they are read; what is wrong with them is raised at their end.

    Errors as `copied` has them.
    """

    def pieces() -> Iterator[bytes]:
        hashed, had = hashlib.sha256(), 0
        limits = http.Limits(size=size, seconds=_LIMIT)
        with source.send("GET", source.path("blobs", str(digest)), limits=limits) as answer:
            if answer.status == 404:
                raise GoneError(f"the blob {digest} is gone from {source.repository}")
            source.expect(answer, f"the blob {digest} of {source.repository} cannot be read")
            for piece in answer.chunks():
                hashed.update(piece)
                had += len(piece)
                if had == size and hashed.hexdigest() != digest.text.removeprefix("sha256:"):
                    raise AlteredError(f"{source.repository} sent another blob than {digest}")
                yield piece
        if had != size:
            raise AlteredError(f"{source.repository} sent {had} bytes of {digest}, which has {size}")

    return Blob(digest, size, recounted(pieces, step))
