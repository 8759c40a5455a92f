"""Copies of S3 objects: exact versions of a recorded manifest, put side by side below a new prefix.

Each object is copied by S3 itself, by its version id where it has one, and only if its ETag is still the recorded one;
so what arrives is what was listed, or nothing. What is there already stays: nothing is overwritten or deleted. A copy
that was cut short is completed by the next. Streamed: neither list is held whole.
"""

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from git_rvexp import aws
from git_rvexp.beside import all_done
from git_rvexp.data.manifest import Item, compare, judgement
from git_rvexp.data.places import Place, inside
from git_rvexp.data.s3 import Listing, digest, hides_md5
from git_rvexp.errors import RvexpError
from git_rvexp.settings import Settings

_AT_ONCE = 16
_PORTION = 256
# What one CopyObject takes. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
LARGEST = 5 << 30


class MovedError(RvexpError):
    """An object is not to be had as it was listed."""


@dataclass(frozen=True)
class Copy:
    """One copy to be made: of the place `source`, as a manifest listed it, at `target` (both end in "/" or neither)."""

    settings: Settings
    source: str
    target: str

    @functools.cached_property
    def _s3(self) -> Any:
        return aws.client("s3", self.settings)

    def make(self, items: Iterable[Item]) -> int:
        """Copy what is not there yet; how many that were. MovedError when one cannot be had any more."""
        missing, made = self._missing(items), 0
        _ = self._s3  # made before the threads are
        while some := list(itertools.islice(missing, _PORTION)):
            all_done([functools.partial(self._one, item) for item in some], _AT_ONCE)
            made += len(some)
        return made

    def check(self, lines: Iterator[str]) -> None:
        """RvexpError unless the copy holds these files and no others, as far as S3 tells of their content."""
        listed = (str(item) for item in self._there())
        found = compare(lines, listed, self._held)
        if found:
            raise RvexpError(
                f"{self.target} is not the copy that it must be: {found.words()}\n"
                "  nothing there is ever overwritten: move it away, and it is made again"
            )

    def _there(self) -> Iterator[Item]:
        return Listing(self.settings, self.target).items(self.source)

    def _missing(self, items: Iterable[Item]) -> Iterator[Item]:
        there = self._there()
        here = next(there, None)
        for item in items:
            while here and here.name < item.name:
                here = next(there, None)
            if here is None or here.name != item.name:
                yield item

    def _one(self, item: Item) -> None:
        source, target = Place.parse(self.source), Place.parse(self.target)
        inner = inside(self.source, item.name)
        if item.size > LARGEST:
            raise RvexpError(f"{item.name} has {item.size} bytes; S3 copies at most {LARGEST} at once")
        version = {"VersionId": item.version} if item.version else {}
        where = {"Bucket": source.bucket, "Key": source.within(inner), **version}
        try:
            with aws.calling(f"copy {item.name}"):
                self._s3.copy_object(
                    Bucket=target.bucket,
                    Key=target.within(inner),
                    CopySource=where,
                    CopySourceIfMatch=self._etag(where, item),
                    TaggingDirective="REPLACE",  # copying tags would need one more permission
                )
        except aws.ServiceError as why:
            if why.status in (404, 412):
                raise MovedError(f"{item.name} is not as it was listed any more: {why}") from why
            raise

    def _held(self, old: Item, new: Item) -> str:
        """A copy has a version id and perhaps an ETag of its own: what cannot be held against it was copied by S3."""
        verdict = judgement(Item(old.name, old.size, old.digest), Item(new.name, new.size, new.digest))
        if verdict == "changed" and old.size == new.size and self._either_hides(old, new):
            return ""
        return "" if verdict == "unknown" else verdict

    def _either_hides(self, old: Item, new: Item) -> bool:
        """Whether the ETag of one of the two is no MD5: a listing does not tell of each object."""
        inner = inside(self.source, old.name)
        return any(hides_md5(self._head(*one, inner)) for one in ((self.target, new), (self.source, old)))

    def _head(self, place: str, item: Item, inner: str) -> Mapping[str, Any]:
        where = Place.parse(place)
        version = {"VersionId": item.version} if item.version else {}
        try:
            with aws.calling(f"look at {item.name}"):
                return dict(self._s3.head_object(Bucket=where.bucket, Key=where.within(inner), **version))
        except aws.ServiceError:
            return {}  # gone, or kept from us: nothing speaks for it

    def _etag(self, where: Mapping[str, str], item: Item) -> str:
        """The ETag that the object must still have. MovedError when it is another object already.

        A real version never changes. Of others the head is asked for first: a service that does not know the condition
        would copy whatever stands there.
        """
        kind, _, value = item.digest.partition(":")
        listed = kind in ("etag", "opaque")
        if listed and item.version not in ("", "null"):
            return f'"{value}"'
        head = self._s3.head_object(**where, ChecksumMode="ENABLED")
        now = str(head["ETag"]).strip('"') if listed else digest(head)
        if now != (value if listed else item.digest):
            raise MovedError(f"{item.name} is not as it was listed any more: {now}, not {item.digest}")
        return str(head["ETag"])
