"""One at a time: a lock file that a second command waits for."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from stacklib import paths
from stacklib.story import say


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Hold the lock `name` of this clone; whoever comes second says so and waits."""
    with (paths.folder("stack") / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another command to finish ({name})")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
