"""Objects in S3 that are written once: put only if absent, with their SHA-256, and checked when they are read.

S3 itself keeps two writers apart (`If-None-Match: *`) and checks what arrives (`x-amz-checksum-sha256`). What is there
already is adopted if it is equal; nothing is ever overwritten or deleted. Which objects there are, and what they are
called, is the callers' business; where a name is of no importance, `content_uri` makes it from the content.
"""

import base64
import functools
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from git_rvexp import aws
from git_rvexp.data.places import Place
from git_rvexp.errors import RvexpError
from git_rvexp.names import Digest
from git_rvexp.settings import Settings

# What one PutObject takes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
LARGEST = 5 << 30
_PIECE = 1 << 20
# Two conditional writes of one key at the same moment: S3 answers 409 to one of them and asks for another try.
_TRIES = 5


class UnequalError(RvexpError):
    """An object is not what it must be: another content stands under its name, or it was changed after it was put."""


class GoneError(RvexpError):
    """There is no such object. Not raised where that cannot be told."""


@dataclass(frozen=True)
class Stored:
    """An object of the store. `fresh`: this call wrote it; else an equal one was there."""

    uri: str
    digest: Digest
    size: int
    fresh: bool


def content_uri(store: str, folder: str, digest: Digest, suffix: str = "") -> str:
    """The name of the object that holds the content with this digest: `STORE/FOLDER/<64 hex digits>SUFFIX`."""
    return f"{store.rstrip('/')}/{folder}/{str(digest).removeprefix('sha256:')}{suffix}"


def is_below(store: str, uri: str) -> bool:
    """Whether an address that the record names is in the store, "" being none: whoever reads elsewhere signs for it."""
    return bool(store) and uri.startswith(f"{store.rstrip('/')}/")


def digest_of(content: IO[bytes]) -> tuple[Digest, int]:
    """The SHA-256 and the size of a file from where it stands, which is where it stands again afterwards."""
    start, digest, size = content.tell(), hashlib.sha256(), 0
    while chunk := content.read(_PIECE):
        digest.update(chunk)
        size += len(chunk)
    content.seek(start)
    return Digest(f"sha256:{digest.hexdigest()}"), size


@dataclass
class Store:
    """S3 as these settings reach it; objects are named by whole URIs. Every method raises the errors of `aws` too."""

    settings: Settings

    @functools.cached_property
    def _s3(self) -> Any:
        return aws.client("s3", self.settings)

    def put(self, uri: str, content: IO[bytes] | bytes) -> Stored:
        """Write the object unless it is there; UnequalError, with both checksums, when it is there and another."""
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        digest, size = digest_of(file)
        if size > LARGEST:
            raise RvexpError(f"{uri} would be {size} bytes; S3 takes at most {LARGEST} at once")
        try:
            # Asked first: a service that does not know the condition would overwrite.
            there = self._adopted(uri, digest, size)
        except aws.DeniedError:
            there = None  # it may be written and not be looked at: the condition decides
        for _ in range(_TRIES):
            if there:
                return there
            if self._put(uri, file, digest):
                return Stored(uri, digest, size, fresh=True)
            there = self._adopted(uri, digest, size)
        raise RvexpError(f"{uri} could not be written: S3 says each time that another writer is at it")

    def digest(self, uri: str) -> tuple[Digest, int] | None:
        """The SHA-256 and size of an object, from S3 where it keeps that, else from its bytes; None when absent."""
        place = Place.parse(uri)
        try:
            with aws.calling(f"look at {uri}"):
                head = self._s3.head_object(Bucket=place.bucket, Key=place.key, ChecksumMode="ENABLED")
        except aws.ServiceError as why:
            if why.status == 404:
                return None
            raise
        told = str(head.get("ChecksumSHA256") or "")
        if told and "-" not in told:  # a dash: the checksum of the parts' checksums
            return Digest(f"sha256:{base64.b64decode(told).hex()}"), int(head["ContentLength"])
        found, size = hashlib.sha256(), 0
        for chunk in self._chunks(uri):
            found.update(chunk)
            size += len(chunk)
        return Digest(f"sha256:{found.hexdigest()}"), size

    def get(self, uri: str, digest: Digest, out: IO[bytes], *, most: int = LARGEST) -> None:
        """Write the object to `out`, and believe it only then.

        UnequalError when it has another checksum or more than `most` bytes, GoneError when there is none.
        """
        found = hashlib.sha256()
        for chunk in self._chunks(uri):
            most -= len(chunk)
            if most < 0:
                raise UnequalError(f"{uri} is larger than anything that is put there")
            found.update(chunk)
            out.write(chunk)
        if f"sha256:{found.hexdigest()}" != str(digest):
            raise UnequalError(
                f"{uri} is not what was put there\n  recorded {digest}\n  it holds sha256:{found.hexdigest()}"
            )

    def names(self, uri: str) -> Iterator[str]:
        """The URIs of all objects below a prefix, sorted by name."""
        place = Place.parse(uri)
        with aws.calling(f"list {uri}"):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.folder):
                yield from (f"s3://{place.bucket}/{entry['Key']}" for entry in page.get("Contents") or [])

    def _put(self, uri: str, file: IO[bytes], digest: Digest) -> bool:
        """Whether the object is written now; not when somebody was faster."""
        place, sha256 = Place.parse(uri), bytes.fromhex(str(digest).removeprefix("sha256:"))
        try:
            with aws.calling(f"write {uri}"):
                self._s3.put_object(
                    Bucket=place.bucket,
                    Key=place.key,
                    Body=file,
                    IfNoneMatch="*",
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=base64.b64encode(sha256).decode("ascii"),
                )
        except aws.ServiceError as why:
            if why.status not in (409, 412):
                raise
            file.seek(0)
            return False
        return True

    def _adopted(self, uri: str, digest: Digest, size: int) -> Stored | None:
        there = self.digest(uri)
        if there and there[0] != digest:
            raise UnequalError(
                f"another content stands at {uri}, and nothing there is ever overwritten\n"
                f"  there {there[0]}, {there[1]} bytes\n  here  {digest}, {size} bytes"
            )
        return Stored(uri, digest, size, fresh=False) if there else None

    def _chunks(self, uri: str) -> Iterator[bytes]:
        place = Place.parse(uri)
        try:
            with aws.calling(f"read {uri}"):
                body = self._s3.get_object(Bucket=place.bucket, Key=place.key)["Body"]
                yield from body.iter_chunks(_PIECE)
        except aws.ServiceError as why:
            if why.status == 404:
                raise GoneError(f"there is no {uri}") from why
            raise
