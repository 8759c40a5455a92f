"""What is too heavy for a snapshot: found by a look at sizes, before a byte is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.errors import RvexpError
from git_rvexp.git.attributes import filtered, listed
from git_rvexp.git.plumbing import Repo
from git_rvexp.quoting import quoted
from git_rvexp.sizes import shown


@dataclass(frozen=True)
class Limits:
    """The most bytes of one file, and of all changed and new files together; 0: no limit."""

    file: int = 0
    total: int = 0


def refuse_heavy(repo: Repo, paths: Sequence[str], limits: Limits) -> None:
    """RvexpError with the list of `paths` (changed and new files) that are over the limits.

    What goes through Git LFS does not count: a snapshot holds its pointer.
    """
    if not (limits.file or limits.total) or not paths:
        return
    sizes = {path: _size(repo.top / path) for path in paths}
    heavy = {path: size for path, size in sizes.items() if limits.file and size > limits.file}
    if not heavy and not (limits.total and sum(sizes.values()) > limits.total):
        return
    pointed = filtered(repo, sizes, "lfs")
    heavy = {path: size for path, size in heavy.items() if path not in pointed}
    if heavy:
        raise RvexpError(
            f"files over the limit of {shown(limits.file)} (snapshot.max_file) would be in the snapshot for ever\n"
            + listed([f"{quoted(path)}  {shown(size)}" for path, size in heavy.items()]),
            hint="add them to .gitignore and name them as inputs in S3 (--input s3://…), or `git lfs track` them, "
            "or raise snapshot.max_file",
        )
    kept = {path: size for path, size in sizes.items() if path not in pointed}
    total = sum(kept.values())
    if limits.total and total > limits.total:
        largest = sorted(kept, key=lambda path: -kept[path])
        raise RvexpError(
            f"{len(kept)} changed and new files take {shown(total)}, over the limit of {shown(limits.total)} "
            "(snapshot.max_total)\n" + listed([f"{quoted(path)}  {shown(kept[path])}" for path in largest]),
            hint="add what is no code to .gitignore, or raise snapshot.max_total",
        )


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # gone since, or not to be looked at: git says so in a moment
        return 0
