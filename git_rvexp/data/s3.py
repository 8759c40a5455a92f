"""What is in S3 at a place, listed as a manifest's files, and what may happen to it later (hazards).

A listing is no snapshot: objects that were written while it was taken are named. Where a bucket keeps versions the
newest ones are listed with their ids. An ETag counts as a digest only where it can be one: not under KMS, of which a
listing says nothing, so the head of the newest object of every page is asked for.
"""

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from git_rvexp import aws
from git_rvexp.data import lifecycle
from git_rvexp.data.manifest import Item
from git_rvexp.data.places import Place, inside, joined
from git_rvexp.model import Json
from git_rvexp.settings import Settings

_MD5 = re.compile(r"[0-9a-f]{32}")
# Checksums of whole objects, the strongest first; their values come with HeadObject only.
_SUMS = ("SHA256", "SHA1", "CRC64NVME", "CRC32C", "CRC32")
_ASKED_ONE_BY_ONE = 1000
_LARGEST_TEXT = 65536
WRITTEN = "written while it was being listed"
NO_VERSIONS = "no versions are kept: a change cannot be undone"


def _utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass
class Listing:
    """One look at a place. `hazards` and `level` are complete once `items` is used up.

    level: "version" (each file can be had again by its version id) or "content" (changes can be seen, not undone).
    frozen: the key of the first object that cannot be read before it is restored, "" for none.
    """

    settings: Settings
    uri: str
    level: str = "content"
    hazards: dict[str, int] = field(default_factory=dict)
    frozen: str = ""
    now: Callable[[], dt.datetime] = _utc
    _hidden: bool = field(default=False, init=False)

    @functools.cached_property
    def _s3(self) -> Any:
        return aws.client("s3", self.settings)

    def items(self, declared: str = "") -> Iterator[Item]:
        """The files, sorted by name; names begin with `declared`, else with the URI. Errors of `aws`."""
        s3, place, base = self._s3, Place.parse(self.uri), declared or self.uri
        self._look_at_rules(s3, place)
        started = self.now() - dt.timedelta(seconds=1)
        alone = self._object(s3, place, base, started) if place.key and not place.key.endswith("/") else None
        if alone:
            yield alone
        if alone or place.version:
            return
        for entry in self._entries(s3, place):
            self._judge(entry, started)
            inner = str(entry["Key"])[len(place.folder) :]
            if inner:
                yield Item(joined(base, inner), int(entry["Size"]), self._digest(entry), self._version(entry))

    def summed(self, item: Item, declared: str = "") -> Item:
        """The same file with the checksum that S3 keeps of it, where there is one: one request for each."""
        place = Place.parse(self.uri)
        found = self._head(self._s3, place.bucket, place.within(inside(declared or self.uri, item.name)))
        return Item(item.name, item.size, digest(found), item.version) if found else item

    def text(self, item: Item, declared: str = "") -> str | None:
        """The content of a small text file; None when it is none."""
        if item.size > _LARGEST_TEXT:
            return None
        place = Place.parse(self.uri)
        key = place.within(inside(declared or self.uri, item.name))
        with aws.calling(f"read {item.name}"):
            found = self._s3.get_object(Bucket=place.bucket, Key=key)
            content: bytes = found["Body"].read(_LARGEST_TEXT + 1)
        return content.decode("utf-8", "surrogateescape") if len(content) <= _LARGEST_TEXT else None

    def _object(self, s3: Any, place: Place, name: str, started: dt.datetime) -> Item | None:
        found = self._head(s3, place.bucket, place.key, place.version)
        if not found:
            return None
        self._judge({**found, "Key": place.key}, started)
        # A bucket that keeps versions has one of every object; that of the time before is called null.
        version = self._version({"VersionId": "null", **found} if self.level == "version" else {})
        return Item(name, int(found["ContentLength"]), digest(found), version)

    def _head(self, s3: Any, bucket: str, key: str, version: str = "") -> Mapping[str, Json]:
        which = {"VersionId": version} if version else {}
        try:
            with aws.calling(f"look at s3://{bucket}/{key}"):
                return dict(s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED", **which))
        except aws.ServiceError as why:
            if why.status == 404:
                return {}
            raise

    def _entries(self, s3: Any, place: Place) -> Iterator[Mapping[str, Json]]:
        kept = self.level == "version"
        operation, member = ("list_object_versions", "Versions") if kept else ("list_objects_v2", "Contents")
        with aws.calling(f"list {self.uri}"):
            where = {"Bucket": place.bucket, "Prefix": place.folder, "OptionalObjectAttributes": ["RestoreStatus"]}
            for page in s3.get_paginator(operation).paginate(**where):
                self._count("hidden by a delete marker", sum(m["IsLatest"] for m in page.get("DeleteMarkers") or []))
                entries = [e for e in page.get(member) or [] if e.get("IsLatest", True)]
                self._hidden = self._hidden or self._hides(s3, place, entries)
                yield from entries

    def _hides(self, s3: Any, place: Place, entries: list[Mapping[str, Json]]) -> bool:
        """Whether these objects' ETags are no MD5s, as far as the newest tells; where it does not tell, they are none.

        A bucket's objects of the time before its encryption was set stay as they are: the newest has what is set now.
        """
        plain = [e for e in entries if _listed(e).startswith("etag:")]
        if not plain:
            return False
        newest = max(plain, key=lambda e: e["LastModified"])
        try:
            head = self._head(s3, place.bucket, str(newest["Key"]), str(newest.get("VersionId") or ""))
        except aws.ServiceError:
            return True
        return not head or hides_md5(head)

    def _digest(self, entry: Mapping[str, Json]) -> str:
        return _opaque(_listed(entry)) if self._hidden else _listed(entry)

    def _look_at_rules(self, s3: Any, place: Place) -> None:
        """Whether versions are kept, and whether a rule of the bucket will delete them."""
        try:
            with aws.calling(f"ask whether {place.bucket} keeps versions"):
                status = s3.get_bucket_versioning(Bucket=place.bucket).get("Status", "")
        except aws.DeniedError:
            self._count("whether versions are kept cannot be told")
        else:
            self.level = "version" if status in ("Enabled", "Suspended") else "content"
            if status != "Enabled":
                self._count("versioning is suspended" if status else NO_VERSIONS)
        try:
            with aws.calling(f"read the lifecycle rules of {place.bucket}"):
                rules = s3.get_bucket_lifecycle_configuration(Bucket=place.bucket).get("Rules") or []
        except aws.DeniedError:
            self._count("lifecycle rules cannot be told")
        except aws.ServiceError as why:
            if why.name != "NoSuchLifecycleConfiguration":
                raise
        else:
            for text in lifecycle.coming(rules, place.key):
                self._count(text)

    def _judge(self, entry: Mapping[str, Json], started: dt.datetime) -> None:
        if entry.get("StorageClass") in lifecycle.FROZEN:
            readable = _restored(entry)
            self._count(lifecycle.RESTORED if readable else lifecycle.ARCHIVED)
            self.frozen = self.frozen or ("" if readable else str(entry["Key"]))
        modified = entry.get("LastModified")
        if isinstance(modified, dt.datetime) and modified >= started:
            self._count(WRITTEN)

    def _version(self, entry: Mapping[str, Json]) -> str:
        version = str(entry.get("VersionId") or "")
        if version == "null":
            self._count("written when no versions were kept (version null)")
        return version

    def _count(self, hazard: str, number: int = 1) -> None:
        if number:
            self.hazards[hazard] = self.hazards.get(hazard, 0) + number


def summable(count: int) -> bool:
    """Whether so many files may be asked for their checksums one by one."""
    return count <= _ASKED_ONE_BY_ONE


def _restored(entry: Mapping[str, Json]) -> bool:
    """Whether there is a copy of an archived object that can be read: a head and a list say it in two ways."""
    status = entry.get("RestoreStatus") or {}
    listed = bool(status.get("RestoreExpiryDate")) and not status.get("IsRestoreInProgress")
    return listed or 'ongoing-request="false"' in str(entry.get("Restore", ""))


def _listed(entry: Mapping[str, Json]) -> str:
    etag = str(entry.get("ETag", "")).strip('"')
    return f"etag:{etag}" if _MD5.fullmatch(etag) else f"opaque:{etag}"


def digest(head: Mapping[str, Json]) -> str:
    """The strongest digest of an object's head. A composite checksum depends on the upload's parts, so it is none."""
    if head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
        for name in _SUMS:
            value = str(head.get(f"Checksum{name}") or "")
            if value and "-" not in value:
                return f"{name.lower()}-base64:{value}"
    listed = _listed(head)
    return _opaque(listed) if hides_md5(head) else listed


def digest_like(listed: str, head: Mapping[str, Json]) -> str:
    """The digest of an object's head of the kind that `listed` is of, as far as there is one: of its ETag or better."""
    kind = listed.partition(":")[0]
    return f"{kind}:{_listed(head).partition(':')[2]}" if kind in ("etag", "opaque") else digest(head)


def hides_md5(head: Mapping[str, Json]) -> bool:
    """Whether the ETag is no MD5 of the content: with KMS or a customer's key."""
    return "aws:kms" in str(head.get("ServerSideEncryption", "")) or bool(head.get("SSECustomerAlgorithm"))


def _opaque(listed: str) -> str:
    return listed.replace("etag:", "opaque:")
