"""What a fault proxy can do to one exchange: the words in which a test describes a fault.

"before" means the server never hears of the request (or hears late), "after" that it has answered and the client has
not been told. Carrying the faults out is for `exchange`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Literal

When = Literal["before", "after"]


@dataclass(frozen=True)
class Delay:
    """Wait, even if the client leaves meanwhile; a request that was sent still lands."""

    seconds: float
    when: When


@dataclass(frozen=True)
class Hold:
    """Wait until the test opens the gate; otherwise as Delay."""

    gate: threading.Event
    when: When


@dataclass(frozen=True)
class Hangup:
    """Close the client's connection without a reply, politely or by reset."""

    when: When
    reset: bool


@dataclass(frozen=True)
class Answer:
    """Answer in the server's place."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]
    when: When


@dataclass(frozen=True)
class Cut:
    """Let so many bytes of a body through, then close both connections."""

    keep: int
    upload: bool


@dataclass(frozen=True)
class Corrupt:
    """Flip one bit of the body's byte at this offset."""

    offset: int
    upload: bool


@dataclass(frozen=True)
class Throttle:
    """A slow link: bytes per second in each direction, shared by all exchanges, and seconds of one-way latency."""

    rate: float
    latency: float
    _free_at: dict[str, float] = field(default_factory=dict, compare=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def wait_for(self, direction: Literal["up", "down"], count: int) -> float:
        """Reserve the link for so many bytes and say how long they take to be through, from now."""
        with self._lock:
            now = time.monotonic()
            done = max(now, self._free_at.get(direction, now)) + count / self.rate
            self._free_at[direction] = done
            return done - now


Action = Delay | Hold | Hangup | Answer | Cut | Corrupt | Throttle


def drop_before() -> Action:
    """Lose the request: nothing reaches the server, the connection closes."""
    return Hangup("before", reset=False)


def drop_reply() -> Action:
    """Lose the reply: the server has answered in full, the connection closes."""
    return Hangup("after", reset=False)


def reset(when: When = "before") -> Action:
    """Like drop_before or drop_reply, but with RST."""
    return Hangup(when, reset=True)


def delay(seconds: float, when: When = "before") -> Action:
    """Hold back the request, or its reply."""
    return Delay(seconds, when)


def hold(gate: threading.Event, when: When = "before") -> Action:
    """Hold back the request, or its reply, until the gate is set: a late landing without a clock."""
    return Hold(gate, when)


def status(code: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = (), *, when: When = "before") -> Action:
    """Answer with this instead; with "after" the server has done its work all the same."""
    return Answer(code, body, headers, when)


def truncate_reply(keep: int) -> Action:
    """Send the reply's head and only `keep` bytes of its body, then close."""
    return Cut(keep, upload=False)


def cut_upload(keep: int) -> Action:
    """Send on only `keep` bytes of the request's body, then close both connections."""
    return Cut(keep, upload=True)


def corrupt_reply(offset: int) -> Action:
    """Flip a bit of the reply's body."""
    return Corrupt(offset, upload=False)


def corrupt_upload(offset: int) -> Action:
    """Flip a bit of the request's body."""
    return Corrupt(offset, upload=True)


def throttle(rate: float, latency: float = 0.0) -> Action:
    """Simulate a link of `rate` bytes per second each way and `latency` seconds one way."""
    return Throttle(rate, latency)
