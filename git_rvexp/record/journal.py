"""The record as lines that travel through a place of write-once files: what is news to it, and taking its news in.

One file is JSON lines `[annotated object, text]`; the text is lines of its note, or the whole of a text kept by its
content (`record.kept`). Files are only ever added, so two writers cannot disturb each other, and the union of all
files is the record. What a place is known to hold stands in a notes ref of its own (`MIRROR`), which is never pushed.
How files get there is not known here.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from git_rvexp.errors import RvexpError
from git_rvexp.git import notes
from git_rvexp.git.notes import Tip
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.events import distinct
from git_rvexp.record.kept import merged
from git_rvexp.record.ledger import Ledger

MIRROR = "refs/rvexp/stored"
PIECE = 16 << 20
"""Bytes from which on news go into another file."""
LARGEST = 4 * PIECE
"""A file that is larger is none of ours."""

Texts = Mapping[str, str]


class NoLinesError(RvexpError):
    """A file is no file of a record."""


def mirror(place: str) -> str:
    """The ref of what `place` (an address) is known to hold."""
    return f"{MIRROR}/{hashlib.sha256(place.encode()).hexdigest()[:12]}"


def news(repo: Repo, ref: str) -> Iterator[Texts]:
    """What our record has and the place behind `ref` is not known to have, in parts of about PIECE bytes."""
    ours, there = notes.tip(repo), notes.tip(repo, ref)
    part: dict[str, str] = {}
    size = 0
    for oid, text in _unlike(repo, ours, there):
        part[oid] = text
        size += len(text)
        if size >= PIECE:
            yield part
            part, size = {}, 0
    if part:
        yield part


def written(texts: Texts) -> bytes:
    """The file that says `texts`."""
    return "".join(json.dumps([oid, texts[oid]]) + "\n" for oid in sorted(texts)).encode("ascii")


def read(repo: Repo, data: bytes) -> Texts:
    """What a file says. NoLinesError when it is none of ours."""
    texts: dict[str, str] = {}
    try:
        for line in data.decode("ascii").splitlines():
            oid, text = _entry(line, len(repo.null_oid))
            texts[oid] = merged(oid, texts.get(oid, ""), text)
    except (ValueError, TypeError, RecursionError) as why:
        raise NoLinesError(f"these are no lines of a record: {why}") from why
    return texts


def take(ledger: Ledger, ref: str, texts: Texts) -> None:
    """Note that the place behind `ref` holds `texts`, and add to our record what it lacks of them."""
    repo = ledger.repo
    ledger.move(lambda at: _added(repo, at, texts), "rvexp: in the store", ref)
    ledger.move(lambda at: _added(repo, at, texts), "rvexp: from the store")


def forget(repo: Repo, ref: str) -> None:
    """Think nothing of what the place behind `ref` holds: everything is news again."""
    known = notes.tip(repo, ref)
    if known:
        repo.git("update-ref", "-d", ref, known.commit)


def _entry(line: str, width: int) -> tuple[str, str]:
    oid, text = json.loads(line)
    if not isinstance(text, str) or len(oid) != width or not re.fullmatch("[0-9a-f]+", oid):
        raise ValueError(f"{line[:80]!r} is not [object, text]")
    return oid, text


def _unlike(repo: Repo, ours: Tip, there: Tip) -> Iterator[tuple[str, str]]:
    """Object and text of every note of `ours` that `there` lacks, of notes that both have only the lines it lacks."""
    if not ours:
        return
    base = there.commit or repo.git("hash-object", "-t", "tree", "--stdin", stdin=b"").text
    oids = notes.changed(repo, base, ours)
    left, right = notes.read(repo, ours, oids), notes.read(repo, there, oids)
    for oid, text in left.items():
        known = set(right.get(oid, "").split("\n"))
        lacking = text if oid not in right else "".join(f"{x}\n" for x in text.split("\n") if x and x not in known)
        if lacking:
            yield oid, lacking


def _added(repo: Repo, at: Tip, texts: Texts) -> Tip:
    """A commit on `at` that holds `texts` too; `at` itself where it does already."""
    before = notes.read(repo, at, texts)
    after = {oid: merged(oid, before.get(oid, ""), text) for oid, text in texts.items()}
    new = {oid: text for oid, text in after.items() if distinct(text) != distinct(before.get(oid, ""))}
    return notes.write(repo, at, new, "rvexp: from the store") if new else at
