"""What a snapshot is called: from what was asked for, the settings and the day; and what to call it instead."""

from collections.abc import Iterator
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import NOBODY, Person, snapshots
from git_rvexp.names import TagName, checked_part, normalised
from git_rvexp.quoting import quoted
from git_rvexp.workflow.choose import initials
from git_rvexp.workflow.context import Context

EMBED = "embed"  # what is done with submodules, beside "record"


@dataclass(frozen=True)
class Request:
    """What the user asked for; empty fields take the configured or found value.

    `folder` is where in the tree the user stands, "" for its top.
    """

    nickname: str
    message: str = ""
    project: str = ""
    initials: str = ""
    date: str = ""
    push: bool = True
    submodules: str = ""
    allow_secrets: bool = False
    folder: str = ""


def named(context: Context, request: Request, who: Person) -> TagName:
    """The name that is asked for. UsageError when it is not allowed."""
    settings = context.settings
    checked_part("nickname", request.nickname)
    return TagName(
        request.initials or initials(settings, who),
        request.project or settings.project or normalised(_folder(context.repo)),
        request.date or context.ledger.now().astimezone().date().isoformat(),
        request.nickname,
    )


def guesses(context: Context, request: Request, who: Person) -> Iterator[str]:
    """What a person must know of a name that is for ever and partly a guess: one text for each part."""
    settings = context.settings
    named_by_hand = request.initials or settings.initials
    if who == NOBODY:
        also = "" if named_by_hand else f", under the initials {initials(settings, who)}"
        yield (
            f"git does not know who you are: the snapshot is by {who}{also}\n"
            "  git config --global user.name NAME; git config --global user.email ADDRESS"
        )
    elif not named_by_hand and _nothing_left(who.name):
        yield (
            f"{who.name} has nothing of a-z or 0-9: the initials are x\n"
            "  --initials, or git config rvexp.initials, sets them"
        )
    folder = _folder(context.repo)
    if not (request.project or settings.project) and _nothing_left(folder):
        yield (
            f"the folder {quoted(folder)} has nothing of a-z or 0-9: the project is x\n"
            "  --project, or git config rvexp.project, sets it"
        )


def _nothing_left(text: str) -> bool:
    return normalised(text) == "x" and text.lower() != "x"


def _folder(repo: Repo) -> str:
    """The name of the repository's folder: of a linked work tree that of the main one, or of the bare repository."""
    if repo.git_dir == repo.common_dir:
        return repo.top.name
    home = repo.common_dir
    return home.parent.name if home.name.startswith(".") else home.name.removesuffix(".git")


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
