"""The index of the record: names the notes to look into, follows every change, is not believed when damaged."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.model import Snapshot
from git_rvexp.record.index import index
from tests.conftest import Clone
from tests.notebook import Notebook


@pytest.fixture
def book(clone: Clone) -> Notebook:
    """A clone."""
    return Notebook(clone)


@pytest.fixture
def pair(book: Notebook) -> tuple[Snapshot, Snapshot]:
    """Two snapshots with a run each, the second's not ended."""
    one, two = book.snapshot("al/roads/2026-11-01/one"), book.snapshot("al/roads/2026-11-01/two")
    book.ended(one)
    book.now += dt.timedelta(hours=1)
    book.submitted(two, "job-of-two")
    return one, two


def kept(book: Notebook) -> Path:
    """Where the index stands."""
    return book.repo.state_dir / "index"


LATER = "2026-12-01T00:00:00"


def test_runs_and_jobs_are_found_by_how_they_begin(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """By run id, its prefix, and job id; nothing for what nobody recorded."""
    one, two = pair
    run = book.found_of(one).run.run
    for text, wanted in ((run, [one.oid]), (run[:6], [one.oid]), ("job-of-two", [two.oid]), ("nothing", [])):
        assert index(book.repo).naming(text) == wanted


def test_open_and_recent_ones_stand(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """What has not ended at any time, what has ended since the time given."""
    one, two = pair
    assert index(book.repo).standing(LATER) == [two.oid]
    assert set(index(book.repo).standing("2026-11-02T12:00:00")) == {one.oid, two.oid}


def test_it_follows_what_is_written_and_removed(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """A new run, an end, a note that plain git removed: each shows at the next look, and nothing else is read."""
    one, two = pair
    index(book.repo)
    book.tell(two, "ended", run=book.found_of(two).run.run, state="SUCCEEDED", exit=0, seconds=1)
    assert index(book.repo).standing(LATER) == []
    more = book.submitted(one)
    assert index(book.repo).standing(LATER) == [one.oid]
    assert index(book.repo).naming(str(more.run)) == [one.oid]
    book.clone.git("notes", "--ref", "rvexp", "remove", one.oid)
    assert index(book.repo).standing(LATER) == []
    assert index(book.repo).naming("job-of-two") == [two.oid]


def test_another_history_of_the_record_is_taken_up(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """After the record was set back, or its old commit is gone for good, the index is that of the new one."""
    one, two = pair
    before = book.clone.git("rev-parse", "refs/notes/rvexp")
    more = book.submitted(one)
    index(book.repo)
    book.clone.git("update-ref", "refs/notes/rvexp", before)
    assert index(book.repo).naming(str(more.run)) == []
    book.submitted(one)
    index(book.repo)
    book.clone.git("update-ref", "refs/notes/rvexp", before)
    book.clone.git("reflog", "expire", "--expire=now", "--all")
    book.clone.git("gc", "-q", "--prune=now")
    assert index(book.repo).standing(LATER) == [two.oid]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b" open ", b" over "),
        lambda data: data[:0],
        lambda data: b"\xff\x00" + data,
        lambda data: data.replace(b"rvexp-index-1", b"rvexp-index-9"),
        lambda data: data[:20] + b"f" * 4 + data[24:],
    ],
    ids=["cut", "altered", "empty", "binary", "of another form", "of another commit"],
)
def test_a_damaged_index_is_made_anew(
    book: Notebook, pair: tuple[Snapshot, Snapshot], damage: Callable[[bytes], bytes]
) -> None:
    """What does not agree with its checksum is not read, and the next one is sound."""
    index(book.repo)
    sound = kept(book).read_bytes()
    kept(book).write_bytes(damage(sound))
    assert index(book.repo).standing(LATER) == [pair[1].oid]
    assert kept(book).read_bytes() == sound


def test_an_index_that_cannot_be_kept_is_done_without(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """A folder stands in its place: the answer is the same, and nothing is said or left behind."""
    kept(book).mkdir(parents=True)
    assert index(book.repo).standing(LATER) == [pair[1].oid]
    assert [p.name for p in kept(book).parent.iterdir() if p.name.startswith("index")] == ["index"]


def test_ids_of_several_words_are_always_looked_into(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """A job id that would break the index's lines hides neither itself nor others."""
    book.submitted(pair[0], "odd\nid over x")
    assert pair[0].oid in index(book.repo).naming("odd\nid over x")
    assert pair[0].oid in index(book.repo).standing(LATER)


def test_a_run_is_shown_through_the_index_as_without_it(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """By prefix, with the old index, a damaged one and none: the same page."""
    run = book.found_of(pair[0]).run.run
    pages = [book.clone.rvexp("show", run[:7]).stdout]
    kept(book).write_bytes(b"junk")
    pages.append(book.clone.rvexp("show", run[:7]).stdout)
    kept(book).unlink()
    pages.append(book.clone.rvexp("show", run[:7]).stdout)
    assert pages[0] == pages[1] == pages[2]
    assert pair[0].tag in pages[0]


def test_a_run_without_a_snapshot_and_one_whose_first_line_is_missing_are_found(book: Notebook) -> None:
    """A record on a plain commit has no tag; one on a tag has it though no line says so."""
    head = book.clone.git("rev-parse", "HEAD")
    plain = book.submitted(Snapshot("", head, head, ""), "plain-job")
    made = book.snapshot("al/roads/2026-11-01/one")
    book.clone.git("notes", "--ref", "rvexp", "remove", made.oid)
    tagged = book.submitted(made, "tagged-job")
    told = {line.split("\t")[0]: line.split("\t")[1] for line in book.clone.rvexp("status").stdout.splitlines()}
    assert told == {str(plain.run): "(no snapshot)", str(tagged.run): made.tag}
