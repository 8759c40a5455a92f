"""An image that the record names, looked for in the registry ahead of its use.

The manifest is read again each time, since images get deleted; its config is what the manifest's digest says it is and
comes from this clone once it was read.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_rvexp.git.plumbing import Repo
from git_rvexp.images.credentials import login
from git_rvexp.images.kept import Kept
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.names import Digest
from git_rvexp.settings import Settings


class Recorded(NamedTuple):
    """A manifest that the registry has, and the connection that found it."""

    registry: Registry
    manifest: Manifest


def look(repo: Repo, settings: Settings, environ: Mapping[str, str], wanted: Sequence[Digest]) -> Recorded | None:
    """The first of `wanted` that the configured registry has. Errors as `ensure_image` has them."""
    repository = Repository.parse(settings.ecr_repo)
    registry = Registry(repository, login(repository, settings, environ), kept(repo))
    for digest in wanted:
        found = registry.resolve(str(digest))
        if found is not None:
            registry.config(registry.for_platform(found, settings.image_platform))  # will be asked for: kept from here
            return Recorded(registry, found)
    return None


def kept(repo: Repo) -> Kept:
    """Where this clone keeps what it read of registries."""
    return Kept(repo.state_dir / "registry")
