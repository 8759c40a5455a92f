"""What the children of an array on Batch printed: child after child, as on a Docker engine.

An array has up to 10,000 of them, so they are looked at together, and what has ended is waited for once, not each.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from git_rvexp.errors import RvexpError
from git_rvexp.executors import batch_state
from git_rvexp.executors.batch_logs import Streams
from git_rvexp.model import Json

_AT_ONCE = 99  # of the hundred that DescribeJobs takes: the array itself is looked at too


def check_attempt(detail: Mapping[str, Json], attempt: int) -> None:
    """RvexpError for one attempt of a whole array: its children are retried each by itself."""
    if attempt:
        job = detail["jobId"]
        one = f"git rvexp logs {job}:0 --attempt {attempt}"
        raise RvexpError(f"{job} is an array: each of its jobs has its own attempts", hint=one)


def lines(
    array: Mapping[str, Json],
    look: Callable[[Sequence[str]], Sequence[Mapping[str, Json]]],
    streams: Streams,
    *,
    follow: bool,
    pause: Callable[[], None],
) -> Iterator[str]:
    """All lines of the children of `array`, behind `[index] `; with `follow` each child's until it has ended.

    `look` describes jobs, those that Batch knows; `pause` waits for news.
    """
    job, size = str(array["jobId"]), batch_state.size(array)
    first = 0
    while first < size:
        indices = range(first, min(first + _AT_ONCE, size))
        seen = {str(d["jobId"]): d for d in look([job, *(f"{job}:{index}" for index in indices)])}
        details = [seen.get(f"{job}:{index}", {}) for index in indices]
        ready = _ended(details, going=job in seen and not _over(seen[job])) if follow else len(details)
        if follow and ready:
            pause()  # CloudWatch shows the last lines a little after a job has ended
        for index, detail in zip(indices[:ready], details, strict=False):
            yield from _new_lines(index, detail, streams)
        first += ready
        if ready < len(indices):
            yield from _new_lines(first, details[ready], streams)
            pause()


def _new_lines(index: int, detail: Mapping[str, Json], streams: Streams) -> Iterator[str]:
    return (f"[{index}] {line}" for line in streams.new_lines(batch_state.streams(detail)))


def _ended(details: Sequence[Mapping[str, Json]], *, going: bool) -> int:
    """How many there are before the first that has not ended. What is not shown may come while its array goes on."""
    return next((n for n, d in enumerate(details) if (not _over(d) if d else going)), len(details))


def _over(detail: Mapping[str, Json]) -> bool:
    return batch_state.state(detail, None).phase.over
