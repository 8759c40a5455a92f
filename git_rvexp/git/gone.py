"""Snapshots whose tags are gone here, though the experiments remote has them: `git fetch --prune-tags` removes tags."""

from collections.abc import Sequence

from git_rvexp.git.plumbing import Repo
from git_rvexp.grammar import is_tag_name

PUBLISHED = "refs/rvexp/published"
"""The tags that the remote was seen to have. Ours alone to move: no fetch and no pruning by plain git reaches it."""
_TAGS = "refs/tags"


def gone(repo: Repo) -> list[str]:
    """The names of those that the remote was seen to have and that have no tag here."""
    # not by `tags.standing`: a plain list asks this, and loads as little as it can
    refs = repo.git("for-each-ref", "--format=%(refname)", _TAGS, PUBLISHED).lines
    here, published = ({r.removeprefix(p) for r in refs if r.startswith(p)} for p in (f"{_TAGS}/", f"{PUBLISHED}/"))
    return sorted(name for name in published - here if is_tag_name(name))


def told(names: Sequence[str]) -> str:
    """What is said of them."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"the experiments remote has {names[0]}{more}, whose tags are gone from this clone"
