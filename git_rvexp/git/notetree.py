"""The tree of a notes ref: at which paths a note can stand, and a copy of the tree under change.

Subtrees are read when they are needed and written once, with all else that is new. Moving refs is `notes`' business.
"""

from typing import TYPE_CHECKING

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo
from git_rvexp.tree import FILE, FOLDER, written

if TYPE_CHECKING:
    from git_rvexp.git.objects import Items
    from git_rvexp.git.packing import Pack


def paths(oid: str) -> list[str]:
    """Every path at which a note on `oid` can stand, by fan-out."""
    return [oid, f"{oid[:2]}/{oid[2:]}", f"{oid[:2]}/{oid[2:4]}/{oid[4:]}"]


class NoteTree:
    """A notes tree under change; `treeish` is empty for a new one. What is made goes into `pack`."""

    def __init__(self, repo: Repo, treeish: str, pack: "Pack") -> None:
        self._repo, self._pack = repo, pack
        self._root = self._entries(treeish) if treeish else {}
        self._subtrees: dict[str, Items] = {}

    def place(self, oid: str, blob: str) -> None:
        """Put the note of `oid` where it stands already (the other copies go), else one level deep."""
        holders = [(folder, name) for folder, name in _split(oid) if name in self._folder(folder)]
        for folder, name in holders[1:]:
            del self._folder(folder)[name]
        folder, name = holders[0] if holders else (oid[:2], oid[2:].encode())
        self._folder(folder)[name] = (FILE, blob)

    def store(self) -> str:
        """The tree's object name, with all that is below it in the pack."""
        for path in sorted(self._subtrees, key=len, reverse=True):
            parent, _, name = path.rpartition("/")
            entries = self._subtrees[path]
            if entries:
                self._folder(parent)[name.encode()] = (FOLDER, self._written(entries))
            else:
                self._folder(parent).pop(name.encode(), None)
        return self._written(self._root)

    def _folder(self, path: str) -> "Items":
        if not path:
            return self._root
        if path not in self._subtrees:
            parent, _, name = path.rpartition("/")
            mode, oid = self._folder(parent).get(name.encode(), (0, ""))
            self._subtrees[path] = self._entries(oid) if mode == FOLDER else {}
        return self._subtrees[path]

    def _entries(self, treeish: str) -> "Items":
        from git_rvexp.git.objects import parsed  # noqa: PLC0415  a look at the record changes no tree

        there = self._repo.reader.read([treeish])[treeish]
        if there is None or there.kind != "tree":
            raise GitError(f"the record is damaged: the object {treeish} is missing", hint="git fsck")
        return parsed(there.oid, there.content)

    def _written(self, entries: "Items") -> str:
        return self._pack.add("tree", written(entries))


def _split(oid: str) -> list[tuple[str, bytes]]:
    """Folder and name of each of `paths(oid)`; an absent folder reads as empty."""
    pairs = []
    for path in paths(oid):
        folder, _, name = path.rpartition("/")
        pairs.append((folder, name.encode()))
    return pairs
