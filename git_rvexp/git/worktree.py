"""The work tree as a tree object, without touching the work tree, the index, HEAD or a file's time.

A copy of the user's index (with its times: a plain copy misses edits made within the same second) takes
`git add -A`, so git's own clean filters, attributes and ignore rules decide. What git would lose silently (edits
hidden by assume-unchanged or skip-worktree, unreadable folders, nested repositories) is captured or refused.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.errors import RvexpError
from git_rvexp.git.plumbing import Repo

_SHOWN = 10


@dataclass(frozen=True)
class WorkTree:
    """The tree that the work tree makes, HEAD ("" while unborn), and what changed against HEAD by kind."""

    tree: str
    head: str
    modified: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    @property
    def changes(self) -> str:
        """The changes in words: "2 modified, 1 new"; "none" when the tree is HEAD's."""
        counts = {"modified": self.modified, "new": self.new, "deleted": self.deleted}
        return ", ".join(f"{len(paths)} {word}" for word, paths in counts.items() if paths) or "none"


def head(repo: Repo) -> str:
    """The commit HEAD names; "" on an unborn branch."""
    return repo.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1)).text


def capture(repo: Repo) -> WorkTree:
    """The work tree as it is now: tracked, changed, deleted, and untracked files that are not ignored.

    RvexpError when something cannot be captured truthfully: unmerged files, nested repositories, unreadable paths.
    """
    with _scratch_index(repo) as index:
        _refuse_unmerged(repo, index)
        _uncover(repo, index)
        _refuse_nested(repo, index)
        added = repo.git("add", "-A", "--sparse", index=index)
        if "could not open directory" in added.err:
            raise RvexpError(f"part of the work tree cannot be read\n  {added.err.strip()}")
        tree = repo.git("write-tree", index=index).text
    base = head(repo)
    return _compared(repo, tree, base)


@contextmanager
def _scratch_index(repo: Repo) -> Iterator[Path]:
    """A copy of the user's index, gone afterwards. Its content and times come from one open file."""
    real = Path(repo.git("rev-parse", "--path-format=absolute", "--git-path", "index").text)
    with tempfile.TemporaryDirectory(prefix="rvexp-index-") as folder:
        copy = Path(folder) / "index"
        try:
            with real.open("rb") as source:
                copy.write_bytes(source.read())
                times = os.fstat(source.fileno())
            os.utime(copy, ns=(times.st_atime_ns, times.st_mtime_ns))
        except FileNotFoundError:
            pass
        yield copy


def _refuse_unmerged(repo: Repo, index: Path) -> None:
    unmerged = sorted({line.split("\t")[1] for line in _zsplit(repo, index, "-u")})
    if unmerged:
        raise RvexpError(
            "a merge is not finished: the conflict markers would become part of the snapshot\n" + _shown(unmerged),
            hint="resolve them and `git add` the files, or `git merge --abort`",
        )


def _uncover(repo: Repo, index: Path) -> None:
    """Clear assume-unchanged, and skip-worktree where the file is there, so that edits to such files are seen."""
    assumed, skipped = [], []
    for line in _zsplit(repo, index, "-v"):
        flag, path = line[0], line[2:]
        if flag.islower():
            assumed.append(path)
        if flag in "Ss" and os.path.lexists(repo.top / path):
            skipped.append(path)
    for option, paths in (("--no-assume-unchanged", assumed), ("--no-skip-worktree", skipped)):
        if paths:
            listed = "".join(f"{p}\0" for p in paths).encode("utf-8", "surrogateescape")
            repo.git("update-index", option, "-z", "--stdin", stdin=listed, index=index)


def _refuse_nested(repo: Repo, index: Path) -> None:
    """Untracked repositories inside this one: git would record an empty link (or, for bare ones, their history)."""
    untracked = _zsplit(repo, index, "-o", "--exclude-standard")
    nested = [p for p in untracked if p.endswith("/")]
    heads = [p.removesuffix("HEAD") for p in untracked if p == "HEAD" or p.endswith("/HEAD")]
    nested += [p for p in heads if (repo.top / p / "objects").is_dir() and (repo.top / p / "refs").is_dir()]
    if nested:
        raise RvexpError(
            "there are other git repositories inside this one; their files would be lost\n" + _shown(nested),
            hint="add them to .gitignore, or make them submodules",
        )


def _compared(repo: Repo, tree: str, base: str) -> WorkTree:
    if not base:
        names = repo.git("ls-tree", "-r", "-z", "--name-only", tree).text.split("\0")
        return WorkTree(tree, "", new=tuple(n for n in names if n))
    words = repo.git("diff-tree", "-r", "-z", "--no-renames", "--name-status", f"{base}^{{tree}}", tree).text.split(
        "\0"
    )
    kinds: dict[str, list[str]] = {"A": [], "D": [], "M": []}
    for status, path in zip(words[::2], words[1::2], strict=False):
        kinds["M" if status not in kinds else status].append(path)
    return WorkTree(tree, base, tuple(kinds["M"]), tuple(kinds["A"]), tuple(kinds["D"]))


def _zsplit(repo: Repo, index: Path, *options: str) -> list[str]:
    return [line for line in repo.git("ls-files", "-z", *options, index=index).text.split("\0") if line]


def _shown(paths: list[str]) -> str:
    shown = [f"  {p}" for p in paths[:_SHOWN]]
    return "\n".join([*shown, f"  … and {len(paths) - _SHOWN} more"] if len(paths) > _SHOWN else shown)
