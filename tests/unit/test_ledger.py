"""The ledger: nothing is lost to concurrency, to other fan-outs or to plain git's own notes commands."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.errors import GitError
from git_rvexp.git import notes
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.ledger import Ledger
from tests.conftest import Clone


def ledger_of(path: Path) -> Ledger:
    """The ledger of a clone."""
    return Ledger(Repo.discover(path, os.environ))


def append_many(path: Path, oid: str, writer: int, count: int) -> None:
    """What one writer process does."""
    ledger = ledger_of(path)
    for number in range(count):
        ledger.append(oid, ledger.event("test", {"writer": writer, "number": number}))


def test_events_come_back_in_order(clone: Clone) -> None:
    """Appending keeps what was there; plain git shows the same lines."""
    ledger = ledger_of(clone.path)
    oid = clone.git("rev-parse", "HEAD")
    for number in range(3):
        ledger.append(oid, ledger.event("test", {"number": number}))
    assert [e.get("number") for e in ledger.record(oid).events] == [0, 1, 2]
    assert clone.git("notes", "--ref=rvexp", "show", oid).count(" test number=") == 3


def test_eight_writers_lose_nothing(clone: Clone) -> None:
    """8 processes x 25 events on one object: 200 lines (plain `git notes append` keeps about a fifth)."""
    oid = clone.git("rev-parse", "HEAD")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=append_many, args=(clone.path, oid, w, 25)) for w in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = {(e.get("writer"), e.get("number")) for e in ledger_of(clone.path).record(oid).events}
    assert found == {(w, n) for w in range(8) for n in range(25)}
    assert clone.git("fsck", "--strict", "--no-dangling") == ""


def test_notes_that_plain_git_wrote_are_kept(clone: Clone) -> None:
    """Flat, fanned-out and appended notes are read and written where they stand."""
    ledger = ledger_of(clone.path)
    oid = clone.git("rev-parse", "HEAD")
    clone.git("notes", "--ref=rvexp", "add", "-m", "written by hand", oid)
    ledger.append(oid, ledger.event("test", {}))
    clone.git("notes", "--ref=rvexp", "append", "-m", '2026-01-01T00:00:00.000Z test by="hand"', oid)
    record = ledger.record(oid)
    assert [d.line for d in record.damaged] == ["written by hand"]
    assert len(record.of("test")) == 2
    assert clone.git("notes", "--ref=rvexp", "list").count("\n") == 0


def test_a_note_in_two_places_becomes_one(clone: Clone) -> None:
    """Two fan-outs of one object, as two clients can make, are read together and written once."""
    repo = Repo.discover(clone.path, os.environ)
    oid = clone.git("rev-parse", "HEAD")
    blobs = [
        repo.git("hash-object", "-w", "--stdin", stdin=f"2026-01-01T00:00:00.00{n}Z test n={n}\n".encode()).text
        for n in (1, 2)
    ]
    inner = repo.git("mktree", stdin=f"100644 blob {blobs[0]}\t{oid[2:]}\n".encode()).text
    entries = f"040000 tree {inner}\t{oid[:2]}\n100644 blob {blobs[1]}\t{oid}\n"
    tree = repo.git("mktree", stdin=entries.encode()).text
    clone.git("update-ref", notes.REF, clone.git("commit-tree", "-m", "two", tree))
    ledger = Ledger(repo)
    assert [e.get("n") for e in ledger.record(oid).events] == [1, 2]
    ledger.append(oid, ledger.event("test", {"n": 3}))
    assert [e.get("n") for e in ledger.record(oid).events] == [1, 2, 3]
    assert clone.git("ls-tree", "-r", "--name-only", notes.REF).count("\n") == 0


@pytest.mark.parametrize("length", [1, 300])
def test_many_objects_are_read_at_once(clone: Clone, length: int) -> None:
    """Every object's own note, absent ones empty."""
    repo = Repo.discover(clone.path, os.environ)
    oids = [f"{n:040x}" for n in range(length)]
    texts = {oid: f'2026-01-01T00:00:00.000Z test oid="{oid}"\n' for oid in oids[::2]}
    new = notes.write(repo, notes.Tip(""), texts, "many")
    assert notes.swap(repo, new, notes.Tip(""), "test")
    records = Ledger(repo).records(oids)
    assert [len(records[oid].events) for oid in oids] == [1 - n % 2 for n in range(length)]
    assert notes.listed(repo, new).keys() == texts.keys()


def test_a_swap_that_lost_the_race_changes_nothing(clone: Clone) -> None:
    """The second of two writers with the same view is told, and the first one's line stands."""
    repo = Repo.discover(clone.path, os.environ)
    first = notes.write(repo, notes.Tip(""), {"0" * 40: "one\n"}, "one")
    second = notes.write(repo, notes.Tip(""), {"0" * 40: "two\n"}, "two")
    assert notes.swap(repo, first, notes.Tip(""), "test")
    assert not notes.swap(repo, second, notes.Tip(""), "test")
    assert notes.tip(repo) == first


def test_a_lock_that_was_left_behind_is_told_clearly(new_clone: Callable[[str], Clone]) -> None:
    """What cannot be written is an error and leaves the record as it was."""
    clone = new_clone("sealed")
    ledger = ledger_of(clone.path)
    oid = clone.git("rev-parse", "HEAD")
    ledger.append(oid, ledger.event("test", {}))
    blocked = clone.path / ".git" / "refs" / "notes" / "rvexp.lock"
    blocked.write_text("")
    impatient = Ledger(ledger.repo, sleep=lambda _seconds: None)
    with pytest.raises(GitError, match=r"rvexp\.lock"):
        impatient.append(oid, impatient.event("test", {}))
    blocked.unlink()
    assert len(ledger.record(oid).events) == 1
