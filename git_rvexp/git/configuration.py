"""The clone's own git configuration, written. Reading is `Repo`'s business."""

import time

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo
from git_rvexp.jitter import jitter

_TRIES = 40  # some two seconds


def put(repo: Repo, key: str, value: str, *, beside: bool = False) -> None:
    """Set `key` in this clone to this one value, which may begin with "-", or put it `beside` those that are there.

    What `repo` has read is forgotten. Git gives up at once when another process writes the file, so it is asked again.
    """
    _changed(repo, "--add" if beside else "--replace-all", "--", key, value)


def drop(repo: Repo, key: str) -> None:
    """Take `key` out of this clone with all its values, which must be there; what `repo` has read is forgotten."""
    _changed(repo, "--unset-all", "--", key)


def _changed(repo: Repo, *words: str) -> None:
    for left in reversed(range(_TRIES)):
        try:
            repo.git("config", "--local", *words)
            break
        except GitError as why:
            if not left or "could not lock config file" not in str(why):
                raise
            time.sleep(jitter(0.02, 0.08))
    repo.__dict__.pop("config", None)
