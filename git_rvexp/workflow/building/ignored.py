"""The files of a snapshot that say how its build context is read: the Dockerfile, and the ignore file with its rules.

Both may be links. Docker's builders follow them too, in the context; one that they would pass over in silence, with all
that it leaves out, is refused here or followed.
"""

import posixpath
from collections.abc import Callable

from git_rvexp.errors import UsageError
from git_rvexp.git.objects import Objects
from git_rvexp.git.treelinks import followed
from git_rvexp.images.ignore import ignoring
from git_rvexp.images.recipe import Recipe
from git_rvexp.quoting import quoted
from git_rvexp.tree import EXECUTABLE, FILE, Entry, below

_OUTSIDE = b"/"


def dockerfile_of(objects: Objects, tree: str, context: str, name: str) -> Entry | None:
    """The Dockerfile `name` where it really stands in the folder `context` of `tree`; None when there is no such file.

    UsageError for a link that leads out of the context: no builder follows it.
    """
    found = _read(objects, tree, context, name)
    if found and found.path.startswith(_OUTSIDE):
        told = f"{quoted(name)} is a link that leads out of image.context, {quoted(context)}"
        raise UsageError(told, hint="put a file in its place, then git rvexp snapshot NICKNAME")
    return found


def rules_of(objects: Objects, tree: str, recipe: Recipe) -> tuple[Entry | None, Callable[[str], bool]]:
    """The ignore file of the context in `tree`, and whether it leaves out a path of the context.

    The file's path is where it really stands: in the context, or with a slash before it elsewhere in the tree.
    """
    # BuildKit's rule: a Dockerfile's own ignore file comes before the common one
    for name in (f"{recipe.dockerfile}.dockerignore", ".dockerignore"):
        rules = _read(objects, tree, recipe.context, name)
        if rules:
            own = _read(objects, tree, recipe.context, recipe.dockerfile)
            stay = (recipe.dockerfile, *([own.shown] if own else []))
            return rules, ignoring(objects.blob(rules).decode("utf-8", "replace"), *stay)
    return None, lambda _path: False


def _read(objects: Objects, tree: str, context: str, name: str) -> Entry | None:
    found = followed(objects, tree, posixpath.join(context, name))
    if found is None or found.mode not in (FILE, EXECUTABLE):
        return None
    return next(below([found], context), found._replace(path=_OUTSIDE + found.path))
