"""The file: a tar with one possible form for its content, so that every bit of it is proven before anything is done.

`rvexp-bundle.json` comes first and lists the parts with size and SHA-256, then the parts, and last `SHA256`, the hash
of all that stands before it. Headers and padding have to be the bytes that are written here: nothing is interpreted, so
there are no links, no paths but those known, and no room for what is not listed. It is read in pieces of a fixed size.
What is proven is that the file is as it was made; who made it is for a signature of the tag, or of the file, to say.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from git_rvexp.errors import RvexpError
from git_rvexp.images.blob import Blob
from git_rvexp.images.ustar import BLOCK, END, Member, header, padding
from git_rvexp.model import Json
from git_rvexp.names import Digest
from git_rvexp.pieces import SIZE
from git_rvexp.progress import Step

SCHEMA = "rvexp.bundle/1"
INDEX, SUM = "rvexp-bundle.json", "SHA256"
_INDEX_MOST, _PARTS_MOST = 1 << 20, 2000
_NAME = re.compile(r"git\.bundle|report\.html|oci/(?:oci-layout|index\.json|blobs/sha256/[0-9a-f]{64})")
_SUM_SIZE = 65


class DamagedError(RvexpError):
    """The file is not as it was written, or was not written by git rvexp."""


@dataclass(frozen=True)
class Part:
    """One part of a file that is to be written: its name in there, and its bytes."""

    name: str
    blob: Blob


def written(fields: Mapping[str, Json], parts: Sequence[Part]) -> Iterator[bytes]:
    """The file, piece by piece. RvexpError when a part turns out to be other bytes than announced."""
    listed = [{"name": p.name, "size": p.blob.size, "sha256": _hex(p.blob.digest)} for p in parts]
    index = _index({"schema": SCHEMA, **fields, "parts": listed})
    whole = hashlib.sha256()
    members = [Part(INDEX, Blob.of(index)), *parts]
    for piece in (piece for part in members for piece in _member(part)):
        whole.update(piece)
        yield piece
    yield _last(whole.hexdigest())


def _member(part: Part) -> Iterator[bytes]:
    yield _header(part.name, part.blob.size)
    digest, size = hashlib.sha256(), 0
    for piece in part.blob.open():
        digest.update(piece)
        size += len(piece)
        yield piece
    if (size, digest.hexdigest()) != (part.blob.size, _hex(part.blob.digest)):
        raise RvexpError(f"{part.name} was altered while it was read: nothing was exported", hint="try again")
    yield padding(size)


@dataclass(frozen=True)
class Bundle:
    """A file that was proven. `places` are where the parts stand: offset, size, and SHA-256."""

    file: IO[bytes]
    fields: Mapping[str, Any]
    places: Mapping[str, tuple[int, int, str]]

    def chunks(self, name: str) -> Iterator[bytes]:
        """A part, piece by piece, proven once more: the file may have changed under us."""
        offset, left, expected = self.places[name]
        digest = hashlib.sha256()
        while left:
            self.file.seek(offset)
            piece = self.file.read(min(SIZE, left))
            if not piece:
                break
            offset, left = offset + len(piece), left - len(piece)
            digest.update(piece)
            yield piece
        if left or digest.hexdigest() != expected:
            raise DamagedError(f"{name} changed while it was read")

    def read(self, name: str, most: int) -> bytes:
        """A small part; DamagedError when it is absent or larger than `most` bytes."""
        if name not in self.places or self.places[name][1] > most:
            raise DamagedError(f"the bundle has no {name}, or too large a one")
        return b"".join(self.chunks(name))


def proven(path: Path, file: IO[bytes], step: Step = lambda _bytes: None) -> Bundle:
    """The bundle in `file`, every byte of it read and proven. DamagedError says where it is not as it was written."""
    size = path.stat().st_size
    reader = _Reader(path, file, step)
    fields = _fields(reader)
    parts = [(str(p["name"]), int(p["size"]), str(p["sha256"])) for p in fields["parts"]]
    expected = reader.at + sum(len(_header(n, s)) + s + len(padding(s)) for n, s, _ in parts) + len(_last("0" * 64))
    if size != expected:
        reader.damaged(f"it has {size} bytes and should have {expected}: it was cut, or something was added")
    places = {}
    for name, length, digest in parts:
        reader.same(_header(name, length), f"the header of {name}")
        places[name] = (reader.at, length, digest)
        reader.content(length, digest, name)
    reader.same(_last(reader.whole.hexdigest()), "the last checksum", counted=False)
    return Bundle(file, fields, places)


class _Reader:
    """The file from its beginning, hashed on the way."""

    def __init__(self, path: Path, file: IO[bytes], step: Step) -> None:
        self.path, self.file, self.at, self.whole, self.step = path, file, 0, hashlib.sha256(), step

    def take(self, size: int, what: str, *, counted: bool = True) -> bytes:
        """The next bytes, as many as asked for."""
        data = self.file.read(size)
        if len(data) != size:
            self.damaged(f"it ends within {what}")
        self.at += size
        self.step(size)
        if counted:
            self.whole.update(data)
        return data

    def same(self, expected: bytes, what: str, *, counted: bool = True) -> None:
        """Take what has to be exactly this."""
        if self.take(len(expected), what, counted=counted) != expected:
            self.damaged(f"{what} is not as it was written")

    def content(self, size: int, digest: str, what: str) -> None:
        """Take a part and its padding."""
        found, left = hashlib.sha256(), size
        while left:
            piece = self.take(min(SIZE, left), what)
            found.update(piece)
            left -= len(piece)
        if found.hexdigest() != digest:
            self.damaged(f"{what} hashes to another value than is listed")
        self.same(padding(size), f"what follows {what}")

    def damaged(self, why: str) -> NoReturn:
        """Refuse the file."""
        raise DamagedError(f"{self.path} is refused, and nothing was written: {why}", hint="ask for the file again")


def _fields(reader: _Reader) -> Mapping[str, Any]:
    block = reader.take(BLOCK, "its first header")
    digits = block[124:135]
    size = int(digits, 8) if re.fullmatch(rb"[0-7]{11}", digits) else 0
    if not 0 < size <= _INDEX_MOST or block != _header(INDEX, size):
        reader.damaged("it does not begin as a bundle of git rvexp")
    text = reader.take(size, "the list of its parts")
    reader.same(padding(size), "what follows the list of its parts")
    try:
        fields = json.loads(text)
        if fields["schema"] != SCHEMA:
            reader.damaged(f"it is of the kind {fields['schema']!r}; this program reads {SCHEMA}")
        if _index(fields) != text or not _sound(fields["parts"]):
            reader.damaged("the list of its parts is not one that git rvexp writes")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        reader.damaged("the list of its parts cannot be read")
    found: Mapping[str, Any] = fields
    return found


def _sound(parts: Sequence[Mapping[str, Json]]) -> bool:
    names = [str(p["name"]) for p in parts]
    shapes = all(
        p.keys() == {"name", "size", "sha256"}
        and _NAME.fullmatch(str(p["name"]))
        and type(p["size"]) is int
        and 0 <= p["size"] < 1 << 50
        and re.fullmatch(r"[0-9a-f]{64}", str(p["sha256"]))
        for p in parts
    )
    return shapes and len(names) <= _PARTS_MOST and len({*names}) == len(names)


def _header(name: str, size: int) -> bytes:
    return header(Member(name.encode(), b"0", 0o644, size), time=0, owner=(0, 0))


def _last(digest: str) -> bytes:
    return _header(SUM, _SUM_SIZE) + f"{digest}\n".encode() + padding(_SUM_SIZE) + END


def _index(fields: Mapping[str, Json]) -> bytes:
    """Canonical: sorted keys, only ASCII."""
    return json.dumps(fields, sort_keys=True, indent=1).encode() + b"\n"


def _hex(digest: Digest) -> str:
    return digest.text.removeprefix("sha256:")


def spooled(path: Path) -> Blob:
    """A file on disk as a part's bytes."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()

    def opened() -> Iterable[bytes]:
        with path.open("rb") as again:
            yield from iter(lambda: again.read(SIZE), b"")

    return Blob(Digest(f"sha256:{digest}"), path.stat().st_size, opened)
