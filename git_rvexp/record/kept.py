"""Texts kept in the record by their content: manifests, and small results whose numbers may be compared later.

A text stands as the note on its own blob, so that fetching, merging and pushing the record carries it along, and no
two of one name can ever differ. `git notes --ref=rvexp show BLOB` prints it.
"""

from collections.abc import Iterable

from git_rvexp.git import notes
from git_rvexp.git.notes import Tip
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.events import union
from git_rvexp.record.ledger import Ledger
from git_rvexp.tree import blob_id


def keep(ledger: Ledger, texts: Iterable[str]) -> list[str]:
    """Put `texts` into the record; the blob of each, in their order. Those that are there already cost nothing."""
    repo, known = ledger.repo, list(texts)
    blobs = [_blob(repo, text) for text in known]

    def holding(at: Tip) -> Tip:
        there = notes.read(repo, at, dict.fromkeys(blobs))
        new = {blob: text for blob, text in zip(blobs, known, strict=True) if blob not in there}
        return notes.write(repo, at, new, "rvexp: kept") if new else at

    ledger.move(holding, "rvexp: kept")
    return blobs


def kept(repo: Repo, blob: str) -> str | None:
    """The text kept as `blob`; None when this clone's record has none, or one that was tampered with."""
    text = notes.read(repo, notes.tip(repo), [blob]).get(blob) if blob else None
    return text if text is not None and _blob(repo, text, write=False) == blob else None


def merged(oid: str, one: str, other: str) -> str:
    """What two notes on one object are together: the union of their lines, or the text that is kept as this object."""
    for text in (one, other):
        data = text.encode("utf-8", "surrogateescape")
        if text and blob_id([data], len(data), width=len(oid)) == oid:
            return text
    return union(one, other)


def _blob(repo: Repo, text: str, *, write: bool = True) -> str:
    flags = ["-w"] if write else []
    done = repo.git("hash-object", *flags, "--stdin", stdin=text.encode("utf-8", "surrogateescape"))
    return done.text
