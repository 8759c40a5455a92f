"""The clone's own git configuration, written. Reading is `Repo`'s business."""

from git_rvexp.git.plumbing import Repo


def put(repo: Repo, key: str, value: str) -> None:
    """Set `key` in this clone to exactly one value, which may begin with "-"; what `repo` has read is forgotten."""
    repo.git("config", "--local", "--replace-all", "--", key, value)
    repo.__dict__.pop("config", None)
