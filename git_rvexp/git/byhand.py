"""Commits of the record that `git notes` or a person wrote, and what they took out.

Ours bear a trailer, and never take a line away.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from git_rvexp.git.notes import TRAILER, Tip, commit_at
from git_rvexp.git.plumbing import Repo

_STEPS = 8  # back from a tip: what one command adds
_AUTHOR = re.compile(rb"^author (.*) <", re.MULTILINE)


class TakenOut(NamedTuple):
    """A note that a commit removed or wrote anew, as its blob was before."""

    commit: str
    oid: str
    blob: str


def taken_out(repo: Repo, later: Tip, earlier: Tip) -> list[TakenOut]:
    """By commits that `later` holds and `earlier`, if there is one, does not.

    No process is asked where the few commits between the two are ours.
    """
    if _ours(repo, later.commit, earlier.commit):
        return []
    since = [f"^{earlier.commit}"] if earlier else []
    found = repo.git("rev-list", f"--grep=^{TRAILER}$", "--invert-grep", later.commit, *since).lines
    if not found:
        return []
    told = repo.git(
        *("diff-tree", "--stdin", "-m", "-r", "-z", "--raw", "--no-renames"),
        stdin="".join(f"{commit}\n" for commit in found).encode(),
    )
    return list(_parsed(told.text, len(repo.null_oid)))


def author(repo: Repo, commit: str) -> str:
    """Who wrote it, by name."""
    there = commit_at(repo, commit)
    name = _AUTHOR.search(there.content) if there else None
    return name[1].decode("utf-8", "replace") if name else "somebody"


def _ours(repo: Repo, at: str, until: str) -> bool:
    """Whether going back from `at` to `until` meets only commits of ours, each on one other, within a few steps."""
    for _ in range(_STEPS):
        if at == until:
            return True
        there = commit_at(repo, at)
        head, _, message = there.content.partition(b"\n\n") if there else (b"", b"", b"")
        parents = [line[7:].decode() for line in head.split(b"\n") if line.startswith(b"parent ")]
        if TRAILER.encode() not in message or len(parents) != 1:
            return False
        (at,) = parents
    return False


def _parsed(text: str, width: int) -> Iterator[TakenOut]:
    """What `diff-tree --stdin --raw -z` says: a commit's name, then `:modes old new letter`, path, and so on."""
    commit, cells = "", iter(text.split("\0"))
    for cell in cells:
        if not cell.startswith(":"):
            commit = cell.strip()
            continue
        oid, old = next(cells).replace("/", ""), cell.split()[2]
        if len(oid) == width and set(old) != {"0"}:
            yield TakenOut(commit, oid, old)
