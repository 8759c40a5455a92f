"""One start at a time among a user's processes on this machine.

An engine starts a container that has ended once more when it is told to. So of two programs that look at an array in
the same instant, the second one has to see that a child was started before it tells the engine. Programs on two
machines that drive one engine are not kept apart.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from git_rvexp.errors import RvexpError
from git_rvexp.locks import lock


@contextmanager
def in_turn() -> Iterator[None]:
    """Wait for the other processes' turns; where the system has no file locks there is nothing to wait for.

    LocklessError when it has some and the folder of temporary files has none.
    """
    if os.name != "posix":
        yield
        return
    path = Path(tempfile.gettempdir()) / f"git-rvexp-{os.getuid()}.lock"
    try:
        # Somebody else's link of that name is not followed, nor is their file opened.
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as why:
        raise RvexpError(f"{path} cannot be opened: {why.strerror}") from why
    try:
        lock(file, path, hint="set TMPDIR to a folder on a local disk")
        yield
    finally:
        os.close(file)
