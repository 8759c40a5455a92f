"""Where files of a run are: S3 URIs in a command, prefixes, and the names that files get in a manifest."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from git_rvexp.errors import UsageError

_URI = re.compile(r"s3://[^\s\"'`<>|;,)\]}]+")
VERSION = "?versionId="
"""Between an object's URI and the version that is meant, as fsspec and others write it."""
RUN = "{run}"
"""Stands for the run's id in an output's URI, so that a repeat does not write over what it is compared with."""


@dataclass(frozen=True)
class Place:
    """An object or a prefix in S3. `key` is empty for a whole bucket and ends in "/" for what is surely a prefix."""

    bucket: str
    key: str
    version: str = ""

    @classmethod
    def parse(cls, uri: str) -> "Place":
        """The place a URI names. UsageError when it is none."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", bucket):
            raise UsageError(f"{uri!r} is not s3://BUCKET/KEY")
        key, _, version = key.partition(VERSION)
        return cls(bucket, key, version)

    @property
    def folder(self) -> str:
        """The prefix that its objects have if it is no object itself."""
        return self.key if not self.key or self.key.endswith("/") else self.key + "/"

    def within(self, inner: str) -> str:
        """The key of its object `inner`; `inner` is empty for the place itself."""
        return self.folder + inner if inner else self.key


def is_s3(text: str) -> bool:
    """Whether `text` is an S3 URI."""
    return text.startswith("s3://")


def mentioned(words: Iterable[str]) -> list[str]:
    """Every S3 URI inside the words of a command, once each, in order."""
    found = (uri.rstrip(".:") for word in words for uri in _URI.findall(word))
    return list(dict.fromkeys(uri for uri in found if _sound(uri)))


def moved(word: str, to: Mapping[str, str]) -> str:
    """The word with each of its S3 URIs that is in `to` replaced by what it has moved to."""

    def one(found: re.Match[str]) -> str:
        uri = found[0].rstrip(".:")
        return to.get(uri, uri) + found[0][len(uri) :]

    return _URI.sub(one, word)


def for_run(uri: str, run: str) -> str:
    """The URI with the run's id where it is asked for."""
    return uri.replace(RUN, run)


def joined(declared: str, inner: str) -> str:
    """The name in a manifest of the file `inner` of a declared place; `inner` is empty for the place itself."""
    return f"{declared.rstrip('/')}/{inner}" if inner else declared


def inside(declared: str, name: str) -> str:
    """The other way round: which file of the declared place has the name. A key may begin with slashes of its own."""
    return name[len(declared.rstrip("/")) :].removeprefix("/") if name != declared else ""


def _sound(uri: str) -> bool:
    try:
        Place.parse(uri)
    except UsageError:
        return False
    return True
