"""A snapshot's files out of the zip in the store, for a build; each is held against the tag's tree."""

import tempfile
from collections.abc import Sequence

from git_rvexp.data.store import Store
from git_rvexp.errors import RvexpError
from git_rvexp.images import zipped
from git_rvexp.images.spool import Spool
from git_rvexp.images.unpacking import Different
from git_rvexp.model import Snapshot
from git_rvexp.names import Digest
from git_rvexp.tree import Entry
from git_rvexp.workflow.building.context import Copy
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.storing import shelf
from git_rvexp.workflow.storing.deposit import stored


def zip_copy(context: Context, snapshot: Snapshot) -> Copy | None:
    """The zip that the record names in the configured store; None when it names none there."""
    where = context.trusted().store
    event = stored(context.ledger.record(snapshot.oid), where)
    named = [str(event.get(shelf.ZIP))] if event is not None else []
    found = next((c for c in shelf.copies(where, named) if c.oid == snapshot.oid), None)
    if found is None:
        return None
    uri, digest = found.uri, found.digest
    return Copy(uri, lambda entries, spool: _fill(Store(context.trusted()), uri, digest, entries, spool))


def _fill(store: Store, uri: str, digest: Digest, entries: Sequence[Entry], spool: Spool) -> str:
    try:
        with tempfile.TemporaryFile(prefix="rvexp-zip-") as file:
            store.get(uri, digest, file)
            file.seek(0)
            zipped.read(file, entries, spool)
    except Different as why:
        return f"it is not the tag's tree: {why}"
    except RvexpError as why:
        return str(why)
    return ""
