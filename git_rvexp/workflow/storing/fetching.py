"""Snapshots out of the store: the bundles of those that this clone lacks, each checked before its tag is made.

Whoever can write to the store can put anything there. A bundle is used only if its bytes are what its name says, it
holds that one tag and all that the tag needs, and the record, where it tells of the tag, tells of the same one.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from git_rvexp import aws
from git_rvexp.data.store import Store
from git_rvexp.errors import CredentialsError, RvexpError
from git_rvexp.git import bundles
from git_rvexp.git.tags import snapshots
from git_rvexp.record.moved import recorded
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.storing import shelf


def fetch(context: Context, there: Iterable[str]) -> tuple[str, ...]:
    """Fetch the tags that this clone lacks, from the names `there` below `shelf.copies_at`; what is refused is told."""
    where, store = context.trusted().store, Store(context.trusted())
    here = {s.tag for s in snapshots(context.repo)}
    wanted: dict[str, list[shelf.Copy]] = {}
    for copy in shelf.copies(where, there):
        if copy.kind == shelf.BUNDLE and copy.tag not in here:
            wanted.setdefault(copy.tag, []).append(copy)
    named = recorded(context.ledger, wanted)
    return tuple(tag for tag, copies in wanted.items() if _fetched(context, store, copies, set(named.get(tag, ()))))


def _fetched(context: Context, store: Store, copies: list[shelf.Copy], named: set[str]) -> bool:
    """Whether the tag could be had from one of its bundles."""
    tag, offered = copies[0].tag, {copy.oid for copy in copies}
    right = named or offered
    if len(right) > 1 or not right & offered:
        told = " ".join(sorted(named)) or "none"
        context.warn(f"{tag} is not fetched: the store offers {' '.join(sorted(offered))}, the record names {told}")
        return False
    for copy in copies:
        if copy.oid not in right:
            context.warn(f"{copy.uri} is of another tag object than the record's, and is left alone")
            continue
        if _adopted(context, store, copy):
            return True
    return False


def _adopted(context: Context, store: Store, copy: shelf.Copy) -> bool:
    """Whether the bundle held the tag; RvexpError when it cannot be read now."""
    with tempfile.TemporaryDirectory(prefix="rvexp-bundle-") as folder:
        path = Path(folder) / "snapshot.bundle"
        try:
            with path.open("wb") as out:
                store.get(copy.uri, copy.digest, out)
            bundles.adopt(context.repo, path, copy.tag, copy.oid)
        except (CredentialsError, aws.ServiceError, aws.UnreachableError):
            raise
        except RvexpError as why:
            context.warn(f"a bundle in the store cannot be used: {why}")
            return False
    return True
