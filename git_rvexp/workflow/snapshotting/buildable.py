"""Whether an image can be made of what a snapshot holds: told when it is taken, and not at the first submit."""

import os
import posixpath
import shlex
from collections.abc import Iterator, Sequence

from git_rvexp.errors import UsageError
from git_rvexp.git.attributes import names
from git_rvexp.git.scratch import Scratch
from git_rvexp.quoting import quoted
from git_rvexp.settings import Settings

_LINK = b"120000"
_FOLDERS = "git rvexp config set image.context FOLDER"


def unbuildable(place: Scratch, settings: Settings, tree: str, folder: str) -> Iterator[str]:
    """A text when `tree`, whose objects are in `place`, has no Dockerfile or no such folder as the settings name.

    `folder` is where in the tree the user stands, "" for its top.
    """
    context = posixpath.normpath(settings.image_context or ".")
    wanted = posixpath.normpath(posixpath.join(context, settings.image_dockerfile))
    if not settings.image_base and (kind := _held(place, tree, wanted)):
        yield from _astray(place, tree, context, settings.image_dockerfile) if kind == _LINK else ()
        return
    if context != "." and not _held(place, tree, f"{context}/"):
        yield f"image.context is {quoted(context)}, and the snapshot has no such folder: no image can be made of it"
    elif not settings.image_base:
        others = _folders(place, tree, posixpath.normpath(settings.image_dockerfile))
        yield f"the snapshot has no file {quoted(wanted)}: no image can be made of it\n{_remedy(others, folder)}"


def _held(place: Scratch, tree: str, path: str) -> bytes:
    """The mode of what has this name in the tree, or is in a folder whose name ends with a slash; empty for nothing."""
    return place.git("ls-tree", "-z", tree, "--", path).out[: len(_LINK)]


def _astray(place: Scratch, tree: str, context: str, dockerfile: str) -> Iterator[str]:
    """Why a Dockerfile that is a link leads to none."""
    from git_rvexp.git.objects import Objects  # noqa: PLC0415  most Dockerfiles are no links
    from git_rvexp.workflow.building.ignored import dockerfile_of  # noqa: PLC0415  as above

    try:
        found = dockerfile_of(
            Objects(place.repo.common_dir, {**place.repo.env, **place.env}), tree, context, dockerfile
        )
    except UsageError as why:
        yield f"{why}: no image can be made of it"
        return
    if found is None:
        yield f"{quoted(dockerfile)} is a link to something else than a file: no image can be made of it"


def _folders(place: Scratch, tree: str, dockerfile: str) -> list[str]:
    """The folders of the tree that have a file called `dockerfile`."""
    listed = place.git("ls-tree", "-r", "-z", "--name-only", tree).out.split(b"\0")
    found = (os.fsdecode(path) for path in listed if path.endswith(b"/" + os.fsencode(dockerfile)))
    return [path.removesuffix(f"/{dockerfile}") for path in found]


def _remedy(folders: Sequence[str], here: str) -> str:
    chosen = here if here in folders else folders[0] if len(folders) == 1 else ""
    if chosen:
        return f"  git rvexp config set image.context {shlex.quote(chosen)}, then another snapshot"
    if folders:
        return f"{names(folders)}\n  {_FOLDERS}, with one of these that have one, then another snapshot"
    return "  add one and take another snapshot, or set image.base (docs/publishing.md, Without a Dockerfile)"
