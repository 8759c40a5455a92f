"""Objects of S3 that a manifest lists, read: of the version that it names, else what stands there if it is the same."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from git_rvexp import aws
from git_rvexp.data import s3
from git_rvexp.data.copying import MovedError
from git_rvexp.data.manifest import Item, by_content
from git_rvexp.data.places import Place, inside
from git_rvexp.pieces import SIZE
from git_rvexp.settings import Settings


@dataclass(frozen=True)
class Source:
    """The place `uri`, whose files begin with `declared` in the manifest."""

    settings: Settings
    uri: str
    declared: str

    @functools.cached_property
    def _s3(self) -> Any:
        return aws.client("s3", self.settings)

    def pieces(self, item: Item) -> Iterator[bytes]:
        """The file, piece by piece. MovedError when it is not to be had as it was listed; errors of `aws`."""
        place = Place.parse(self.uri)
        where = {"Bucket": place.bucket, "Key": place.within(inside(self.declared, item.name))}
        version = {"VersionId": item.version} if item.version else {}
        try:
            with aws.calling(f"read {item.name}"):
                found = self._s3.get_object(**where, **version, ChecksumMode="ENABLED")
                now = Item(item.name, int(found["ContentLength"]), s3.digest_like(item.digest, found))
                if by_content(item, now):
                    raise MovedError(
                        f"it has changed since: {now.size} bytes, {now.digest} now, {item.size}, {item.digest} then"
                    )
                yield from found["Body"].iter_chunks(SIZE)
        except aws.ServiceError as why:
            if why.status == 404:
                raise MovedError("it is no longer there") from why
            raise
