"""What a user has confirmed in a clone: the places that tracked files choose for code, secrets and money.

A fingerprint of each setting and its value is kept in the clone's own git configuration, so that going from branch to
branch asks once for each. `Context.trusted` refuses what is not there.
"""

from collections.abc import Mapping
from typing import Any

from git_rvexp.config import fingerprint
from git_rvexp.errors import UsageError
from git_rvexp.git import places
from git_rvexp.git.configuration import put
from git_rvexp.git.plumbing import Repo
from git_rvexp.values import shown
from git_rvexp.workflow.context import CONFIRMED, Context

_KEPT = 200  # the newest: values of some twenty branches


def unconfirmed(context: Context) -> dict[str, Any]:
    """The values that `Context.trusted` would refuse now."""
    return context.config.unconfirmed(_stored(context.repo))


def told(context: Context, values: Mapping[str, Any]) -> list[str]:
    """`values` as lines for a person, each with the place it comes from."""
    return [f"  {name} = {shown(value)}   ({context.config.origin(name)})" for name, value in values.items()]


def confirm(context: Context) -> dict[str, Any]:
    """Remember that the user stands by what the tracked file chooses now, and give it; UsageError where nobody should.

    A repository inside the work tree is such a case: it came with the files, and a push would run its hooks.
    """
    values = context.config.chosen()
    refuse_inside(context.repo, str(values.get("experiments_remote", "")))
    new = [fingerprint(name, value) for name, value in values.items()]
    words = [word for word in _stored(context.repo).split() if word not in new]
    if values:
        put(context.repo, CONFIRMED, " ".join([*words, *new][-_KEPT:]))
    return values


def _stored(repo: Repo) -> str:
    return repo.git("config", "--local", "--get", CONFIRMED, ok=(0, 1)).text


def refuse_inside(repo: Repo, address: str) -> None:
    """UsageError for an experiments remote that a tracked file puts into the work tree."""
    place, top = places.folder(repo, address) if address else None, repo.top.resolve()
    if place and place.is_relative_to(top) and not place.is_relative_to(repo.common_dir.resolve()):
        raise UsageError(
            f"experiments_remote = {address} is a folder of this work tree\n"
            "  a repository that came with the files may hold hooks, which a push would run",
            hint="choose a place outside the work tree",
        )
