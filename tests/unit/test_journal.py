"""The record through a place of write-once files: everything arrives, nothing twice, and hostile files do nothing."""

import os
from collections.abc import Callable

import pytest

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git.plumbing import Repo
from git_rvexp.record import journal
from git_rvexp.record.kept import keep, kept
from git_rvexp.record.ledger import Ledger
from tests.conftest import Clone

PLACE = journal.mirror("s3://bucket/exp")
A, B = "a" * 40, "b" * 40


def ledger_of(clone: Clone) -> Ledger:
    """The record of a clone."""
    return Ledger(Repo.discover(clone.path, os.environ))


def exchange(ledger: Ledger, files: set[bytes]) -> int:
    """Take in all files and put the news there; how many files that made."""
    for data in sorted(files):
        journal.take(ledger, PLACE, journal.read(ledger.repo, data))
    made = [(journal.written(texts), texts) for texts in journal.news(ledger.repo, PLACE)]
    for data, texts in made:
        files.add(data)
        journal.take(ledger, PLACE, texts)
    return len(made)


def test_two_records_become_one(clone: Clone, new_clone: Callable[[str], Clone]) -> None:
    """Both end with all lines, kept texts are as they were, and nothing goes around in circles."""
    one, two, files = ledger_of(clone), ledger_of(new_clone("other")), set[bytes]()
    one.append(A, one.event("note", {"text": "one"}))
    two.append(A, two.event("note", {"text": "two"}))
    two.append(B, two.event("note", {"text": "three"}))
    (blob,) = keep(two, ["b\na\na\n"])
    assert [exchange(one, files), exchange(two, files), exchange(one, files)] == [1, 1, 0]
    assert [exchange(two, files), exchange(one, files)] == [0, 0]
    assert one.records([A, B]) == two.records([A, B])
    assert [e.get("text") for e in one.record(A).events] == ["one", "two"]
    assert kept(one.repo, blob) == "b\na\na\n"


def test_what_comes_in_is_not_sent_back(clone: Clone, new_clone: Callable[[str], Clone]) -> None:
    """Only lines of our own are news, even on a note that both have written to."""
    one, two, files = ledger_of(clone), ledger_of(new_clone("other")), set[bytes]()
    one.append(A, one.event("note", {"text": "one"}))
    exchange(one, files)
    exchange(two, files)
    two.append(A, two.event("note", {"text": "two"}))
    (texts,) = journal.news(two.repo, PLACE)
    assert b"one" not in journal.written(texts)
    assert b"two" in journal.written(texts)


def test_forgotten_is_news_again(clone: Clone) -> None:
    """A place that lost its files gets everything."""
    ledger, files = ledger_of(clone), set[bytes]()
    ledger.append(A, ledger.event("note", {"text": "one"}))
    exchange(ledger, files)
    journal.forget(ledger.repo, PLACE)
    journal.forget(ledger.repo, PLACE)
    assert exchange(ledger, set()) == 1


@pytest.mark.parametrize(
    "data",
    [
        b'["aaaa", "short"]\n',
        b'["' + b"../" * 20 + b'", "path"]\n',
        b'["' + b"a" * 38 + b' a", "blank"]\n',
        b'["' + b"A" * 40 + b'", "upper case"]\n',
        b'["' + b"a" * 40 + b'", 1]\n',
        b"[1, 2, 3]\n",
        b"{}\n",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_file_of_another_kind_is_refused(clone: Clone, data: bytes) -> None:
    """Nothing of it reaches the record."""
    with pytest.raises(RvexpError, match="no lines of a record"):
        journal.read(ledger_of(clone).repo, data)


def test_a_strange_line_is_kept_as_damaged(clone: Clone) -> None:
    """As a line that anybody pushed would be: told, and the lines around it stay usable."""
    ledger = ledger_of(clone)
    ledger.append(A, ledger.event("note", {"text": "one"}))
    journal.take(ledger, PLACE, journal.read(ledger.repo, journal.written({A: "\x1b[2J junk\n"})))
    record = ledger.record(A)
    assert [e.get("text") for e in record.events] == ["one"]
    assert len(record.damaged) == 1


@pytest.mark.parametrize("lock", ["held", "forbidden"])
def test_a_ref_that_cannot_be_moved_is_told(clone: Clone, lock: str) -> None:
    """A lock that was left behind, or a folder in the way of one: an error in words, and no endless try."""
    ledger = ledger_of(clone)
    place = clone.path / ".git" / f"{PLACE}.lock"
    place.parent.mkdir(parents=True)
    if lock == "held":
        place.touch()
    else:
        place.parent.rmdir()
        place.parent.write_text("a file where git needs a folder\n")
    with pytest.raises(GitError, match="is locked: .*/stored/" if lock == "held" else "could not be written"):
        journal.take(Ledger(ledger.repo, sleep=lambda _seconds: None), PLACE, {A: "a line\n"})
    assert not ledger.record(A).events
