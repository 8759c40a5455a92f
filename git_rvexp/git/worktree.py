"""The work tree as a tree object, without touching the work tree, the index, HEAD or a file's time.

A copy of the user's index (with its times: a plain copy misses edits made within the same second) takes
`git add -A`, so git's own clean filters, attributes and ignore rules decide. What git would lose silently (edits
hidden by assume-unchanged or skip-worktree, unreadable folders, nested repositories) is captured or refused.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git.plumbing import Repo
from git_rvexp.jitter import token

_SHOWN = 10
_STALE = 86_400  # seconds
# What `ls-files -v` marks: lower case is assume-unchanged, S skip-worktree, M unmerged; H, the rest, is of no interest.
_FLAGGED = re.compile(rb"(?:^|\0)([a-zSM]) ([^\0]+)")
# The empty tree by the length of an object name: git knows both without their being stored.
_EMPTY_TREE = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


@dataclass(frozen=True)
class WorkTree:
    """The tree that the work tree makes, HEAD ("" while unborn), and what changed against HEAD by kind.

    `links` are the new or changed entries that are another repository's commit.
    """

    tree: str
    head: str
    modified: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def changes(self) -> str:
        """The changes in words: "2 modified, 1 new"; "none" when the tree is HEAD's."""
        counts = {"modified": self.modified, "new": self.new, "deleted": self.deleted}
        return ", ".join(f"{len(paths)} {word}" for word, paths in counts.items() if paths) or "none"


def head(repo: Repo) -> str:
    """The commit HEAD names; "" on an unborn branch."""
    return repo.resolve("HEAD^{commit}")[0]


def capture(repo: Repo, base: str | None = None) -> WorkTree:
    """The work tree as it is now: tracked, changed, deleted, and untracked files that are not ignored.

    RvexpError when something cannot be captured truthfully: unmerged files, nested repositories, unreadable paths.
    """
    with _scratch_index(repo) as index:
        _uncover(repo, index)
        added = repo.git("add", "-A", "--sparse", index=index)
        if "could not open directory" in added.err:
            raise RvexpError(f"part of the work tree cannot be read\n  {added.err.strip()}")
        tree = repo.git("write-tree", index=index).text
    work = _compared(repo, tree, head(repo) if base is None else base)
    _refuse_nested(repo, work)
    return work


@contextmanager
def _scratch_index(repo: Repo) -> Iterator[Path]:
    """A copy of the user's index, gone afterwards. Its content and times come from one open file."""
    real = repo.git_dir / "index"
    copy = repo.state_dir / f"index-{token()}"
    _sweep(repo)
    try:
        _copy(real, copy)
        yield copy
    finally:
        with suppress(OSError):  # never made, or on a disk that cannot be written: the error under way says more
            copy.unlink()


def _sweep(repo: Repo) -> None:
    """Take away scratch indexes that killed snapshots left behind; a day is longer than any snapshot takes."""
    for left in repo.state_dir.glob("index-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE:
                left.unlink()


def _copy(real: Path, copy: Path) -> None:
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with real.open("rb") as source:
            copy.write_bytes(source.read())
            times = os.fstat(source.fileno())
        os.utime(copy, ns=(times.st_atime_ns, times.st_mtime_ns))
    except FileNotFoundError:  # an unborn branch has no index yet
        return
    except OSError as why:
        raise GitError(f"the index cannot be copied: {why}") from why


def _uncover(repo: Repo, index: Path) -> None:
    """Clear assume-unchanged, and skip-worktree where the file is there, so that edits to such files are seen.

    The same listing shows files of an unfinished merge, which are refused: `add` would take the conflict markers.
    """
    listed = repo.git("ls-files", "-z", "-v", index=index).out
    flagged = [(flag.decode(), os.fsdecode(path)) for flag, path in _FLAGGED.findall(listed)]
    unmerged = sorted({path for flag, path in flagged if flag in "Mm"})
    if unmerged:
        raise RvexpError(
            "a merge is not finished: the conflict markers would become part of the snapshot\n" + _shown(unmerged),
            hint="resolve them and `git add` the files, or `git merge --abort`",
        )
    hidden = {
        "--no-assume-unchanged": [path for flag, path in flagged if flag.islower()],
        "--no-skip-worktree": [path for flag, path in flagged if flag in "Ss" and os.path.lexists(repo.top / path)],
    }
    for option, paths in hidden.items():
        if paths:
            stdin = b"".join(os.fsencode(p) + b"\0" for p in paths)
            repo.git("update-index", option, "-z", "--stdin", stdin=stdin, index=index)


def _refuse_nested(repo: Repo, work: WorkTree) -> None:
    """Repositories inside this one: git records an empty link for them, and of bare ones their whole history."""
    heads = [p.removesuffix("HEAD") for p in work.new if p == "HEAD" or p.endswith("/HEAD")]
    bare = [p for p in heads if (repo.top / p / "objects").is_dir() and (repo.top / p / "refs").is_dir()]
    nested = [f"{p}/" for p in work.links if not _is_submodule(repo, p)] + bare
    if nested:
        raise RvexpError(
            "there are other git repositories inside this one; their files would be lost\n" + _shown(nested),
            hint="add them to .gitignore, or make them submodules",
        )


def _is_submodule(repo: Repo, path: str) -> bool:
    listed = repo.git("config", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$", ok=(0, 1))
    return path in {line.partition(" ")[2] for line in listed.lines}


def _compared(repo: Repo, tree: str, base: str) -> WorkTree:
    against = f"{base}^{{tree}}" if base else _EMPTY_TREE[len(repo.null_oid)]
    words = repo.git("diff-tree", "-r", "-z", "--raw", "--no-renames", against, tree).text.split("\0")
    kinds: dict[str, list[str]] = {"A": [], "D": [], "M": []}
    links = []
    for meta, path in zip(words[::2], words[1::2], strict=False):
        _, mode, _, _, status = meta.split(" ")
        kinds.get(status, kinds["M"]).append(path)
        if status != "D" and mode == "160000":
            links.append(path)
    return WorkTree(tree, base, tuple(kinds["M"]), tuple(kinds["A"]), tuple(kinds["D"]), tuple(links))


def _shown(paths: list[str]) -> str:
    shown = [f"  {p}" for p in paths[:_SHOWN]]
    return "\n".join([*shown, f"  … and {len(paths) - _SHOWN} more"] if len(paths) > _SHOWN else shown)
