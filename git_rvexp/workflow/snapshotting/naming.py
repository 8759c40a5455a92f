"""What a snapshot is called: from what was asked for, the settings and the day; and what to call it instead."""

from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import Person, snapshots
from git_rvexp.names import TagName, checked_part, normalised
from git_rvexp.workflow.choose import initials
from git_rvexp.workflow.context import Context

EMBED = "embed"  # what is done with submodules, beside "record"


@dataclass(frozen=True)
class Request:
    """What the user asked for; empty fields take the configured or found value."""

    nickname: str
    message: str = ""
    project: str = ""
    initials: str = ""
    date: str = ""
    push: bool = True
    submodules: str = ""
    allow_secrets: bool = False


def named(context: Context, request: Request, who: Person) -> TagName:
    """The name that is asked for. UsageError when it is not allowed."""
    settings = context.settings
    checked_part("nickname", request.nickname)
    return TagName(
        request.initials or initials(settings, who),
        request.project or settings.project or normalised(context.repo.top.name),
        request.date or context.ledger.now().astimezone().date().isoformat(),
        request.nickname,
    )


def next_free(repo: Repo, name: TagName) -> str:
    """The first of nick-2, nick-3 … that no tag of this clone has."""
    taken = {s.tag for s in snapshots(repo)}
    number = 2
    while True:
        stem = name.nickname[: 39 - len(str(number))].rstrip("-")
        candidate = TagName(name.initials, name.project, name.date, f"{stem}-{number}")
        if str(candidate) not in taken:
            return candidate.nickname
        number += 1


def taken(repo: Repo, name: TagName, where: str) -> RvexpError:
    """The error for a name that exists `where`."""
    return RvexpError(
        f"the snapshot {name} exists already {where}; snapshots are never replaced",
        hint=f"git rvexp snapshot {next_free(repo, name)}",
    )
