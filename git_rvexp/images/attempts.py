"""How often something is tried with a registry, and what its answers to an upload mean for that."""

import json
import time
from collections.abc import Callable

from git_rvexp import http
from git_rvexp.errors import RvexpError
from git_rvexp.images.registry import AlteredError, Registry
from git_rvexp.jitter import jitter
from git_rvexp.names import Digest

_ATTEMPTS = 4
_FIRST_PAUSE = 0.2  # seconds; doubled each time
PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that another attempt may not meet."""
_DAMAGED = ("DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN")


class AgainError(Exception):
    """Control flow of those who try: worth another attempt; `why` is the error that it would have been."""

    def __init__(self, why: RvexpError) -> None:
        super().__init__(str(why))
        self.why = why


def insisting(attempt: Callable[[], None]) -> None:
    """Try until it goes through, a bounded number of times with pauses; the last error when it does not."""
    pause = _FIRST_PAUSE
    for left in reversed(range(_ATTEMPTS)):
        try:
            return attempt()
        except AgainError as why:
            if not left:
                raise why.why from why
        except http.HttpError:
            if not left:
                raise
        time.sleep(jitter(pause, 2 * pause))
        pause *= 2
    return None


def checked(registry: Registry, answer: http.Answer, told: bytes, what: str) -> None:
    """Raise unless the status is a 2xx: AgainError where it may pass, else RvexpError with the registry's words."""
    try:
        registry.expect(answer, what, told)
    except RvexpError as why:
        if answer.status in PASSING:
            raise AgainError(why) from why
        raise


def confirmed(registry: Registry, answer: http.Answer, digest: Digest, what: str) -> None:
    """AlteredError when the registry names another digest than that of what it was sent."""
    named = answer.headers.get("docker-content-digest", str(digest))
    if named != str(digest):
        raise AlteredError(f"{what}\n  {registry.repository.host} stored {named} in place of {digest}")


def damaged(told: bytes) -> bool:
    """Whether the registry says that what it got is not what was sent."""
    return any(code in _DAMAGED for code in codes(told))


def codes(told: bytes) -> list[str]:
    """The error codes in a registry's answer."""
    try:
        return [str(error.get("code")) for error in json.loads(told)["errors"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []
