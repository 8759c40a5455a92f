"""The work tree as a tree object, without touching the work tree, the index, HEAD or a file's time.

`git status` on a scratch copy of the index says what changed, `update-index` takes it: what `git add -A` would do, but
with a moment between, in which everything that must not become part of a snapshot is refused before a byte is stored.
Git's own clean filters, attributes and ignore rules decide. What git would lose silently (edits hidden by
assume-unchanged or skip-worktree, unreadable folders, nested repositories) is captured or refused.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git import links, uncovering
from git_rvexp.git.attributes import names, refuse_unfiltered
from git_rvexp.git.links import Link
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.scratch import Scratch, scratch
from git_rvexp.git.weight import Limits, refuse_heavy

# The empty tree by the length of an object name: git knows both without their being stored.
_EMPTY_TREE = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


@dataclass(frozen=True)
class Changed:
    """A path that differs from HEAD. `status` is A, M or D; mode and object are those of what goes in."""

    path: str
    status: str
    mode: str = "000000"
    oid: str = ""


@dataclass(frozen=True)
class WorkTree:
    """The tree that the work tree makes, HEAD ("" while unborn), and what changed against HEAD.

    `hidden` are captured edits that `git status` does not show, `absent` counts files that a sparse checkout leaves
    out of the work tree (they stay as HEAD has them), `links` are the submodules and nested repositories.
    """

    tree: str
    head: str
    changed: tuple[Changed, ...] = ()
    hidden: tuple[str, ...] = ()
    absent: int = 0
    links: tuple[Link, ...] = ()

    def of(self, status: str) -> tuple[str, ...]:
        """The paths with this status."""
        return tuple(each.path for each in self.changed if each.status == status)

    @property
    def changes(self) -> str:
        """The changes in words: "2 modified, 1 new"; "none" when the tree is HEAD's."""
        counts = {"modified": self.of("M"), "new": self.of("A"), "deleted": self.of("D")}
        return ", ".join(f"{len(paths)} {word}" for word, paths in counts.items() if paths) or "none"


@dataclass(frozen=True)
class _Seen:
    """What `git status` saw: paths to take as they are on the disk, paths that went, and repositories inside."""

    present: tuple[str, ...]
    gone: tuple[str, ...]
    nested: tuple[str, ...]


def head(repo: Repo) -> str:
    """The commit HEAD names; "" on an unborn branch."""
    return repo.resolve("HEAD^{commit}")[0]


def capture(repo: Repo, *, embed: bool = False) -> WorkTree:
    """The work tree as it is now, for comparison: no object of it is kept. Errors as `captured` has them."""
    with captured(repo, head(repo), Limits(), embed=embed) as (work, _):
        return work


@contextmanager
def captured(repo: Repo, base: str, limits: Limits, *, embed: bool) -> Iterator[tuple[WorkTree, Scratch]]:
    """The work tree as it is now: tracked, changed, deleted, and untracked files that are not ignored.

    Its objects are in the scratch store and last as long as the block, unless they are kept. With `embed` the files
    of submodules and nested repositories become part of the tree. RvexpError when something cannot be captured
    truthfully or is over the limits.
    """
    with scratch(repo) as place:
        uncovered, absent, attributed = _uncover(place)
        seen = _look(place)
        found = links.find(place, seen.nested)
        links.refuse(repo, found, embed=embed)
        if attributed or any(path.endswith(".gitattributes") for path in seen.present):
            refuse_unfiltered(repo, seen.present)
        refuse_heavy(repo, seen.present, limits)
        _take(place, seen)
        if embed:
            found = links.embed(place, found, limits)
        work = _compared(place, base)
        changed = {*seen.present, *seen.gone}
        hidden = tuple(path for path in uncovered if path in changed)
        yield WorkTree(work.tree, base, work.changed, hidden, absent, found), place


def _uncover(place: Scratch) -> tuple[list[str], int, bool]:
    """Clear assume-unchanged, and skip-worktree where the file is there, so that edits to such files are seen.

    The same listing shows files of an unfinished merge, which are refused: their conflict markers would be taken.
    The paths that were uncovered, how many are not in the work tree on purpose, and whether there are attributes.
    """
    told = place.git("ls-files", "-z", "-v").out
    attributed = b".gitattributes\0" in told or bool(place.repo.setting("core.attributesfile"))
    attributed = attributed or (place.repo.common_dir / "info" / "attributes").exists()
    marked = uncovering.flagged(told)
    unmerged = sorted({path for flag, path in marked if flag in "Mm"})
    if unmerged:
        raise RvexpError(
            "a merge is not finished: the conflict markers would become part of the snapshot\n" + names(unmerged),
            hint="resolve them and `git add` the files, or `git merge --abort`",
        )
    return (*uncovering.clear(place, marked), attributed)


def _look(place: Scratch) -> _Seen:
    options = ("--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty")
    told = place.git("status", *options)
    if "could not open directory" in told.err:
        raise RvexpError(f"part of the work tree cannot be read\n  {told.err.strip()}")
    present: list[str] = []
    gone: list[str] = []
    nested: list[str] = []
    for line in told.out.split(b"\0"):
        if line.startswith(b"1 ") and line[3:4] != b".":
            # 1 XY sub mH mI mW hH hI path
            (gone if line[3:4] == b"D" else present).append(os.fsdecode(line.split(b" ", 8)[8]))
        elif line.startswith(b"? "):
            path = os.fsdecode(line[2:])
            (nested if path.endswith("/") else present).append(path)
    return _Seen(tuple(present), tuple(gone), (*nested, *_bare(place.repo, present)))


def _bare(repo: Repo, present: Iterable[str]) -> Iterator[str]:
    """Bare repositories, of which git would take the whole history as files."""
    for head in (p.removesuffix("HEAD") for p in present if p == "HEAD" or p.endswith("/HEAD")):
        if (repo.top / head / "objects").is_dir() and (repo.top / head / "refs").is_dir():
            yield head


def _take(place: Scratch, seen: _Seen) -> None:
    if seen.gone:  # a path of its own, since one below what became a link would be looked for behind the link
        place.git("update-index", "--force-remove", "-z", "--stdin", stdin=_stdin(seen.gone))
    if not seen.present:
        return
    try:
        place.git("update-index", "--add", "--remove", "--replace", "-z", "--stdin", stdin=_stdin(seen.present))
    except GitError as why:
        raise RvexpError(f"git does not take the files as they are\n{why}", hint="git add -A --dry-run") from why


def _stdin(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(p) + b"\0" for p in paths)


def _compared(place: Scratch, base: str) -> WorkTree:
    tree = place.git("write-tree").text
    against = f"{base}^{{tree}}" if base else _EMPTY_TREE[len(place.repo.null_oid)]
    words = place.git("diff-tree", "-r", "-z", "--raw", "--no-renames", against, tree).text.split("\0")
    changed = []
    for meta, path in zip(words[::2], words[1::2], strict=False):
        _, mode, _, oid, status = meta.split(" ")
        changed.append(Changed(path, status if status in "AD" else "M", mode, oid))
    return WorkTree(tree, base, tuple(changed))
