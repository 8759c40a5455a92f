"""Which paths of a snapshot's build context its ignore file leaves out."""

from collections.abc import Callable, Mapping

from git_rvexp.git.objects import Objects
from git_rvexp.images.ignore import ignoring
from git_rvexp.images.recipe import Recipe
from git_rvexp.tree import EXECUTABLE, FILE, Entry


def rules_of(
    objects: Objects, by_path: Mapping[str, Entry], recipe: Recipe
) -> tuple[Entry | None, Callable[[str], bool]]:
    """The context's ignore file, and whether it leaves out a path of the context."""
    # BuildKit's rule: a Dockerfile's own ignore file comes before the common one
    rules = by_path.get(f"{recipe.dockerfile}.dockerignore") or by_path.get(".dockerignore")
    if rules is None or rules.mode not in (FILE, EXECUTABLE):
        return None, lambda _path: False
    return rules, ignoring(objects.blob(rules).decode("utf-8", "replace"), recipe.dockerfile)
