"""The experiments remote of a clone that has no other: a bare repository inside its git directory."""

import shutil
from pathlib import Path

from git_rvexp.errors import GitError
from git_rvexp.git import hooks
from git_rvexp.git.configuration import put
from git_rvexp.git.plumbing import Repo
from git_rvexp.jitter import token

_NAME = "experiments.git"


def at(repo: Repo) -> Path:
    """Where it is, or would be."""
    return repo.state_dir / _NAME


def make(repo: Repo) -> None:
    """Make it, unless it is there: beside its place, and moved there whole, so that nobody sees half of it."""
    place = at(repo)
    if place.exists():
        return
    making = place.with_name(f"{_NAME}-{token()}")
    try:
        repo.git("init", "--quiet", "--bare", f"--object-format={repo.object_format}", str(making), elsewhere=True)
        inside = f"--git-dir={making}"
        repo.git(inside, "config", "core.hooksPath", "hooks", elsewhere=True)  # whatever the user's own setting is
        repo.git(
            inside, "config", "receive.shallowUpdate", "true", elsewhere=True
        )  # the clone around it may be shallow
        hooks.install_server(making)
        making.rename(place)
    except OSError as why:
        if not place.exists():  # nobody else made it in between
            raise GitError(f"the experiments remote cannot be made at {place}: {why}") from why
    finally:
        shutil.rmtree(making, ignore_errors=True)


def followed(repo: Repo, key: str) -> bool:
    """Let the address in the configuration `key` follow a clone that was moved or copied; whether it had to.

    Only where it names the embedded remote of another place, and this clone has its own.
    """
    named, own = repo.setting(key), at(repo)
    if named in ("", str(own)) or Path(named).parts[-2:] != own.parts[-2:] or not own.is_dir():
        return False
    put(repo, key, str(own))
    return True
