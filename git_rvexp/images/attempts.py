"""How often something is tried with a registry, and what its answers say about that."""

import json
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from git_rvexp import http
from git_rvexp.errors import RvexpError
from git_rvexp.jitter import jitter

_ATTEMPTS = 4
_FIRST_PAUSE = 0.2  # seconds; doubled each time
_LONGEST_PAUSE = 60  # seconds that a registry may ask for
PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that another attempt may not meet."""
_DAMAGED = ("DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN")
_SHOWN = 300  # characters
_T = TypeVar("_T")


class AgainError(RvexpError):
    """What another attempt may not meet; `after` are the seconds to leave the registry alone until then."""

    def __init__(self, message: str, hint: str | None = None, *, after: float = 0) -> None:
        super().__init__(message, hint=hint)
        self.after = after


def insisting(attempt: Callable[[], _T], on: tuple[type[RvexpError], ...] = (AgainError, http.HttpError)) -> _T:
    """Try until it goes through, a bounded number of times with pauses; the last error when it does not."""
    pause = _FIRST_PAUSE
    for _ in range(_ATTEMPTS - 1):
        try:
            return attempt()
        except on as why:
            time.sleep(max(jitter(pause, 2 * pause), why.after if isinstance(why, AgainError) else 0))
        pause *= 2
    return attempt()


def asked_pause(headers: Mapping[str, str]) -> float:
    """The seconds that an answer asks to be left alone for, within bounds; 0 when it names none, or a date."""
    told = headers.get("retry-after", "").strip()
    return min(int(told[:9]), _LONGEST_PAUSE) if told.isascii() and told.isdecimal() else 0


def damaged(told: bytes) -> bool:
    """Whether the registry says that what it got is not what was sent."""
    return any(code in _DAMAGED for code in codes(told))


def codes(told: bytes) -> list[str]:
    """The error codes in a registry's answer."""
    try:
        return [str(error.get("code")) for error in json.loads(told)["errors"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []


def reason(body: bytes) -> str:
    """The registry's own words, shortened."""
    try:
        errors = json.loads(body)["errors"]
        return "".join(f"\n  {e.get('code')}: {e.get('message')}" for e in errors)[:_SHOWN]
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
