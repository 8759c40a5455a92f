"""What an environment image is made of, and its name: a key that follows from the tag's tree and the settings.

Everything that a build could take from the tree except the code that `image.code` lays over it belongs to the
environment: files of `image.environment`, files outside the mapping, files that the Dockerfile copies elsewhere too.
As long as none of them changes, snapshots share one environment image, and only their code is sent.
"""

import fnmatch
import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from git_rvexp.git.objects import Objects
from git_rvexp.images import dockerfile
from git_rvexp.images.delta import LeftOut, Unfit
from git_rvexp.images.dockerfile import Copy
from git_rvexp.images.layer import FORMAT
from git_rvexp.images.recipe import Recipe
from git_rvexp.settings import Settings
from git_rvexp.tree import FOLDER, GITLINK, Entry
from git_rvexp.workflow.building.ignored import dockerfile_of, rules_of

_KEY_FORMAT = 1


class Environment(NamedTuple):
    """A snapshot's environment: `key` names what it is made of, `context` is the tree object of the build context."""

    key: str
    code: str
    context: str
    left_out: LeftOut

    def tag(self, generation: int) -> str:
        """The image's tag; later generations hold newer code, for when the change became large."""
        return f"env-{self.key}" + (f".{generation}" if generation else "")


def describe(objects: Objects, tree: str, settings: Settings, recipe: Recipe) -> Environment:
    """The environment of the snapshot with this `tree`. Unfit with the reason when code and environment do not part."""
    context = objects.at(tree, recipe.context)
    if context is None or context.mode != FOLDER:
        raise Unfit(f"image.context {recipe.context} is no folder of the snapshot")
    names = {e.path.decode("utf-8", "surrogateescape"): e for e in objects.names(context.oid)}
    own = dockerfile_of(objects, tree, recipe.context, recipe.dockerfile)
    if own is None:
        raise Unfit(f"there is no {recipe.dockerfile}")
    ignore, left_out = rules_of(objects, tree, recipe)
    kept = {path: e for path, e in names.items() if e.mode != GITLINK and not left_out(path)}
    sources = tuple(posixpath.normpath(source) for source in settings.image_code)
    reading = _Reading(settings, kept, sources, _expression(settings.image_environment))
    inputs = {path for path in kept if reading.is_input(path)}
    stages = dockerfile.stages(objects.blob(own).decode("utf-8", "replace"))
    inside = dockerfile.chain(stages, recipe.target)
    for stage in stages:
        for copy in stage.copies:
            inputs |= set(reading.elsewhere(copy, in_image=stage in inside))
    code = json.dumps(dict(settings.image_code), sort_keys=True, separators=(",", ":"))
    read = [e for e in (own, ignore) if e]  # by what the links lead to, which may lie outside
    listed = sorted({(e.shown, e.mode, e.oid) for e in (*read, *(names[path] for path in inputs))})
    whole = [_KEY_FORMAT, FORMAT, recipe.spec, code, settings.image_owner, listed]
    key = hashlib.sha256(json.dumps(whole).encode("ascii")).hexdigest()[:40]
    return Environment(key, code, context.oid, left_out)


class _Reading(NamedTuple):
    """The context's files (those that .dockerignore leaves in) seen through the settings."""

    settings: Settings
    kept: dict[str, Entry]
    sources: tuple[str, ...]
    named: re.Pattern[str]

    def is_input(self, path: str) -> bool:
        """Whether the settings make it part of the environment: by name, or because no code mapping holds it."""
        # asked of every file, whose path is as plain as git writes it: `_below` would tidy it up each time
        if not any(source in (".", path) or path.startswith(f"{source}/") for source in self.sources):
            return True
        return self.named.match(path) is not None

    def elsewhere(self, copy: Copy, *, in_image: bool) -> Iterator[str]:
        """The files of a COPY that goes (also) where `image.code` does not: they decide the environment.

        Unfit when that is code as a whole.
        """
        code = self.settings.image_code
        if in_image and copy.plain and any(self._same_place(copy, *pair) for pair in code.items()):
            owner = copy.owner or "0:0"
            if owner not in (self.settings.image_owner, self.settings.image_owner.partition(":")[0]):
                raise Unfit(f"COPY --chown={owner} and image.owner {self.settings.image_owner} are not the same")
            return
        if not _globbed(copy.source) and any(_below(source, copy.source) is not None for source in code):
            raise Unfit(f"the Dockerfile copies {copy.source} to {copy.target}, which image.code does not say")
        pattern = copy.source
        for path in self.kept:
            parents = [path, *(path[:i] for i, c in enumerate(path) if c == "/")]
            if _below(path, pattern) is not None or any(fnmatch.fnmatchcase(p, pattern) for p in parents):
                yield path

    def _same_place(self, copy: Copy, source: str, target: str) -> bool:
        """Whether the COPY brings what both name to where the mapping says."""
        if _globbed(copy.source):
            return False
        file = copy.source in self.kept
        place = posixpath.join(copy.target, posixpath.basename(copy.source)) if file and copy.into else copy.target
        inner = _below(copy.source, source)
        if inner is not None:
            return place == posixpath.normpath(posixpath.join(target, inner))
        outer = _below(source, copy.source)
        return outer is not None and posixpath.normpath(posixpath.join(place, outer)) == target


def _below(path: str, folder: str) -> str | None:
    """`path` relative to `folder` ("." when they are one); None when it is not below it."""
    path, folder = posixpath.normpath(path), posixpath.normpath(folder)
    if folder in (".", path):
        return "." if folder == path else path
    return path[len(folder) + 1 :] if path.startswith(f"{folder}/") else None


def _globbed(text: str) -> bool:
    return any(letter in text for letter in "*?[")


def _expression(patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression for all patterns: with a slash against the whole path, without one against the name."""
    named, placed = list[str](), list[str]()
    for pattern in patterns:
        (placed if "/" in pattern else named).append(fnmatch.translate(pattern))
    # the names share one look for the last slash: every file of the tree is held against this
    each = [f"(?:.*/)?(?:{'|'.join(named)})"] * bool(named) + placed
    return re.compile("|".join(each) or r"(?!)", re.DOTALL)
