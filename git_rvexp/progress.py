"""How far something has come: one line on a terminal that is painted over, and a plain line now and then elsewhere.

The one door for it is `Speaker.progress`; workflows reach it as `Context.progress`. A line is painted at most ten
times a second and goes when the work is done; whatever else is said comes first. With -q there is nothing.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

Step = Callable[[int], None]
"""Called with what has been done since the last call: bytes, or things."""
Progress = Callable[[str, int, str], contextlib.AbstractContextManager[Step]]
"""What is done, how much there is of it (0: nobody knows), and of what ("" for bytes)."""


class Screen(Protocol):
    """Who shows it: `output.Speaker`. `live` where a line can be painted over."""

    @property
    def live(self) -> bool:
        """Whether there is a terminal that takes it."""

    def say(self, line: str) -> None:
        """One plain line."""

    def paint_over(self, text: str) -> None:
        """One line that the next one takes the place of."""

    def wipe(self) -> None:
        """Take the painted line away."""


_PAINTED, _TOLD = 0.1, 30.0  # seconds between two paintings, and between two plain lines


def silent(_what: str, _total: int, _unit: str) -> contextlib.AbstractContextManager[Step]:
    """For those who nobody listens to."""
    return contextlib.nullcontext(lambda _step: None)


@contextlib.contextmanager
def shown(
    speaker: Screen, what: str, total: int, unit: str, clock: Callable[[], float] = time.monotonic
) -> Iterator[Step]:
    """Show `what` while the block runs; steps may come from several threads."""
    every = _PAINTED if speaker.live else _TOLD
    lock, done, last = threading.Lock(), 0, clock()

    def step(more: int) -> None:
        nonlocal done, last
        with lock:
            done += more
            now = clock()
            if now - last < every:
                return
            last = now
            told = f"{what}: {amount(done, total, unit)}"
            if speaker.live:
                speaker.paint_over(told)
            else:
                speaker.say(told)

    if speaker.live:
        speaker.paint_over(what)
    try:
        yield step
    finally:
        speaker.wipe()


def passing(pieces: Iterable[bytes], step: Step) -> Iterator[bytes]:
    """Pieces on their way through, each counted."""
    for piece in pieces:
        yield piece
        step(len(piece))


def recounted(opened: Callable[[], Iterable[bytes]], step: Step) -> Callable[[], Iterator[bytes]]:
    """`opened` counted on the way; what is read anew, after a failure, takes the place of what was counted before."""
    counted = 0

    def again() -> Iterator[bytes]:
        nonlocal counted
        step(-counted)
        counted = 0
        for piece in opened():
            yield piece
            step(len(piece))
            counted += len(piece)

    return again


def amount(done: int, total: int, unit: str) -> str:
    """`3 of 10 runs`, `12.3 of 40.0 MB`."""
    if unit:
        return f"{done} of {total} {unit}" if total else f"{done} {unit}"
    return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else f"{done / 1e6:.1f} MB"
