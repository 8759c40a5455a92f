"""What the objects of a store are called: a copy's name says of which tag object it is, and what its bytes hash to.

    STORE/snapshots/<tag>/<tag object>-<sha256>.zip      the tag's files
    STORE/snapshots/<tag>/<tag object>-<sha256>.bundle   the tag with its history, for `git clone` and `git fetch`
    STORE/record/<sha256>.jsonl                          lines of the record, see `record.journal`

So two writers never want one name for different things, and whoever reads needs no list to find and check a copy.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from git_rvexp.grammar import is_tag_name
from git_rvexp.model import Snapshot
from git_rvexp.names import Digest

ZIP, BUNDLE = "zip", "bundle"
KINDS = (ZIP, BUNDLE)
_SNAPSHOTS, _RECORD = "snapshots", "record"
_COPY = re.compile(
    r"(?P<tag>[^/]+/[^/]+/[^/]+/[^/]+)/(?P<oid>[0-9a-f]{40}|[0-9a-f]{64})-(?P<sum>[0-9a-f]{64})\.(zip|bundle)"
)
_LINES = re.compile(r"([0-9a-f]{64})\.jsonl")


@dataclass(frozen=True)
class Copy:
    """One object of a snapshot: of which tag and tag object it claims to be, the digest it must have, its kind."""

    uri: str
    tag: str
    oid: str
    digest: Digest
    kind: str


def copy_uri(store: str, snapshot: Snapshot, digest: Digest, kind: str) -> str:
    """Where this copy of `snapshot` belongs."""
    return f"{copies_at(store, snapshot.tag)}/{snapshot.oid}-{_hex(digest)}.{kind}"


def copies_at(store: str, tag: str = "") -> str:
    """The prefix of the copies of one tag, or of all."""
    return "/".join(part for part in (store.rstrip("/"), _SNAPSHOTS, tag) if part)


def copies(store: str, uris: Iterable[str]) -> Iterator[Copy]:
    """Those of `uris` that are named as copies are; others in the same place are passed over."""
    top = copies_at(store) + "/"
    for uri in uris:
        told = _COPY.fullmatch(uri.removeprefix(top)) if uri.startswith(top) else None
        if told and is_tag_name(told["tag"]):
            yield Copy(uri, told["tag"], told["oid"], Digest(f"sha256:{told['sum']}"), told[4])


def record_uri(store: str, digest: Digest) -> str:
    """Where lines of the record with this digest belong."""
    return f"{record_at(store)}/{_hex(digest)}.jsonl"


def record_at(store: str) -> str:
    """The prefix of all lines of the record."""
    return f"{store.rstrip('/')}/{_RECORD}"


def lines_digest(store: str, uri: str) -> Digest | None:
    """What an object below `record_at` must hash to by its name; None for an object of another kind."""
    told = _LINES.fullmatch(uri.removeprefix(record_at(store) + "/"))
    return Digest(f"sha256:{told[1]}") if told else None


def _hex(digest: Digest) -> str:
    return str(digest).removeprefix("sha256:")
