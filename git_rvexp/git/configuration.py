"""The clone's own git configuration, written. Reading is `Repo`'s business."""

import time

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo
from git_rvexp.jitter import jitter

_TRIES = 40  # some two seconds


def put(repo: Repo, key: str, value: str) -> None:
    """Set `key` in this clone to exactly one value, which may begin with "-"; what `repo` has read is forgotten.

    Git gives up at once when another process writes the file, so it is asked again.
    """
    for left in reversed(range(_TRIES)):
        try:
            repo.git("config", "--local", "--replace-all", "--", key, value)
            break
        except GitError as why:
            if not left or "could not lock config file" not in str(why):
                raise
            time.sleep(jitter(0.02, 0.08))
    repo.__dict__.pop("config", None)
