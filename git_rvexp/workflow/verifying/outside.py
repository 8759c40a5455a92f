"""The places that verify asks, each opened once and asked once for all snapshots; what fails stays an error.

Nothing is written there, and in this clone only objects arrive, under no name.
"""

import dataclasses
from functools import cached_property
from typing import TypeVar

from git_rvexp import aws
from git_rvexp.errors import RvexpError
from git_rvexp.git import notes, remote
from git_rvexp.git.notes import Tip
from git_rvexp.images.credentials import login
from git_rvexp.images.engine import Engine
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from git_rvexp.model import Json, Plan
from git_rvexp.record.asking import Answer, ask
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors

T = TypeVar("T")


def given(found: T | RvexpError) -> T:
    """What was found, or the error it was."""
    if isinstance(found, RvexpError):
        raise found
    return found


class Outside:
    """The experiments remote, registries, the engine, and the executors of a clone."""

    def __init__(self, context: Context, executors: Executors | None = None) -> None:
        """Open nothing yet."""
        self.context = context
        self.executors = executors or Executors(context)
        self._registries: dict[str, Registry | RvexpError] = {}
        self._revisions: dict[tuple[str, str], list[dict[str, Json]] | RvexpError] = {}

    @property
    def answer(self) -> Answer:
        """What the experiments remote has, and was known to have. RvexpError when it cannot be asked."""
        return given(self._answer)

    @property
    def remote_notes(self) -> Tip:
        """The remote's notes commit, its objects fetched; empty when it has none. RvexpError as above."""
        return given(self._remote_notes)

    @cached_property
    def remote_goes_on(self) -> bool:
        """Whether the remote's notes are a continuation of what it showed last. RvexpError as above."""
        seen, there = self.answer.seen, self.remote_notes
        if not seen or seen == there or not there:
            return seen == there or not seen
        words = ("merge-base", "--is-ancestor", seen.commit, there.commit)
        return self.context.repo.git(*words, ok=(0, 1, 128)).code == 0

    @property
    def engine(self) -> Engine:
        """The engine of this machine. RvexpError when none answers."""
        return given(self._engine)

    def registry(self, name: str) -> Registry:
        """The repository called `name`, with its login. RvexpError when there is no login to be had."""
        if name not in self._registries:
            self._registries[name] = self._opened(name)
        return given(self._registries[name])

    def revisions(self, plan: Plan, name: str) -> list[dict[str, Json]]:
        """Every revision of the job definition `name` where `plan` was made, INACTIVE ones too, as described."""
        key = (plan.region, name)
        if key not in self._revisions:
            self._revisions[key] = self._described(plan, name)
        return given(self._revisions[key])

    @cached_property
    def _answer(self) -> Answer | RvexpError:
        try:
            self.context.connect()
            return ask(self.context.repo)
        except RvexpError as why:
            return why

    @cached_property
    def _remote_notes(self) -> Tip | RvexpError:
        try:
            there = self.answer.record
            if there:
                remote.fetch(self.context.repo, notes.REF)
        except RvexpError as why:
            return why
        return Tip(there)

    @cached_property
    def _engine(self) -> Engine | RvexpError:
        try:
            return Engine.connect(self.context.environ)
        except RvexpError as why:
            return why

    def _opened(self, name: str) -> Registry | RvexpError:
        try:
            repository = Repository.parse(name)
            return Registry(repository, login(repository, self.context.trusted(), self.context.environ))
        except RvexpError as why:
            return why

    def _described(self, plan: Plan, name: str) -> list[dict[str, Json]] | RvexpError:
        try:
            self.executors.of(plan)  # another account's answer would mean nothing
            settings = dataclasses.replace(self.context.trusted(), aws_region=plan.region)
            client = aws.client("batch", settings)
            pages = client.get_paginator("describe_job_definitions")
            # As they came over the wire: botocore would drop what it does not know, and nobody would miss it.
            with aws.raw_replies("DescribeJobDefinitions") as raw, aws.calling(f"look up {name}"):
                for _ in pages.paginate(jobDefinitionName=name):
                    pass
        except RvexpError as why:
            return why
        found = [d for page in raw for d in page.get("jobDefinitions") or []]
        return [d for d in found if d.get("jobDefinitionName") == name]
