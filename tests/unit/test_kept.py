"""Texts kept in the record by their content."""

import os
from collections.abc import Callable

from git_rvexp.git import notes
from git_rvexp.git.plumbing import Repo
from git_rvexp.record import share
from git_rvexp.record.kept import keep, kept
from git_rvexp.record.ledger import Ledger
from tests.conftest import Clone

NOTES = "refs/notes/rvexp"


def ledger_of(clone: Clone) -> Ledger:
    """The record of a clone."""
    return Ledger(Repo.discover(clone.path, os.environ))


def test_a_text_is_kept_under_its_own_blob(clone: Clone) -> None:
    """Plain git shows it by that name, keeping it again writes nothing, and it is not taken for a record."""
    ledger = ledger_of(clone)
    (blob,) = keep(ledger, ["a\t1\tétag:x\t\n"])
    assert clone.git("notes", "--ref=rvexp", "show", blob) == "a\t1\tétag:x\t"
    before = clone.git("rev-parse", NOTES)
    assert keep(ledger, ["a\t1\tétag:x\t\n", "a\t1\tétag:x\t\n"]) == [blob, blob]
    assert clone.git("rev-parse", NOTES) == before
    assert kept(ledger.repo, blob) == "a\t1\tétag:x\t\n"
    assert blob not in notes.listed(ledger.repo, notes.tip(ledger.repo))


def test_gc_and_notes_prune_leave_it(clone: Clone) -> None:
    """It is reachable, and the object it annotates exists: itself."""
    ledger = ledger_of(clone)
    (blob,) = keep(ledger, ["text\n"])
    clone.git("reflog", "expire", "--expire=now", "--all")
    clone.git("notes", "--ref=rvexp", "prune")
    clone.git("gc", "-q", "--prune=now")
    assert kept(ledger.repo, blob) == "text\n"


def test_a_text_that_was_altered_is_none(clone: Clone) -> None:
    """Whoever appends to it by hand makes it unreadable, never another text."""
    ledger = ledger_of(clone)
    (blob,) = keep(ledger, ["text\n"])
    clone.git("notes", "--ref=rvexp", "append", "-m", "more", blob)
    assert kept(ledger.repo, blob) is None
    assert kept(ledger.repo, "0" * 40) is None
    assert kept(ledger.repo, "") is None


def test_a_merge_of_two_records_leaves_it_as_it_is(clone: Clone, new_clone: Callable[[str], Clone]) -> None:
    """Its lines are no events: they are neither sorted nor counted once."""
    text, other = "b\na\na\n", new_clone("other")
    (blob,) = keep(ledger_of(clone), [text])
    ours, theirs = ledger_of(other), ledger_of(clone)
    keep(ours, ["ours\n"])
    clone.git("init", "-q", "--bare", str(clone.path / "../shared.git"))
    for side in (clone, other):
        side.git("remote", "add", "experiments", str(clone.path / "../shared.git"))
    share.push_notes(theirs)
    share.push_notes(ours)
    assert kept(ours.repo, blob) == text


def test_it_travels_with_the_record(clone: Clone, new_clone: Callable[[str], Clone]) -> None:
    """Whoever fetches the notes has it."""
    (blob,) = keep(ledger_of(clone), ["text\n"])
    other = new_clone("other")
    other.git("fetch", "-q", str(clone.path), f"{NOTES}:{NOTES}")
    assert kept(ledger_of(other).repo, blob) == "text\n"
