"""The build context of a snapshot: the tag's files as one tar, and where they came from.

The tag's tree decides every byte. The remote's archive, or a copy, is only another way to get them, used when it
proves to be that tree; else the tree's own objects are read. The docker command and the engine never see an address.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from git_rvexp.errors import UsageError
from git_rvexp.git import lfs
from git_rvexp.git.lfs import Pointer
from git_rvexp.git.objects import Objects
from git_rvexp.images import context
from git_rvexp.images.recipe import Recipe, Say
from git_rvexp.images.spool import Spool
from git_rvexp.model import Snapshot
from git_rvexp.tree import EXECUTABLE, FILE, GITLINK, Entry, below
from git_rvexp.workflow.building.ignored import dockerfile_of, rules_of
from git_rvexp.workflow.building.lending import Lending
from git_rvexp.workflow.building.served import Served

TREE = "tree"


@dataclass(frozen=True)
class BuildContext:
    """A tar to build from, the Dockerfile's text, and `source`: the archive's address without secrets, or "tree"."""

    file: IO[bytes]
    dockerfile: str
    source: str


@dataclass(frozen=True)
class Copy:
    """Another place that has the files: its address, and what fills a spool from there ("", else why it did not)."""

    address: str
    fill: Callable[[Sequence[Entry], Spool], str]


@contextlib.contextmanager
def prepared(
    objects: Objects,
    snapshot: Snapshot,
    recipe: Recipe,
    say: Say,
    *,
    served: Served | None = None,
    copy: Copy | None = None,
    lending: Lending | None = None,
) -> Iterator[BuildContext]:
    """The context of `snapshot` while the block runs. UsageError when the snapshot has no such Dockerfile.

    Its files come from the archive `served`, else from `copy`, else from `objects`; an archive that was read for
    `lending` a moment ago is not read again.
    """
    whole = objects.tree(snapshot.tree)
    inside = list(below(whole, recipe.context))
    text = _dockerfile(objects, recipe, snapshot)
    # A tar on its way to a builder is taken as it is, so what .dockerignore leaves out is left out here.
    _, left_out = rules_of(objects, snapshot.tree, recipe)
    kept = [e for e in inside if e.mode == GITLINK or not left_out(e.shown)]
    modules = context.submodules(kept)
    if modules:
        say(f"not in the image: {len(modules)} submodule(s), {', '.join(modules[:5])}")
    with Spool() as spool, tempfile.TemporaryFile(prefix="rvexp-") as out:
        lent = lending.source.get(snapshot.tree) if lending else None
        source = _archived(served, whole, spool, say) if lent is None else lent or TREE
        if source == TREE and copy is not None:
            source = _copied(copy, whole, spool, say)
        pointed = _pointed(objects, kept)

        def read(entry: Entry) -> Iterable[bytes]:
            if entry.path in pointed:
                return lfs.chunks(objects.contents, pointed[entry.path])
            kept_here = source != TREE and spool.kind(entry.oid)
            return spool.chunks(entry.oid) if kept_here else objects.pieces(entry)

        kept = [e._replace(size=pointed[e.path].size) if e.path in pointed else e for e in kept]
        context.write(kept, read, time=objects.commit_time(snapshot.commit), out=out)
        out.seek(0)
        yield BuildContext(out, text, source)


def _pointed(objects: Objects, entries: Iterable[Entry]) -> dict[bytes, Pointer]:
    """The Git LFS pointers among the files, by path. RvexpError when what they stand for is not here."""
    found: dict[bytes, Pointer] = {}
    for entry in entries:
        small = entry.mode in (FILE, EXECUTABLE) and lfs.LEAST <= entry.size <= lfs.MOST
        pointer = Pointer.parse(objects.blob(entry)) if small else None
        if pointer:
            lfs.require(objects.contents, pointer, entry.shown)
            found[entry.path] = pointer
    return found


def _archived(served: Served | None, whole: Sequence[Entry], spool: Spool, say: Say) -> str:
    why = served.contents(whole, spool) if served else ""
    if why:
        say(f"reading the tag's own objects, since {why}")
    return served.address if served and not why else TREE


def _copied(copy: Copy, whole: Sequence[Entry], spool: Spool, say: Say) -> str:
    why = copy.fill(whole, spool)
    if why:
        say(f"reading the tag's own objects, since {copy.address}: {why}")
    return TREE if why else copy.address


def _dockerfile(objects: Objects, recipe: Recipe, snapshot: Snapshot) -> str:
    found = dockerfile_of(objects, snapshot.tree, recipe.context, recipe.dockerfile)
    if found:
        return objects.blob(found).decode("utf-8", "replace")
    folder = "" if recipe.context in (".", "") else f" in its folder {recipe.context}"
    raise UsageError(
        f"the snapshot {snapshot.tag} has no file {recipe.dockerfile}{folder}",
        hint="add one and take a new snapshot, or set image.dockerfile and image.context",
    )
