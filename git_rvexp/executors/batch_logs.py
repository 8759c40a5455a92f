"""What a Batch job printed, from CloudWatch Logs.

Every attempt has a stream of its own, whose name only DescribeJobs knows. A stream that does not exist is a job that
printed nothing or ended before it could: no log, and no error.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from git_rvexp import aws
from git_rvexp.errors import RvexpError
from git_rvexp.executors import batch_state
from git_rvexp.forbearance import Forbearance
from git_rvexp.model import Json, Phase

Ask = Callable[[Callable[[], Any]], Any]
"""Puts a question to AWS and gives the answer."""


def once(question: Callable[[], Any]) -> Any:
    """The answer, or whatever keeps us from having one."""
    return question()


def patiently(pause: Callable[[], None], question: Callable[[], Any]) -> Any:
    """The answer: asked for again after a pause where there is none, as long as whoever waits for a job bears it."""
    borne = Forbearance()
    while True:
        try:
            return question()
        except aws.DeniedError:
            raise
        except RvexpError as why:
            borne.met(why)
        pause()


class Streams:
    """Reads the log streams of one job, written since then (epoch seconds), onwards from where it stopped."""

    def __init__(self, logs: Any, group: str, since: float = 0, ask: Ask = once) -> None:
        self._logs = logs
        self._group = group
        self._ask = ask
        self._begin = {"startTime": int(since * 1000)} if since else {}
        self._tokens: dict[str, str] = {}
        self._read: Counter[str] = Counter()
        self._known: Counter[str] = Counter()  # events of a stream that is read anew and that were read before

    def new_lines(self, names: list[str]) -> Iterator[str]:
        """What the streams have gained since the last call, stream after stream."""
        for name in names:
            for event in self._new_events(name):
                yield from str(event.get("message", "")).rstrip("\r\n").split("\n")

    def _new_events(self, name: str) -> Iterator[Mapping[str, Json]]:
        while True:
            reply = self._ask(partial(self._page, name))
            if reply is None:
                # Tokens end after a day: begin again and pass over what was read.
                self._known[name] = self._read[name]
                continue
            events = reply.get("events") or []
            known = min(self._known[name], len(events))
            self._known[name] -= known
            self._read[name] += len(events) - known
            yield from events[known:]
            token = reply.get("nextForwardToken")
            # At the end CloudWatch answers with the token it was asked with; pages before it may be empty.
            if not token or token == self._tokens.get(name):
                return
            self._tokens[name] = token

    def _page(self, name: str) -> Mapping[str, Json] | None:
        """A page of a stream, empty where there is no such stream; None when its token has ended, which is dropped."""
        where = {"logGroupName": self._group, "logStreamName": name, "startFromHead": True, **self._begin}
        if name in self._tokens:
            where["nextToken"] = self._tokens[name]
        try:
            with aws.calling(f"read the log {self._group} {name}"):
                return dict(self._logs.get_log_events(**where))
        except aws.ServiceError as why:
            if why.name == "InvalidParameterException" and self._tokens.pop(name, ""):
                return None
            if why.name != "ResourceNotFoundException":
                raise
            return {}


def place(detail: Mapping[str, Json]) -> tuple[str, str]:
    """Log group and region (may be empty) of a job; RvexpError when its logs do not go to CloudWatch by streams."""
    job = detail.get("jobId")
    if detail.get("eksProperties"):
        raise RvexpError(f"the job {job} runs in a pod: its logs are where its cluster sends them")
    driver, group, region = batch_state.log_group(detail)
    if driver != "awslogs":
        raise RvexpError(f"the logs of {job} go to {driver}, not to CloudWatch")
    return group, region


def of_attempt(detail: Mapping[str, Json], attempt: int) -> Mapping[str, Json]:
    """The job as if it had this attempt only (from 1; 0: as it is). RvexpError when it has ended without that one."""
    if not attempt:
        return detail
    known = detail.get("attempts") or []
    phase = batch_state.state(detail, None).phase
    if attempt <= len(known):
        return {**detail, "attempts": [known[attempt - 1]], "container": {}, "ecsProperties": {}}
    if phase.over or attempt > len(known) + 1:
        raise RvexpError(f"the job {detail.get('jobId')} has had {len(known)} attempts, not {attempt}")
    # Until the next attempt runs, what the container is said to have printed is the last one's.
    return {**detail, "attempts": []} | ({} if phase is Phase.RUNNING else {"container": {}, "ecsProperties": {}})


def lines(
    look: Callable[[], Mapping[str, Json]], streams: Streams, *, follow: bool, pause: Callable[[], None]
) -> Iterator[str]:
    """All lines; with `follow` until the job that `look` describes has ended, and once more after a pause.

    CloudWatch shows the last lines a little after the job has ended.
    """
    ended_before = False
    while True:
        detail = look()
        yield from streams.new_lines(batch_state.streams(detail))
        ended = batch_state.state(detail, None).phase.over
        if not follow or (ended and ended_before):
            return
        ended_before = ended
        pause()
