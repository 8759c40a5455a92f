"""One driver at a time for a chain, and what it was about to do when it died.

A file in the clone's own folder is locked while a chain is driven; a lock does not outlive its process. In it stands a
name for this clone as a driver, which the record repeats, and the run that was handed over last. So after a kill the
next driver in the same clone knows which single step may have a job that nobody wrote down, and that the steps
after it have none. Another clone cannot know: the record and the executor are all that it has.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from git_rvexp.errors import PendingError
from git_rvexp.git.plumbing import Repo
from git_rvexp.locks import lock
from git_rvexp.names import RunId


@dataclass(frozen=True)
class Hold:
    """The right to drive a chain. `driver` is this clone's name in it; `sent` the run handed over last."""

    file: IO[str]
    driver: str
    sent: str

    def surely_unsent(self, run: str, driver: str) -> bool:
        """Whether a planned run of a chain that `driver` drove last has no job: else only the executor can tell."""
        return run != self.sent and driver == self.driver

    def leave_word(self, run: str = "") -> None:
        """Write who drives, and which run is being handed over.

        The word stands until the next one: it counts only as long as the record has nothing but the run's plan, which
        is so too when what came of it could not be written down.
        """
        self.file.seek(0)
        self.file.truncate()
        self.file.write(f"{self.driver}\n{run}")
        self.file.flush()


@contextmanager
def held(repo: Repo, chain: str) -> Iterator[Hold]:
    """Be the chain's driver; PendingError when another process of this clone is, LocklessError if nobody can tell."""
    path = repo.state_dir / "chains" / chain
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as file:
        _lock(file, path, chain)
        file.seek(0)
        driver, _, sent = file.read().partition("\n")
        hold = Hold(file, driver or str(RunId.new()), sent)
        if not driver:
            hold.leave_word()
        yield hold


def _lock(file: IO[str], path: Path, chain: str) -> None:
    try:
        lock(file, path, wait=False, hint="work in a clone on a file system with locks, such as a local disk")
    except BlockingIOError as why:
        raise PendingError(
            f"chain {chain} is being driven by another command in this clone\n  it holds {path}",
            hint="git rvexp status",
        ) from why
