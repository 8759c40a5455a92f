"""Whether an image can be made of what a snapshot holds: told when it is taken, and not at the first submit."""

import os
import posixpath
import shlex
from collections.abc import Iterator, Sequence

from git_rvexp.git.attributes import names
from git_rvexp.git.scratch import Scratch
from git_rvexp.quoting import quoted
from git_rvexp.settings import Settings

_FOLDERS = "git rvexp config set image.context FOLDER"


def unbuildable(place: Scratch, settings: Settings, tree: str, folder: str) -> Iterator[str]:
    """A text when `tree`, whose objects are in `place`, has no Dockerfile or no such folder as the settings name.

    `folder` is where in the tree the user stands, "" for its top.
    """
    context = posixpath.normpath(settings.image_context or ".")
    wanted = posixpath.normpath(posixpath.join(context, settings.image_dockerfile))
    if not settings.image_base and _held(place, tree, wanted):
        return
    if context != "." and not _held(place, tree, f"{context}/"):
        yield f"image.context is {quoted(context)}, and the snapshot has no such folder: no image can be made of it"
    elif not settings.image_base:
        others = _folders(place, tree, posixpath.normpath(settings.image_dockerfile))
        yield f"the snapshot has no file {quoted(wanted)}: no image can be made of it\n{_remedy(others, folder)}"


def _held(place: Scratch, tree: str, path: str) -> bool:
    """Whether the tree has a file of this name, or something in a folder whose name ends with a slash."""
    return bool(place.git("ls-tree", "-z", "--name-only", tree, "--", path).out)


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
