"""Put a snapshot into the store: its files as a zip, and the tag with its history as a git bundle.

What the store has is asked first, and what is missing is put there, so that a deposit that was cut is taken up by the
next one. The record's `stored` line is written last: it names both copies with their SHA-256.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from git_rvexp.data.store import Store, Stored, digest_of
from git_rvexp.git import bundles
from git_rvexp.git.objects import Objects
from git_rvexp.images import zipped
from git_rvexp.model import Snapshot
from git_rvexp.record.events import Event, Record
from git_rvexp.record.share import AlarmError
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.storing import shelf


def deposit(
    context: Context, snapshots: Iterable[Snapshot], there: Iterable[str] | None = None, *, accept: bool = False
) -> list[Snapshot]:
    """Put the copies of `snapshots` into the configured store; those for which anything had to be done.

    `there`: the names below `shelf.copies_at`, where they are known. AlarmError when the store has another tag object
    under a snapshot's name; with `accept` that is told and left as it is.
    """
    where, store = context.trusted().store, Store(context.trusted())
    known = None if there is None else list(there)
    done = []
    for snapshot in snapshots:
        names = store.names(shelf.copies_at(where, snapshot.tag)) if known is None else known
        copies = {c.uri: c for c in shelf.copies(where, names) if c.tag == snapshot.tag}
        try:
            refuse_other(snapshot, copies.values())
        except AlarmError as why:
            if not accept:
                raise
            context.warn(f"{why}; our own tag stays as it is")
        if not complete(context.ledger.record(snapshot.oid), where, copies):
            _deposit_one(context, store, where, snapshot)
            done.append(snapshot)
    return done


def refuse_other(snapshot: Snapshot, copies: Iterable[shelf.Copy]) -> None:
    """AlarmError when one of `copies` is of another tag object."""
    for copy in copies:
        if copy.tag == snapshot.tag and copy.oid != snapshot.oid:
            raise AlarmError(
                f"the store has another snapshot under this name\n"
                f"  refs/tags/{snapshot.tag}: here {snapshot.oid}, there {copy.oid}",
                hint="ask who put it there; `git rvexp sync --accept` keeps our tag and goes on",
            )


def complete(record: Record, where: str, there: Iterable[str]) -> bool:
    """Whether the record names both copies in the store `where`, and they are among the names `there`."""
    event, names = stored(record, where), set(there)
    return event is not None and {str(event.get(kind)) for kind in shelf.KINDS if event.get(kind)} <= names


def stored(record: Record, where: str) -> Event | None:
    """The newest line about copies in the store `where`."""
    return next((e for e in reversed(record.of("stored")) if e.get("store") == where), None)


def _deposit_one(context: Context, store: Store, where: str, snapshot: Snapshot) -> None:
    context.say(f"copying {snapshot.tag} to {where}")
    put: dict[str, Stored] = {}
    with _zip(context, snapshot) as file:
        if file:
            put[shelf.ZIP] = _put(store, where, snapshot, file, shelf.ZIP)
    with tempfile.TemporaryDirectory(prefix="rvexp-bundle-") as folder:
        path = Path(folder) / "snapshot.bundle"
        bundles.write(context.repo, snapshot, path)
        with path.open("rb") as bundle:
            put[shelf.BUNDLE] = _put(store, where, snapshot, bundle, shelf.BUNDLE)
    fields: dict[str, str | int] = {"store": where}
    for kind, one in put.items():
        fields |= {kind: one.uri, f"{kind}_sha256": str(one.digest).removeprefix("sha256:"), f"{kind}_bytes": one.size}
    before = stored(context.ledger.record(snapshot.oid), where)
    if before is None or dict(before.fields) != fields:
        context.ledger.append(snapshot.oid, context.ledger.event("stored", fields))


def _put(store: Store, where: str, snapshot: Snapshot, file: IO[bytes], kind: str) -> Stored:
    digest, _ = digest_of(file)
    return store.put(shelf.copy_uri(where, snapshot, digest, kind), file)


@contextmanager
def _zip(context: Context, snapshot: Snapshot) -> Iterator[IO[bytes] | None]:
    """The zip of the tag's files; None, and a warning, where a zip cannot hold them: the bundle can."""
    objects = Objects.of(context.repo)
    with tempfile.TemporaryFile(prefix="rvexp-zip-") as file:
        try:
            time = objects.commit_time(snapshot.commit)
            zipped.write(objects.tree(snapshot.tree), objects.blob, time=time, out=file)
        except zipped.UnzippableError as why:
            context.warn(f"no zip of {snapshot.tag} in the store, only its bundle: {why}")
            yield None
            return
        file.seek(0)
        yield file
