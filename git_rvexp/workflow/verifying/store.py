"""The store in S3: the copies that the record names are there, and are what was put there."""

import os
from collections.abc import Iterator
from pathlib import Path

from git_rvexp.data.store import GoneError, Store, UnequalError, is_below
from git_rvexp.errors import RvexpError
from git_rvexp.names import Digest
from git_rvexp.record.events import Event, parse
from git_rvexp.workflow.storing import shelf
from git_rvexp.workflow.verifying.link import Link, changed, ok, unknown
from git_rvexp.workflow.verifying.outside import Outside
from git_rvexp.workflow.verifying.subject import Subject

_SYNC = "git rvexp sync puts it there again"


def copies(outside: Outside, subject: Subject, *, deep: bool) -> Iterator[Link]:
    """One link for each store that the record names; none where it names none. With `deep` every byte is read.

    Only the store of the settings is asked: whoever may push the record may name any. A repeat needs none of them: what
    is copied there is here.
    """
    newest = {str(event.get("store")): event for event in parse(subject.history.text).of("stored")}
    for event in newest.values():
        yield _store(outside, event, deep=deep)


def _store(outside: Outside, event: Event, *, deep: bool) -> Link:
    where, kinds = str(event.get("store")), [kind for kind in shelf.KINDS if event.get(kind)]
    try:
        settings = outside.context.trusted()
        store = Store(settings)
        for kind in kinds:
            uri = str(event.get(kind))
            if not is_below(settings.store, uri):
                text = f"the record names a copy at {uri}, which is not in your store: it is not asked for"
                return unknown("store", text, needed=False)
            _look(store, uri, Digest(f"sha256:{event.get(f'{kind}_sha256')}"), deep=deep)
    except (GoneError, UnequalError) as why:
        remedy = _SYNC if isinstance(why, GoneError) else "ask who did it; an older version may be there still"
        return changed("store", str(why).replace("\n  ", "; "), remedy, needed=False)
    except RvexpError as why:
        return unknown("store", why, needed=False)
    return ok("store", f"{where} has the {' and the '.join(kinds)} as they were put there")


def _look(store: Store, uri: str, digest: Digest, *, deep: bool) -> None:
    if deep:
        with Path(os.devnull).open("wb") as nowhere:
            store.get(uri, digest, nowhere)
        return
    found = store.digest(uri)
    if found is None:
        raise GoneError(f"there is no {uri}")
    if found[0] != digest:
        raise UnequalError(f"{uri} is not what was put there\n  recorded {digest}\n  it holds {found[0]}")
