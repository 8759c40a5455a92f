"""The tag's own bytes: trees, files and commits as git stores them.

What is read here follows from the objects' names alone (`catfile`). References, index and configuration are
`plumbing`'s business, and paths come from there too.
"""

import os
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path

from git_rvexp.errors import GitError
from git_rvexp.git import lfs
from git_rvexp.git.catfile import CatFile, Reading
from git_rvexp.git.plumbing import Repo, environment
from git_rvexp.tree import EXECUTABLE, FILE, FOLDER, GITLINK, Change, Entry

_LARGE = 4 << 20
_TIMES_END = 8**11  # seconds since 1970, in the year 2242: eleven octal digits, as the header of a tar has them
_REMEMBERED = 50_000  # entries of trees
Items = dict[bytes, tuple[int, str]]
"""What stands in a tree: mode and object name by name."""


class Objects:
    """The object store of the repository at `git_dir` (absolute)."""

    def __init__(
        self,
        git_dir: Path,
        env: Mapping[str, str] | None = None,
        *,
        read: Reading | None = None,
        contents: Path | None = None,
    ) -> None:
        """Nothing is read yet. `env` is what git is run with, our own by default; with `read` that is asked instead.

        `contents` is where git-lfs keeps content, the git directory's own folder by default.
        """
        self.git_dir = git_dir
        self.contents = contents or git_dir / "lfs"
        self._read = read or CatFile(git_dir, environment(os.environ) if env is None else env)
        self._known: dict[str, Items] = {}
        self._room = _REMEMBERED

    @classmethod
    def of(cls, repo: Repo, *, read: Reading | None = None) -> "Objects":
        """Those that all work trees of the clone share."""
        return cls(repo.common_dir, repo.env, read=read, contents=lfs.store(repo))

    def tree(self, oid: str) -> list[Entry]:
        """Every file below the tree `oid`, sorted by path; submodules are listed with their mode and no size."""
        return sorted(self._sized(self.names(oid)))

    def names(self, oid: str, *, closed: Container[str] = ()) -> list[Entry]:
        """The same without sizes (0), which cost one look into the store for each file.

        Folders whose trees are among `closed` are listed themselves, and not what is in them.
        """
        return sorted(self._below([(b"", oid)], closed)) if oid not in closed else [Entry(b"", FOLDER, oid)]

    def has(self, oid: str) -> bool:
        """Whether the object is here."""
        return self._read.sizes([oid]) != [None]

    def at(self, tree: str, path: str) -> Entry | None:
        """What stands at `path` ("." for the tree): a file, a link, a submodule or a folder; None for nothing."""
        mode, oid = FOLDER, tree
        for name in (part for part in path.split("/") if part not in ("", ".")):
            inner = self._items(oid).get(name.encode("utf-8", "surrogateescape")) if mode == FOLDER else None
            if inner is None:
                return None
            mode, oid = inner
        return self._sized([Entry(path.encode("utf-8", "surrogateescape"), mode, oid)])[0]

    def changes(self, old: str, new: str, prefix: bytes = b"") -> Iterator[Change]:
        """What differs between two trees, sorted within each folder; folders that are equal are never opened.

        A folder that went is one change. Where a file became a folder, the file's going is told beside what came.
        """
        before, after = self._trees([old, new])
        for name in sorted(before.keys() | after.keys()):
            was, now = before.get(name), after.get(name)
            if was == now:
                continue
            path = prefix + name
            if was and now and FOLDER == was[0] == now[0]:
                yield from self.changes(was[1], now[1], path + b"/")
                continue
            gone = Entry(path, *was) if was else None
            if now is None or now[0] != FOLDER:
                came = self._sized([Entry(path, *now)])[0] if now else None
                yield Change(path, gone, came)
                continue
            if gone:
                yield Change(path, gone, None)
            inner = sorted(self._below([(path + b"/", now[1])]))
            yield from (Change(e.path, None, e) for e in self._sized(inner))

    def blob(self, entry: Entry) -> bytes:
        """The file's bytes."""
        return self._one(entry.oid, "blob")

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """The same, piece by piece: a large file is never in memory as a whole."""
        return self._read.streamed(entry.oid) if entry.size >= _LARGE else iter([self.blob(entry)])

    def size(self, entry: Entry) -> int:
        """How many bytes the file has."""
        return self._sized([entry])[0].size

    def commit_time(self, oid: str) -> int:
        """When the commit was made, in seconds since 1970 (UTC); GitError where no file can bear that time."""
        head = self._one(oid, "commit").partition(b"\n\n")[0]
        try:
            (line,) = (line for line in head.split(b"\n") if line.startswith(b"committer "))
            time = int(line.split(b" ")[-2])
        except (ValueError, IndexError) as why:
            raise GitError(f"the commit {oid} cannot be read: it names no time", hint="git fsck") from why
        if not 0 <= time < _TIMES_END:
            told = f"the commit {oid} is dated {time} seconds after 1970, which no file of an image can be"
            raise GitError(told, hint="git rvexp snapshot    (the commit of a new one is dated now)")
        return time

    def _below(self, folders: Sequence[tuple[bytes, str]], closed: Container[str] = ()) -> Iterator[Entry]:
        """Files, links and submodules below folders (each with the start of its paths), without sizes.

        All folders of one depth are read together: a round of questions for each depth, not for each folder.
        """
        while folders:
            inner: list[tuple[bytes, str]] = []
            for (prefix, _), items in zip(folders, self._trees([oid for _, oid in folders]), strict=True):
                for name, (mode, oid) in items.items():
                    if mode == FOLDER and oid not in closed:
                        inner.append((prefix + name + b"/", oid))
                    else:
                        yield Entry(prefix + name, mode, oid)
            folders = inner

    def _sized(self, entries: Sequence[Entry]) -> list[Entry]:
        """The same with the sizes of files and links. GitError for one that is not here."""
        asked = [e.oid for e in entries if e.mode not in (FOLDER, GITLINK)]
        sizes = dict(zip(asked, self._read.sizes(asked), strict=True))
        for oid, size in sizes.items():
            if size is None:
                self._one(oid, "blob")
        return [Entry(e.path, e.mode, e.oid, sizes.get(e.oid) or 0) for e in entries]

    def _items(self, oid: str) -> Items:
        return next(self._trees([oid]))

    def _trees(self, oids: Sequence[str]) -> Iterator[Items]:
        """Trees by their names, as far as there is room from memory: a publish comes by the same ones several times."""
        asked = [oid for oid in dict.fromkeys(oids) if oid not in self._known]
        fresh: dict[str, Items] = {}
        for oid, found in zip(asked, self._read.contents(asked), strict=True):
            if found.kind != "tree":
                raise GitError(f"{oid} is not a tree")
            fresh[oid] = items = parsed(oid, found.content)
            if len(items) <= self._room:
                self._known[oid] = items
                self._room -= len(items)
        return iter([fresh[oid] if oid in fresh else self._known[oid] for oid in oids])

    def _one(self, oid: str, kind: str) -> bytes:
        (found,) = self._read.contents([oid])
        if found.kind != kind:
            raise GitError(f"{oid} is not a {kind}")
        return found.content


def parsed(oid: str, content: bytes) -> Items:
    """A tree's entries. Format: `mode SP name NUL`, then the object name in binary. GitError for anything else."""
    items: Items = {}
    width, at = len(oid) // 2, 0
    try:
        while at < len(content):
            space = content.index(b" ", at)
            end = content.index(b"\0", space) + 1
            mode = int(content[at:space], 8)
            at = end + width
            items[content[space + 1 : end - 1]] = (_plain(mode), content[end:at].hex())
    except ValueError as why:
        raise GitError(f"the tree {oid} cannot be read: {why}", hint="git fsck") from why
    return items


def _plain(mode: int) -> int:
    """One of the modes that git writes today: old trees hold others for files, and git reads them so."""
    if mode & 0o170000 != 0o100000:
        return mode
    return EXECUTABLE if mode & 0o100 else FILE
