"""Bear with a service that does not answer: a wait of hours meets a network that is gone for seconds."""

from collections.abc import Callable

from git_rvexp.errors import CredentialsError, RvexpError

_FAILURES = 8
_UNSEEN = 600.0


class Forbearance:
    """What one asker has borne: failures in a row, and for how many seconds a job was not shown. `tell` hears of it."""

    def __init__(self, tell: Callable[[str], None] = lambda _line: None) -> None:
        """Nothing was borne yet."""
        self._tell = tell
        self._failures = 0
        self.unseen = 0.0

    def met(self, why: RvexpError | None) -> None:
        """Take note of an answer, or of why there was none: raised again when it is one failure too many.

        Credentials that are refused are not borne: they stay so until the user does something.
        """
        if why is None:
            self._failures = 0
            return
        self._failures += 1
        if isinstance(why, CredentialsError) or self._failures >= _FAILURES:
            raise why
        if self._failures == 1:
            self._tell(f"{why}\n  asking again")

    def missed(self, seconds: float) -> bool:
        """Take note of the pause after a look: one at which a job was not shown, else 0. Whether that is too long."""
        self.unseen = self.unseen + seconds if seconds else 0.0
        return self.unseen >= _UNSEEN
