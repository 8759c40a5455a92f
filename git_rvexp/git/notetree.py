"""The tree of a notes ref: at which paths a note can stand, and a copy of the tree under change.

Subtrees are read when they are needed and written once, by one `git mktree --batch`. Moving refs is `notes`' business.
"""

import contextlib
import subprocess
from collections.abc import Mapping

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo

_Entry = tuple[str, str, str]  # mode, kind, oid


def paths(oid: str) -> list[str]:
    """Every path at which a note on `oid` can stand, by fan-out."""
    return [oid, f"{oid[:2]}/{oid[2:]}", f"{oid[:2]}/{oid[2:4]}/{oid[4:]}"]


class NoteTree:
    """A notes tree under change; `treeish` is empty for a new one."""

    def __init__(self, repo: Repo, treeish: str) -> None:
        self._repo = repo
        self._root = self._entries(treeish) if treeish else {}
        self._subtrees: dict[str, dict[str, _Entry]] = {}
        self._mktree: subprocess.Popen[bytes] | None = None

    def place(self, oid: str, blob: str) -> None:
        """Put the note of `oid` where it stands already (the other copies go), else one level deep."""
        holders = [(folder, name) for folder, name in _split(oid) if name in self._folder(folder)]
        for folder, name in holders[1:]:
            del self._folder(folder)[name]
        folder, name = holders[0] if holders else (oid[:2], oid[2:])
        self._folder(folder)[name] = ("100644", "blob", blob)

    def store(self) -> str:
        """The tree's object name, all of it written."""
        for path in sorted(self._subtrees, key=len, reverse=True):
            parent, _, name = path.rpartition("/")
            entries = self._subtrees[path]
            if entries:
                self._folder(parent)[name] = ("040000", "tree", self._write(entries))
            else:
                self._folder(parent).pop(name, None)
        return self._write(self._root)

    def close(self) -> None:
        """End the writer."""
        if self._mktree is not None:
            with contextlib.suppress(BrokenPipeError):
                self._mktree.communicate()

    def _folder(self, path: str) -> dict[str, _Entry]:
        if not path:
            return self._root
        if path not in self._subtrees:
            parent, _, name = path.rpartition("/")
            entry = self._folder(parent).get(name)
            self._subtrees[path] = self._entries(entry[2]) if entry and entry[1] == "tree" else {}
        return self._subtrees[path]

    def _entries(self, treeish: str) -> dict[str, _Entry]:
        entries: dict[str, _Entry] = {}
        for line in self._repo.git("ls-tree", "-z", treeish).text.split("\0"):
            meta, _, name = line.partition("\t")
            if name:
                mode, kind, oid = meta.split()
                entries[name] = (mode, kind, oid)
        return entries

    def _write(self, entries: Mapping[str, _Entry]) -> str:
        if self._mktree is None:
            self._mktree = subprocess.Popen(
                ["git", "mktree", "--batch", "-z"],
                cwd=self._repo.top,
                env=self._repo.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        assert self._mktree.stdin
        assert self._mktree.stdout
        assert self._mktree.stderr
        text = "".join(f"{mode} {kind} {oid}\t{name}\0" for name, (mode, kind, oid) in entries.items())
        with contextlib.suppress(BrokenPipeError):  # it has ended; why comes next
            self._mktree.stdin.write(text.encode() + b"\0")
            self._mktree.stdin.flush()
        oid = self._mktree.stdout.readline().decode().strip()
        if not oid:
            said = self._mktree.stderr.read().decode("utf-8", "replace").strip()
            raise GitError(f"the record could not be written\n  {said}")
        return oid


def _split(oid: str) -> list[tuple[str, str]]:
    """Folder and name of each of `paths(oid)`; an absent folder reads as empty."""
    pairs = []
    for path in paths(oid):
        folder, _, name = path.rpartition("/")
        pairs.append((folder, name))
    return pairs
