"""Logs that are kept in a store: any clone has them when the executor has none, and believes only recorded ones."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from git_rvexp.data.store import UnequalError
from git_rvexp.errors import RvexpError
from git_rvexp.model import Plan, Snapshot
from git_rvexp.record import share
from git_rvexp.settings import Settings
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.copies import Kept
from git_rvexp.workflow.following.keeping import Part, keep, lines_of
from git_rvexp.workflow.sync import sync
from tests.conftest import Clone
from tests.doubles.scripted import Scripted
from tests.integration.parts import Stack
from tests.notebook import Notebook

LINES = ["epoch 1", "zwei: ä", ""]


class Printer(Scripted):
    """An executor whose logs are at hand; without lines it no longer has them."""

    def __init__(self, *lines: str, forgotten: bool = False) -> None:
        super().__init__(None)
        self.lines, self.forgotten = lines, forgotten

    def logs(self, job: str, **_part: object) -> Iterator[str]:
        """Its lines."""
        if self.forgotten:
            raise RvexpError(f"nobody knows job {job}")
        yield from self.lines


@pytest.fixture
def bucket(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of this test's own, on a real S3 server that the test's credentials reach."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    name = f"logs-{uuid.uuid4().hex[:12]}"
    stack.aws("s3api", "create-bucket", "--bucket", name)
    return name


@pytest.fixture
def book(clone: Clone, bucket: str) -> Notebook:
    """A clone with an experiments remote and a store."""
    made = Notebook(clone, Settings(store=f"s3://{bucket}/exp"))
    made.make_remote()
    return made


@pytest.fixture
def run(book: Notebook) -> tuple[Snapshot, Plan]:
    """A run that has ended."""
    snapshot = book.snapshot("al/roads/2026-11-01/first")
    return snapshot, book.ended(snapshot)


def asking(book: Notebook, executor: Printer) -> Executors:
    """The executors of a clone, all of them this one."""
    return Executors(book.context, lambda *_: executor)


def saved(book: Notebook, plan: Plan) -> Kept:
    """The log of the run, kept."""
    found = book.found(plan.run)
    return keep(
        book.context, found, lines_of(book.context, found, asking(book, Printer(*LINES)), Part(), follow=False), ""
    )


def printed(book: Notebook, plan: Plan, executor: Printer) -> list[str]:
    """What `logs` prints in a clone."""
    found = book.found(plan.run)
    return list(lines_of(book.context, found, asking(book, executor), Part(), follow=False))


def colleague(book: Notebook, new_clone: Callable[[str], Clone]) -> Notebook:
    """Another clone with the same remote and the same settings, in step."""
    other = replace(book, clone=new_clone(f"other-{uuid.uuid4().hex[:6]}"), said=[], warned=[])
    sync(other.context)
    return other


@pytest.mark.parametrize("executor", [Printer(), Printer(forgotten=True)], ids=["no stream", "no job"])
def test_any_clone_has_a_kept_log(
    book: Notebook, run: tuple[Snapshot, Plan], new_clone: Callable[[str], Clone], executor: Printer, stack: Stack
) -> None:
    """Saved in one clone, printed in another after the executor forgot it, and kept there from then on."""
    kept = saved(book, run[1])
    share.push_notes(book.ledger)
    other = colleague(book, new_clone)
    assert printed(other, run[1], executor) == LINES
    assert any(f"the copy kept at {kept.uri}" in line for line in other.said)
    stack.aws("s3api", "delete-object", "--bucket", kept.uri.split("/")[2], "--key", kept.uri.split("/", 3)[3])
    other.said.clear()
    assert printed(other, run[1], executor) == LINES
    assert any("the copy kept in this clone" in line for line in other.said)


def test_the_object_is_named_by_what_it_holds(book: Notebook, run: tuple[Snapshot, Plan], bucket: str) -> None:
    """Twice the same log: one object, one line in the record; the executor's own log is read while there is one."""
    first, second = saved(book, run[1]), saved(book, run[1])
    assert first == second
    assert first.uri == f"s3://{bucket}/exp/logs/{str(first.digest).removeprefix('sha256:')}.log"
    (event,) = book.ledger.record(run[0].oid).of("log")
    assert (event.get("uri"), event.get("lines"), event.get("bytes")) == (
        first.uri,
        3,
        len("\n".join(LINES).encode()) + 1,
    )
    assert printed(book, run[1], Printer("live")) == ["live"]


def test_a_copy_that_is_not_the_recorded_one_is_refused(
    book: Notebook, run: tuple[Snapshot, Plan], new_clone: Callable[[str], Clone], stack: Stack, tmp_path: Path
) -> None:
    """Altered in the store: nothing of it is printed or kept. Altered in a clone: the store's is taken instead."""
    kept = saved(book, run[1])
    share.push_notes(book.ledger)
    kept.path.write_text("forged\n")
    assert printed(book, run[1], Printer(forgotten=True)) == LINES
    assert kept.path.read_text() == "forged\n"
    (tmp_path / "forged").write_text("forged\n")
    place = ["--bucket", kept.uri.split("/")[2], "--key", kept.uri.split("/", 3)[3]]
    stack.aws("s3api", "put-object", *place, "--body", str(tmp_path / "forged"))
    other = colleague(book, new_clone)
    for each in (other, book):
        with pytest.raises(UnequalError):
            printed(each, run[1], Printer(forgotten=True))
    assert list((other.repo.state_dir / "logs").iterdir()) == []


def test_only_the_users_own_store_is_asked(
    book: Notebook, run: tuple[Snapshot, Plan], new_clone: Callable[[str], Clone], bucket: str
) -> None:
    """A record may name any bucket, and reading there would sign a request for whoever has it."""
    kept = saved(book, run[1])
    share.push_notes(book.ledger)
    for store in (f"s3://{bucket}/experiments", f"s3://{bucket}/ex", ""):
        other = colleague(book, new_clone)
        other.settings = Settings(store=store)
        with pytest.raises(RvexpError, match="nobody knows job"):
            printed(other, run[1], Printer(forgotten=True))
        assert any(f"{kept.uri}, which is not in your store" in line for line in other.warned)
        assert not (other.repo.state_dir / "logs").exists()


def test_a_store_that_cannot_be_written_is_said_and_the_log_kept_here(
    book: Notebook, run: tuple[Snapshot, Plan], bucket: str
) -> None:
    """It exits as a failure, the record has the line without a place; a second try with the store there adds it."""
    there = book.settings
    book.settings = Settings(store="s3://nobody-has-this-bucket/x")
    with pytest.raises(RvexpError, match="kept in this clone only"):
        saved(book, run[1])
    assert printed(book, run[1], Printer(forgotten=True)) == LINES
    book.settings = there
    assert saved(book, run[1]).uri
    assert [bool(e.get("uri")) for e in book.ledger.record(run[0].oid).of("log")] == [False, True]


def test_by_the_command_line(book: Notebook, run: tuple[Snapshot, Plan], new_clone: Callable[[str], Clone]) -> None:
    """Batch no longer knows the job: the copy comes from the store, and stderr says so."""
    kept = saved(book, run[1])
    share.push_notes(book.ledger)
    other = colleague(book, new_clone)
    other.clone.git("config", "rvexp.store", book.settings.store)
    done = other.clone.rvexp("logs", str(run[1].run))
    assert (done.returncode, done.stdout.splitlines()) == (0, LINES), done.stderr
    assert kept.uri in done.stderr
