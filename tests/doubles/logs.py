"""CloudWatch Logs of the double: GetLogEvents with its token rules, and the two kinds of "not there".

The end of a stream is known only by getting back the token that was sent; pages may be empty before that, and tokens
can expire. Filters, queries and live tails are not here.
"""

from __future__ import annotations

from typing import Any

from tests.doubles.dialects import Refusal

Json = dict[str, Any]

DEFAULT_GROUP = "/aws/batch/job"


class LogsDouble:
    """Log groups by name, each with streams of events.

    `page_size` caps every page; `blank_pages` is how many empty pages to hand out before the next one with events.
    """

    def __init__(self) -> None:
        self.page_size = 10_000
        self.blank_pages = 0
        self.groups: dict[str, dict[str, list[Json]]] = {DEFAULT_GROUP: {}}
        self._generation = 0
        self._blanks_given = 0

    def put(self, group: str, stream: str, at: int, *messages: str) -> None:
        """Append messages, all stamped `at` (ms); makes group and stream as needed."""
        events = self.groups.setdefault(group, {}).setdefault(stream, [])
        events += [{"timestamp": at, "message": message, "ingestionTime": at} for message in messages]

    def expire_tokens(self) -> None:
        """Make every token given so far invalid, as 24 hours do."""
        self._generation += 1

    def get_log_events(self, params: Json) -> Json:
        """GetLogEvents; parameters are already checked against the model."""
        events = self._window(params)
        limit = min(params.get("limit", self.page_size), self.page_size)
        direction, position = self._start(params, len(events), limit)
        if "nextToken" in params and self.blank_pages and position < len(events):
            self.blank_pages -= 1
            self._blanks_given += 1
            return self._answer([], position, position)
        first, last = (position, position + limit) if direction == "f" else (max(0, position - limit), position)
        return self._answer(events[first:last], first, min(last, len(events)))

    def _window(self, params: Json) -> list[Json]:
        group = self.groups.get(params.get("logGroupName", ""))
        if group is None:
            raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
        if params["logStreamName"] not in group:
            raise Refusal("ResourceNotFoundException", "The specified log stream does not exist.")
        start, end = params.get("startTime", 0), params.get("endTime", 2**63)
        return [event for event in group[params["logStreamName"]] if start <= event["timestamp"] < end]

    def _start(self, params: Json, count: int, limit: int) -> tuple[str, int]:
        if "nextToken" not in params:
            return "f", 0 if params.get("startFromHead") else max(0, count - limit)
        direction, _, rest = params["nextToken"].partition("/")
        generation, _, place = rest.partition("/")
        position = place.partition("/")[0]
        if direction not in ("f", "b") or generation != str(self._generation) or not position.isdigit():
            raise Refusal("InvalidParameterException", "The specified nextToken is invalid.")
        return direction, int(position)

    def _answer(self, events: list[Json], first: int, last: int) -> Json:
        tail = f"/{self._blanks_given}" if self._blanks_given else ""
        return {
            "events": events,
            "nextForwardToken": f"f/{self._generation}/{last}{tail}",
            "nextBackwardToken": f"b/{self._generation}/{first}{tail}",
        }
