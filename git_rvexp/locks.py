"""Locks on files, which end with the process that holds them."""

import errno
from pathlib import Path
from typing import IO, Any

from git_rvexp.errors import RvexpError

# What a file system without locks says: Lustre mounted without them, NFS without its lock daemon, FUSE.
_NO_LOCKS = frozenset((errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK))


class LocklessError(RvexpError):
    """The file system has no locks."""


def lock(file: IO[Any] | int, path: Path, *, wait: bool = True, hint: str | None = None) -> None:
    """Lock an open file until it is closed; on a system that has no file locks at all (docs/platforms.md) do nothing.

    LocklessError, with `hint`, when only the file system has none. BlockingIOError when another process holds the lock
    and we do not `wait`; OSError for what else can go wrong.
    """
    try:
        import fcntl  # noqa: PLC0415  POSIX only
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as why:
        if why.errno in _NO_LOCKS:
            raise LocklessError(
                f"{path} cannot be locked: {why.strerror}\n"
                "  the file system has no locks, and two commands at once would do the same thing twice",
                hint=hint,
            ) from why
        raise
