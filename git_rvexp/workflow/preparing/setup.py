"""Set up a clone: the settings file, the experiments remote, the guard, and the notes that plain git shows.

Every step looks first, so that running it again changes nothing. The questions are `commands.init`'s.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from git_rvexp import tomltext
from git_rvexp.addresses import redacted
from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git import embedded, remote
from git_rvexp.git.configuration import put
from git_rvexp.git.notes import ensure_notes_ref
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.remote import Remote
from git_rvexp.layers import FILE
from git_rvexp.record import asking
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.guard import ensure_guard
from git_rvexp.workflow.preparing import settingsfile, trust

_PATIENCE = 5.0  # seconds


@dataclass(frozen=True)
class Change:
    """What would become of the settings file."""

    path: Path
    before: str
    after: str

    @property
    def lines(self) -> list[str]:
        """The lines that come and go, as a diff shows them; of a new file only those that are in force."""
        if not self.before:
            return [f"+{line}" for line in self.after.splitlines() if line and not line.startswith(("#", "["))]
        shown = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), n=0, lineterm="")
        return [line for line in shown if not line.startswith(("---", "+++", "@@"))]


def change(context: Context, answers: Mapping[str, str]) -> Change:
    """The settings file with `answers` (by key name) in it; keys that are so already are left alone."""
    path = context.repo.top / FILE
    before, after = settingsfile.edited(path, answers)
    return Change(path, before, after)


def apply(context: Context, wanted: Change, reload: Callable[[], Context]) -> Context:
    """Connect the remote, write the file, set guard and notes; `context` holds the answers on top of its settings.

    The remote comes first: what it refuses leaves the clone as it was. Gives the context as the file then says.
    """
    trust.refuse_inside(context.repo, tomltext.parse(wanted.after, FILE).get("experiments_remote", ""))
    connected = _connected(context)
    place = "a repository inside this clone" if connected.embedded else redacted(connected.url)
    context.say(f"snapshots go to {place} (the git remote 'experiments')")
    if wanted.after != wanted.before:
        settingsfile.write(wanted.path, wanted.after, tracked=True)
        context.say(f"wrote {wanted.path}")
    ensure_guard(context)
    if ensure_notes_ref(context.repo):
        context.say("set core.notesRef, so that `git notes show TAG` prints the record")
    now = reload()
    trust.confirm(now)
    if not connected.embedded:
        _try_out(now)
    return now


def _try_out(context: Context) -> None:
    """Warn when the remote does not answer now: the clone is set up all the same, and there may be no network."""
    try:
        with context.progress("asking the experiments remote", 0, ""):
            remote.try_out(context.repo, _PATIENCE)
    except GitError as why:
        context.warn(
            f"{why}\n  snapshots stay in this clone until it answers; git ls-remote {remote.NAME} asks again, "
            "git rvexp init --remote URL names another one"
        )


def _connected(context: Context) -> Remote:
    """The experiments remote set up. The one inside the clone gives way to a wanted one; any other place does not."""
    wanted = context.wanted_remote()
    inside = str(embedded.at(context.repo))
    context.follow_move()
    if wanted.embedded or remote.urls(context.repo, remote.NAME) != [inside]:
        return context.connect()
    put(context.repo, remote.URL, wanted.url)
    try:
        context.connect()
    except RvexpError:
        put(context.repo, remote.URL, inside)
        raise
    _forget(context.repo)
    context.say("the snapshots kept in this clone so far go there with: git rvexp sync")
    return wanted


def _forget(repo: Repo) -> None:
    """Drop what is known of the former remote, else its tags and notes would be missed on the new one."""
    known = repo.git("for-each-ref", "--format=delete %(refname)", remote.PUBLISHED, remote.PUSHED, asking.SEEN).out
    if known:
        repo.git("update-ref", "--stdin", stdin=known)
