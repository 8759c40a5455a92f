"""Everything that can go wrong and be told to a person: what, where, why, and the next command.

Raised anywhere, printed in one place (`cli`). A class here is an exit code, not a topic: codes are the
contract that scripts rely on. Anything that is not one of these is a bug and is reported as one.
"""

DONE = 0
NO = 1
USAGE = 2
CANNOT_TELL = 3
CREDENTIALS = 4
AMBIGUOUS = 6
PENDING = 8
BUG = 70
GIT_FAILED = 128
INTERRUPTED = 130
UNREAD = 141


class RvexpError(Exception):
    """The answer is no. `hint` is a command (or a short instruction) that helps; `code` the exit code."""

    code = NO

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Keep `message` (may be several lines) and the `hint` printed under it."""
        super().__init__(message)
        self.hint = hint


class UsageError(RvexpError):
    """The command line or the configuration is wrong; nothing was done."""

    code = USAGE


class CredentialsError(RvexpError):
    """Credentials are missing, expired or refused."""

    code = CREDENTIALS


class AmbiguousError(RvexpError):
    """A job may or may not exist; the hint is the command that finds out."""

    code = AMBIGUOUS


class PendingError(RvexpError):
    """It is recorded here, but something (a push, a job) is still outstanding."""

    code = PENDING


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while something is left that goes on without us; the text says what, and how to come back to it."""

    @classmethod
    def going_on(cls, run: object) -> "Interrupted":
        """For a run that was handed over."""
        return cls(f"run {run} goes on; git rvexp wait {run} comes back to it")


class GitError(RvexpError):
    """A git command failed."""

    code = GIT_FAILED
