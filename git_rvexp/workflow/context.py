"""What every workflow is given: the clone, the settings, the record, the environment, and a way to tell the story."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from git_rvexp.config import Config
from git_rvexp.errors import UsageError
from git_rvexp.git.plumbing import Repo
from git_rvexp.progress import Progress, silent
from git_rvexp.record.ledger import Ledger
from git_rvexp.settings import Settings

if TYPE_CHECKING:
    from git_rvexp.git.remote import Remote

CONFIRMED = "rvexp.local.confirmed"
ALLOW_ORIGIN = "rvexp.local.alloworigin"


@dataclass(frozen=True)
class Context:
    """Made once per command. `say` tells the story, `warn` what must not be missed, `progress` how far it is."""

    repo: Repo
    config: Config
    ledger: Ledger
    environ: Mapping[str, str]
    say: Callable[[str], None]
    warn: Callable[[str], None]
    progress: Progress = silent

    @property
    def settings(self) -> Settings:
        """The settings in force, looked at but not acted upon (see `trusted`)."""
        return self.config.settings

    def trusted(self) -> Settings:
        """The settings to act upon: where a tracked file chose a place for code, secrets or money, it was confirmed.

        UsageError lists what is not.
        """
        open_values = self.config.unconfirmed(self.repo.setting(CONFIRMED))
        if open_values:
            shown = "\n".join(f"  {name} = {value!r}" for name, value in open_values.items())
            raise UsageError(
                "a tracked file chooses where code, secrets or money go, and you have not confirmed it in this clone\n"
                + shown,
                hint=f"{self.config.confirming}, if these are yours",
            )
        return self.settings

    def wanted_remote(self) -> "Remote":
        """The experiments remote that the trusted settings name."""
        from git_rvexp.git import remote  # noqa: PLC0415  a look at a clone needs none

        settings = self.trusted()
        return remote.wanted(self.repo, settings.experiments_remote, settings.github_experiment_repo)

    def connect(self) -> "Remote":
        """The same, set up in this clone as the git remote `experiments`."""
        from git_rvexp.git import remote  # noqa: PLC0415  as above

        wanted = self.wanted_remote()
        self.follow_move()
        allowed = self.repo.setting(ALLOW_ORIGIN).lower() in ("true", "yes", "on", "1")
        remote.connect(self.repo, wanted, allow_origin=allowed)
        return wanted

    def follow_move(self) -> None:
        """Let the embedded experiments remote go with a clone that was moved or copied, and say so."""
        from git_rvexp.git import embedded, remote  # noqa: PLC0415  as above

        if embedded.followed(self.repo, remote.URL):
            self.say(f"this clone was moved or copied: its snapshots are in {embedded.at(self.repo)}")
