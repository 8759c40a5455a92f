"""The executors that a record's runs were planned for, each opened once and only where the run was planned.

What another account, region or engine says of a job means nothing, so it is not asked.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import cast

from git_rvexp.errors import RvexpError
from git_rvexp.executors.protocol import Executor, LogSource
from git_rvexp.model import Plan
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.where import executor_named

Open = Callable[[str, Settings, Mapping[str, str]], Executor]


class Executors:
    """Executors by name and region. One that cannot be opened is tried once in a look."""

    def __init__(self, context: Context, opened: Open = executor_named) -> None:
        """Open nothing yet; `opened` makes an executor."""
        self._context = context
        self._open = opened
        self._known: dict[tuple[str, str], tuple[Executor, Mapping[str, str]] | RvexpError] = {}

    def of(self, plan: Plan) -> Executor:
        """The executor of a plan. RvexpError when it cannot be reached from here or is another place."""
        key = (plan.executor, plan.region)
        if key not in self._known:
            self._known[key] = self._opened(plan)
        known = self._known[key]
        if isinstance(known, RvexpError):
            raise known
        executor, place = known
        whole = plan.whole()
        other = [f"{k} {whole.get(k)} (here: {v})" for k, v in place.items() if whole.get(k) != v]
        if other:
            raise RvexpError(f"run {plan.run} was planned for another place: {', '.join(other)}")
        return executor

    def look_again(self) -> None:
        """Begin another look: what could not be opened may be there by now."""
        self._known = {key: known for key, known in self._known.items() if not isinstance(known, RvexpError)}

    def logs_of(self, plan: Plan) -> LogSource:
        """A reader of logs of its own, since one may be reading while another asks for states."""
        self.of(plan)
        # Every executor we have reads its logs too.
        return cast("LogSource", self._open(plan.executor, self._settings(plan), self._context.environ))

    def _opened(self, plan: Plan) -> tuple[Executor, Mapping[str, str]] | RvexpError:
        try:
            executor = self._open(plan.executor, self._settings(plan), self._context.environ)
            place = executor.place
        except RvexpError as why:
            return why
        return executor, place

    def _settings(self, plan: Plan) -> Settings:
        settings = self._context.trusted()
        return dataclasses.replace(settings, aws_region=plan.region) if plan.region else settings
