"""The tag's own bytes: trees and blobs read raw through pygit2.

The only import of pygit2. It is used because it reads true objects and runs nothing: no filters, no hooks, no
replace refs, no attributes, whatever the repository's configuration says. References, index and configuration
are git's business (`plumbing`); paths come from there too, since libgit2 does not see GIT_DIR.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from git_rvexp.errors import GitError
from git_rvexp.tree import GITLINK, Entry

if TYPE_CHECKING:
    import pygit2


class Objects:
    """The object store of the repository at `git_dir` (absolute)."""

    def __init__(self, git_dir: Path) -> None:
        """Open it. GitError when libgit2 cannot: SHA-256 and reftable repositories are beyond it."""
        import pygit2  # noqa: PLC0415  75 ms that `list` and `-h` do not pay

        self.git_dir = git_dir
        try:
            self._repo = pygit2.Repository(str(git_dir), pygit2.enums.RepositoryOpenFlag.NO_SEARCH)
        except (pygit2.GitError, KeyError) as why:
            raise GitError(
                f"the objects of {git_dir} cannot be read: {why}\n"
                "  images are made from repositories of the usual kind (SHA-1 names, references in files)",
            ) from why

    def tree(self, oid: str) -> list[Entry]:
        """Every file below the tree `oid`, sorted by path; submodules are listed with their mode and no size."""
        import pygit2  # noqa: PLC0415

        top = self._get(oid)
        if not isinstance(top, pygit2.Tree):
            raise GitError(f"{oid} is not a tree")
        return sorted(self._walk(top, b""))

    def blob(self, entry: Entry) -> bytes:
        """The file's bytes. libgit2 hashes what it reads, so a damaged store does not reach an image."""
        return bytes(memoryview(self._get(entry.oid)))  # type: ignore[arg-type]

    def commit_time(self, oid: str) -> int:
        """When the commit was made, in seconds since 1970 (UTC)."""
        import pygit2  # noqa: PLC0415

        commit = self._get(oid)
        if not isinstance(commit, pygit2.Commit):
            raise GitError(f"{oid} is not a commit")
        return commit.commit_time

    def _walk(self, tree: "pygit2.Tree", prefix: bytes) -> Iterator[Entry]:
        import pygit2  # noqa: PLC0415

        for item in tree:
            path = prefix + (item.raw_name or b"")
            if isinstance(item, pygit2.Tree):
                yield from self._walk(item, path + b"/")
            elif item.filemode == GITLINK:
                yield Entry(path, GITLINK, str(item.id))
            else:
                yield Entry(path, int(item.filemode), str(item.id), self._size(item))

    def _size(self, item: "pygit2.Object") -> int:
        try:
            return int(item.size)  # type: ignore[attr-defined]
        except (KeyError, ValueError) as why:
            raise self._missing(str(item.id)) from why

    def _get(self, oid: str) -> "pygit2.Object":
        import pygit2  # noqa: PLC0415

        try:
            return self._repo[oid]
        except KeyError as why:
            raise self._missing(oid) from why
        except (ValueError, pygit2.GitError) as why:
            raise GitError(f"the object {oid} cannot be read: {why}", hint="git fsck") from why

    def _missing(self, oid: str) -> GitError:
        return GitError(
            f"the object {oid} is not in {self.git_dir}\n  a partial clone fetches contents only when git is asked",
            hint=f"git cat-file -e {oid}",
        )
