"""The tag's own bytes: trees and blobs read raw through pygit2.

The only import of pygit2. It is used because it reads true objects and runs nothing: no filters, no hooks, no
replace refs, no attributes, whatever the repository's configuration says. References, index and configuration
are git's business (`plumbing`); paths come from there too, since libgit2 does not see GIT_DIR.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from git_rvexp.errors import GitError
from git_rvexp.tree import FOLDER, GITLINK, Change, Entry

if TYPE_CHECKING:
    import pygit2

_PIECE = 1 << 18


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
        return sorted(self._sized(entry) for entry in self._walk(self._tree(oid), b""))

    def names(self, oid: str) -> list[Entry]:
        """The same without sizes (0), which cost one look into the store for each file."""
        return sorted(self._walk(self._tree(oid), b""))

    def has(self, oid: str) -> bool:
        """Whether the object is here."""
        return oid in self._repo

    def at(self, tree: str, path: str) -> Entry | None:
        """What stands at `path` ("." for the tree): a file, a link, a submodule or a folder; None for nothing."""
        found: pygit2.Object = self._tree(tree)
        mode = FOLDER
        for name in (part for part in path.split("/") if part not in ("", ".")):
            inner = _items(found).get(name.encode("utf-8", "surrogateescape")) if mode == FOLDER else None
            if inner is None:
                return None
            found, mode = inner, int(inner.filemode)
        return self._sized(Entry(path.encode("utf-8", "surrogateescape"), mode, str(found.id)))

    def changes(self, old: str, new: str, prefix: bytes = b"") -> Iterator[Change]:
        """What differs between two trees, sorted within each folder; folders that are equal are never opened.

        A folder that went is one change. Where a file became a folder, the file's going is told beside what came.
        """
        before, after = _items(self._tree(old)), _items(self._tree(new))
        for name in sorted(before.keys() | after.keys()):
            was, now = before.get(name), after.get(name)
            if was is not None and now is not None and (was.id, was.filemode) == (now.id, now.filemode):
                continue
            path = prefix + name
            if was is not None and now is not None and FOLDER == was.filemode == now.filemode:
                yield from self.changes(str(was.id), str(now.id), path + b"/")
                continue
            gone = Entry(path, int(was.filemode), str(was.id)) if was is not None else None
            if now is None or now.filemode != FOLDER:
                came = self._sized(Entry(path, int(now.filemode), str(now.id))) if now is not None else None
                yield Change(path, gone, came)
                continue
            if gone:
                yield Change(path, gone, None)
            inner = self._walk(self._tree(str(now.id)), path + b"/")
            yield from (Change(e.path, None, self._sized(e)) for e in inner)

    def blob(self, entry: Entry) -> bytes:
        """The file's bytes. libgit2 hashes what it reads, so a damaged store does not reach an image."""
        return bytes(memoryview(self._get(entry.oid)))  # type: ignore[arg-type]

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """The same, piece by piece: a large file is then in memory once and not twice."""
        whole = memoryview(self._get(entry.oid))  # type: ignore[arg-type]
        return (bytes(whole[at : at + _PIECE]) for at in range(0, len(whole), _PIECE))

    def commit_time(self, oid: str) -> int:
        """When the commit was made, in seconds since 1970 (UTC)."""
        import pygit2  # noqa: PLC0415

        commit = self._get(oid)
        if not isinstance(commit, pygit2.Commit):
            raise GitError(f"{oid} is not a commit")
        return commit.commit_time

    def _tree(self, oid: str) -> "pygit2.Tree":
        import pygit2  # noqa: PLC0415

        tree = self._get(oid)
        if not isinstance(tree, pygit2.Tree):
            raise GitError(f"{oid} is not a tree")
        return tree

    def _walk(self, tree: "pygit2.Tree", prefix: bytes) -> Iterator[Entry]:
        """Files, links and submodules of `tree`, without sizes."""
        for name, item in _items(tree).items():
            if item.filemode == FOLDER:
                yield from self._walk(self._tree(str(item.id)), prefix + name + b"/")
            else:
                yield Entry(prefix + name, int(item.filemode), str(item.id))

    def _sized(self, entry: Entry) -> Entry:
        if entry.mode in (FOLDER, GITLINK):
            return entry
        return Entry(entry.path, entry.mode, entry.oid, int(self._get(entry.oid).size))  # type: ignore[attr-defined]

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


def _items(tree: "pygit2.Object") -> dict[bytes, "pygit2.Object"]:
    """What stands in a tree, by name; nothing is opened for it."""
    return {item.raw_name or b"": item for item in tree}  # type: ignore[attr-defined]
