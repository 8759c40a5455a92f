"""Planned failures of single calls: what goes wrong, and whether the service had already done what it was asked.

Kinds ending in `_before` (and the three refusals) leave the service untouched; `lost_reply` and kinds ending in
`_after` mean that the work was done and only the news of it was spoilt. `held` is the request that lands late: the
connection dies at once, and the work is done when the test calls `release`.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.doubles.dialects import Dialect, Refusal, request_id
from tests.doubles.server import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSALS = {
    "client_exception": Refusal("ClientException", "Error executing request, Exception : refused by the test"),
    "access_denied": Refusal("AccessDeniedException", "User: {user} is not authorized to perform: {action}", 403),
    "expired_token": Refusal("ExpiredTokenException", "The security token included in the request is expired", 403),
    "500": Refusal("ServerException", "Internal server error", 500),
    "429": Refusal("TooManyRequestsException", "Too Many Requests", 429),
}
_UNTOUCHED = {"client_exception", "access_denied", "expired_token", "reset_before", "500_before", "429_before", "held"}
_DONE = {"lost_reply", "500_after", "429_after", "garbage_after", "truncated_after", "slow_after"}
KINDS = _UNTOUCHED | _DONE


@dataclass(frozen=True)
class Failure:
    """One planned failure; `delay` in seconds is for `slow_after` only."""

    kind: str
    delay: float = 0.0


class Plan:
    """Failures waiting for their operation to be called, first planned first used, and requests being held."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Failure]] = defaultdict(deque)
        self._held: list[Callable[[], Reply]] = []

    def add(self, operation: str, kind: str, *, count: int = 1, delay: float = 0.0) -> None:
        """Spoil the next `count` calls of an operation; ValueError for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"unknown kind of failure: {kind} (one of {', '.join(sorted(KINDS))})")
        with self._lock:
            self._waiting[operation].extend([Failure(kind, delay)] * count)

    def release(self) -> int:
        """Let every held request land now; returns how many did."""
        with self._lock:
            held, self._held = self._held, []
        for work in held:
            work()
        return len(held)

    def perform(self, operation: str, dialect: Dialect, user: str, work: Callable[[], Reply]) -> Reply:
        """Do the work, or spoil it if this call's turn has come."""
        with self._lock:
            failure = self._waiting[operation].popleft() if self._waiting[operation] else None
            if failure and failure.kind == "held":
                self._held.append(work)
                return Reply(ending="close")
        if failure is None:
            return work()
        if failure.kind == "reset_before":
            return Reply(ending="reset")
        if failure.kind in _DONE:
            return _spoil(failure, dialect, work())
        refusal = REFUSALS[failure.kind.removesuffix("_before")]
        text = refusal.message.format(user=user, action=f"{dialect.service}:{operation}")
        return dialect.refuse(Refusal(refusal.code, text, refusal.status))


def _spoil(failure: Failure, dialect: Dialect, reply: Reply) -> Reply:
    match failure.kind:
        case "lost_reply":
            return Reply(ending="close")
        case "garbage_after":
            return Reply(200, b"<html>It works!</html>", request_id())
        case "truncated_after":
            return replace(reply, keep=len(reply.body) // 2)
        case "slow_after":
            return replace(reply, delay=failure.delay)
    return dialect.refuse(REFUSALS[failure.kind.removesuffix("_after")])
