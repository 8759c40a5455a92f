"""The record and the store: what the store has and we lack comes in, what we have and it lacks goes there.

Each file is named by what it hashes to and written once. Which files were read is kept in a file of the git directory;
one that was read and is gone is told, and everything is put there again.
"""

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

from git_rvexp.data.store import GoneError, Store, UnequalError
from git_rvexp.git.plumbing import Repo
from git_rvexp.jitter import token
from git_rvexp.names import Digest
from git_rvexp.record import journal
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.storing import shelf


def receive(context: Context) -> None:
    """Take in every file of the record that was not read yet. A damaged one is told and left alone.

    RvexpError for one that cannot be read now: what it says is not known to be absent.
    """
    where, store = context.trusted().store, Store(context.trusted())
    ref, known = journal.mirror(where), _known(context.repo, where)
    there = {uri: digest for uri in store.names(shelf.record_at(where)) if (digest := shelf.lines_digest(where, uri))}
    lost = known - there.keys()
    if lost:
        context.warn(f"{len(lost)} file(s) of the record are gone from the store; what they said is put there again")
        journal.forget(context.repo, ref)
        known = set()
    taken = set(known)
    try:
        for uri in sorted(there.keys() - known):
            if texts := _texts(context, store, uri, there[uri]):
                journal.take(context.ledger, ref, texts)
                taken.add(uri)
    finally:
        if taken != known or lost:
            _keep(context.repo, where, taken)


def send(context: Context) -> None:
    """Put into the store what it lacks of our record."""
    where, store = context.trusted().store, Store(context.trusted())
    ref = journal.mirror(where)
    for texts in journal.news(context.repo, ref):
        data = journal.written(texts)
        uri = shelf.record_uri(where, Digest.of(data))
        store.put(uri, data)
        journal.take(context.ledger, ref, texts)
        _keep(context.repo, where, _known(context.repo, where) | {uri})


def _texts(context: Context, store: Store, uri: str, digest: Digest) -> journal.Texts:
    """What a file says; nothing, which is told, when it is not what its name says or no file of ours."""
    out = io.BytesIO()
    try:
        store.get(uri, digest, out, most=journal.LARGEST)
        return journal.read(context.repo, out.getvalue())
    except (UnequalError, GoneError, journal.NoLinesError) as why:
        context.warn(f"a file of the record in the store cannot be used: {why}")
        return {}


def _path(repo: Repo, where: str) -> Path:
    return repo.state_dir / f"store-{hashlib.sha256(where.encode()).hexdigest()[:12]}"


def _known(repo: Repo, where: str) -> set[str]:
    path = _path(repo, where)
    return set(path.read_text("utf-8").split("\n")) - {""} if path.is_file() else set()


def _keep(repo: Repo, where: str, uris: Iterable[str]) -> None:
    path = _path(repo, where)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{token()}")
    partial.write_text("".join(f"{uri}\n" for uri in sorted(uris)), "utf-8")
    partial.replace(path)
