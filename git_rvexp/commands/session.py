"""What a command gets: the streams, and, once it asks, the clone with its settings and record."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from git_rvexp.git.plumbing import Repo
from git_rvexp.output import Speaker

if TYPE_CHECKING:
    from git_rvexp.workflow.context import Context


class Session:
    """One invocation. Nothing is opened before it is used."""

    def __init__(self, environ: Mapping[str, str], cwd: Path, speaker: Speaker) -> None:
        self.environ = environ
        self.cwd = cwd
        self.speaker = speaker

    @cached_property
    def repo(self) -> Repo:
        """The clone we are in (UsageError when there is none)."""
        return Repo.discover(self.cwd, self.environ)

    @cached_property
    def context(self) -> "Context":
        """The clone with its settings and record."""
        return self.with_flags({})

    def with_flags(self, flags: Mapping[str, object]) -> "Context":
        """The same, with settings given on the command line on top."""
        # `list` looks at a clone without any settings: what they need is loaded when they are asked for.
        from git_rvexp import config  # noqa: PLC0415
        from git_rvexp.layers import FILE  # noqa: PLC0415
        from git_rvexp.record.ledger import Ledger  # noqa: PLC0415
        from git_rvexp.workflow.context import Context  # noqa: PLC0415

        repo = self.repo
        for name, meant in config.misspelt(self.environ):
            self.speaker.warn(f"{name} is no setting, so it is ignored: did you mean {meant}?")
        settings = config.load(flags, self.environ, _git_entries(repo), repo.top / FILE)
        ledger = Ledger(repo, warn=self.speaker.warn)
        return Context(repo, settings, ledger, self.environ, self.speaker.say, self.speaker.warn, self.speaker.progress)


def _git_entries(repo: Repo) -> list[tuple[str, str]]:
    ours = ((k.removeprefix("rvexp."), values) for k, values in repo.config.items() if k.startswith("rvexp."))
    return [(name, value) for name, values in ours for value in values]
