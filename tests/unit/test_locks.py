"""File systems without locks: what needs none goes on, and what needs one is refused."""

import errno
import fcntl
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.executors.docker_turn import in_turn
from git_rvexp.git.plumbing import Repo
from git_rvexp.locks import LocklessError, lock
from git_rvexp.record.ledger import Ledger
from git_rvexp.workflow.chain.hold import held
from tests.conftest import Clone

NO_LOCKS = [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK]


def refusing(number: int) -> Callable[[object, int], None]:
    """The system's `flock` as it answers on a file system without locks."""

    def flock(_file: object, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    return flock


@pytest.fixture
def lockless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system whose file system has no locks, for as long as the test goes."""
    monkeypatch.setattr(fcntl, "flock", refusing(request.param))


def append_many(path: Path, oid: str, writer: int, count: int) -> None:
    """What one writer process does."""
    fcntl.flock = refusing(errno.ENOSYS)
    ledger = Ledger(Repo.discover(path, os.environ))
    for number in range(count):
        ledger.append(oid, ledger.event("test", {"n": f"{writer}-{number}"}))


def test_writers_without_locks_lose_nothing(clone: Clone) -> None:
    """8 processes x 25 events on one object: the compare-and-swap of the ref keeps all 200."""
    oid = clone.git("rev-parse", "HEAD")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=append_many, args=(clone.path, oid, w, 25)) for w in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 8
    record = Ledger(Repo.discover(clone.path, os.environ)).record(oid)
    assert {e.get("n") for e in record.events} == {f"{w}-{n}" for w in range(8) for n in range(25)}
    assert len(record.events) == 200
    assert clone.git("fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("lockless", NO_LOCKS, indirect=True)
@pytest.mark.usefixtures("lockless")
def test_the_record_needs_no_lock(clone: Clone) -> None:
    """Whatever the file system says, the line is written."""
    oid = clone.git("rev-parse", "HEAD")
    ledger = Ledger(Repo.discover(clone.path, os.environ))
    ledger.append(oid, ledger.event("test", {}))
    assert len(ledger.record(oid).events) == 1


def test_a_writer_that_stands_still_holds_nobody_up(clone: Clone) -> None:
    """It was stopped with the lock in its hands, or is asked for a passphrase: others wait a while, then go on."""
    oid, slept = clone.git("rev-parse", "HEAD"), list[float]()
    ledger = Ledger(Repo.discover(clone.path, os.environ), sleep=slept.append)
    ledger.append(oid, ledger.event("test", {"n": 1}))
    path = ledger.repo.state_dir / "lock"
    with path.open("ab") as held:
        lock(held, path)
        ledger.append(oid, ledger.event("test", {"n": 2}))
    assert [event.get("n") for event in ledger.record(oid).events] == [1, 2]
    assert 5 < sum(slept) < 30


@pytest.mark.parametrize("lockless", NO_LOCKS, indirect=True)
@pytest.mark.usefixtures("lockless")
def test_a_chain_needs_one(clone: Clone) -> None:
    """Two drivers would hand over a step twice: refused, with the file and what helps."""
    repo = Repo.discover(clone.path, os.environ)
    with (
        pytest.raises(LocklessError, match=r"chains/0123456789 cannot be locked: ") as refused,
        held(repo, "0123456789"),
    ):
        pass
    assert "local disk" in str(refused.value.hint)


@pytest.mark.parametrize("lockless", NO_LOCKS, indirect=True)
@pytest.mark.usefixtures("lockless")
def test_a_turn_at_the_engine_needs_one() -> None:
    """The same for the start of an array's child."""
    with pytest.raises(LocklessError, match=r"\.lock cannot be locked: ") as refused, in_turn():
        pass
    assert "TMPDIR" in str(refused.value.hint)
