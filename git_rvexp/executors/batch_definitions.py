"""Job definitions as AWS Batch has them, each name asked for once by a command, and ahead of its use where that helps.

A revision never changes, so an answer stays right while a command runs; whether it is still ACTIVE is seen when it is
asked for. What was registered by us is looked for anew, by those who registered it.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from git_rvexp import aws
from git_rvexp.model import Json
from git_rvexp.settings import Settings

Described = Mapping[str, Json]


class Definitions:
    """What DescribeJobDefinitions says, as it came over the wire: botocore would drop what it does not know."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked: dict[str, Future[list[Described]]] = {}

    def begin(self, name: str, beside: ThreadPoolExecutor) -> None:
        """Ask for `name` in another thread, for somebody who will want it."""
        if name and name not in self._asked:
            self._asked[name] = beside.submit(self.look, name)

    def active(self, name: str) -> list[Described]:
        """All ACTIVE revisions of exactly `name`, as of when this command first asked."""
        if name not in self._asked:
            answer: Future[list[Described]] = Future()
            answer.set_result(self.look(name))
            self._asked[name] = answer
        return self._asked[name].result()

    def look(self, name: str) -> list[Described]:
        """The same as of now."""
        client = aws.client("batch", self._settings)
        with aws.raw_replies("DescribeJobDefinitions") as raw, aws.calling(f"look up the job definition {name}"):
            pages = client.get_paginator("describe_job_definitions")
            for _ in pages.paginate(jobDefinitionName=name, status="ACTIVE"):
                pass
        return [d for page in raw for d in page.get("jobDefinitions") or [] if d.get("jobDefinitionName") == name]

    def revision(self, arn: str) -> Described | None:
        """The revision `arn` if it was among the answers so far; nothing is asked."""
        seen = (f.result() for f in self._asked.values() if f.done() and not f.exception())
        return next((d for found in seen for d in found if d.get("jobDefinitionArn") == arn), None)
