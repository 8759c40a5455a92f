"""Manifests in the record, and large ones in the store: where their lines are kept, and how they are read again.

A manifest that is small enough is a text of the record. A larger one goes to the store, where there is one, under its
own hash; the record has that hash in any case, so what is read is checked. Both are streamed.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO

from git_rvexp.data.manifest import Manifest, decoded, lines
from git_rvexp.errors import RvexpError
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Json
from git_rvexp.names import Digest
from git_rvexp.record.kept import keep, kept
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context

Entry = Mapping[str, Json]
FOLDER = "manifests"
"""Of the store: STORE/manifests/<SHA-256>.tsv."""


def told(context: Context, manifest: Manifest, *, keeping: bool = True) -> dict[str, Json]:
    """A manifest as the record tells it; its lines are kept beside, or in the store when they are too many.

    Without `keeping` they are not.
    """
    fields: dict[str, Json] = {"manifest": str(manifest.digest), "count": manifest.count, "bytes": manifest.size}
    text = manifest.text if keeping else ""
    if text:
        fields["kept"] = keep(context.ledger, [text])[0]
    elif text is None:
        fields |= {"large": True, **_stored(context, manifest)}
    return fields


def _stored(context: Context, manifest: Manifest) -> dict[str, Json]:
    settings = context.trusted()
    size = f"a manifest of {manifest.count} files is too large for the record: only its hash is kept"
    if not settings.store:
        context.warn(f"{size}\n  with the setting store it would be kept in S3")
        return {}
    from git_rvexp.data.store import Store, content_uri  # noqa: PLC0415  loads botocore

    uri = content_uri(settings.store, FOLDER, manifest.digest, ".tsv")
    try:
        Store(settings).put(uri, manifest.file())
    except RvexpError as why:
        context.warn(f"{size}, since the store cannot take it: {why}")
        return {}
    return {"stored": uri}


def recorded(repo: Repo, entry: Entry, settings: Settings | None = None) -> Iterator[str] | None:
    """The lines of a recorded manifest; None when they were not kept, or only where `settings` would be needed.

    RvexpError when the store does not give them out, or gives others.
    """
    if not entry.get("count"):
        return iter(())
    if entry.get("stored"):
        return _fetched(str(entry["stored"]), Digest(entry["manifest"]), settings) if settings else None
    text = kept(repo, str(entry.get("kept", "")))
    return None if text is None else iter(lines(text))


def _fetched(uri: str, digest: Digest, settings: Settings) -> Iterator[str]:
    from git_rvexp.data.store import Store, is_below  # noqa: PLC0415  as above

    if not is_below(settings.store, uri):
        raise RvexpError(f"the record has the list at {uri}, which is not in your store: it is not read")
    with contextlib.ExitStack() as undo:
        file: IO[bytes] = undo.enter_context(tempfile.TemporaryFile())
        Store(settings).get(uri, digest, file)
        undo.pop_all()
    return _drained(file)


def _drained(file: IO[bytes]) -> Iterator[str]:
    with file:
        file.seek(0)
        yield from decoded(file)
