"""A clone that has snapshots and no record: plain `git clone` copies tags and no notes. What ran is not known there."""

from collections.abc import Callable

from git_rvexp.git.notes import REF, tip
from git_rvexp.git.plumbing import Repo

FETCH = f"git fetch origin {REF}:{REF}"
_SYNC = "git rvexp sync"


def remedy(repo: Repo) -> str:
    """The command that brings the record into a clone that has none; "" where there is one. Nothing is asked for it."""
    if tip(repo):
        return ""
    from git_rvexp.git import embedded, remote  # noqa: PLC0415  not where there is a record, as nearly always

    shared = repo.setting(remote.URL) not in ("", str(embedded.at(repo)))
    return FETCH if repo.setting("remote.origin.url") and not shared else _SYNC


def warn(repo: Repo, tell: Callable[[str], None]) -> None:
    """Warn through `tell` where this clone has snapshots and no record."""
    if not (missing := remedy(repo)):
        return
    from git_rvexp.git.catalogue import tag_names  # noqa: PLC0415  as above

    if tag_names(repo):
        tell(told(missing))


def told(remedy: str) -> str:
    """The warning."""
    return f"this clone has no record of its snapshots, so what ran is not known here: {remedy} brings it"
