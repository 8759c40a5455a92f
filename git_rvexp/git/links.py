"""Repositories inside the work tree: submodules, and those that nobody declared.

A tree holds only the name of their commit. That is the truth when the commit can be fetched by others and the files
are the commit's; everything else is refused with the reason, or its files become part of the snapshot (`embed`).
"""

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git import lfs, uncovering
from git_rvexp.git.attributes import listed, names, refuse_unfiltered
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.process import apart
from git_rvexp.git.scratch import Scratch, scratch
from git_rvexp.git.weight import Limits, refuse_heavy
from git_rvexp.jitter import token
from git_rvexp.quoting import quoted


@dataclass(frozen=True)
class Link:
    """One repository inside: its folder, the commit it stands at ("" for none), and `why` it cannot be only named.

    `taken` when its files are in the snapshot's tree; `empty` for a submodule that is not checked out.
    """

    path: str
    commit: str
    why: str = ""
    taken: bool = False
    empty: bool = False


def find(place: Scratch, nested: Iterable[str]) -> tuple[Link, ...]:
    """Every submodule of the index and each of `nested` (folders with a slash at their end), with what is wrong."""
    tracked = _tracked(place) if place.may_link else {}
    declared = _declared(place.repo) if tracked else set()
    found = [_examined(place.repo, path, oid, declared) for path, oid in tracked.items()]
    untracked = (Link(path.rstrip("/"), "", "is a repository of its own") for path in nested)
    return (*found, *(link for link in untracked if link.path not in tracked))


def refuse(repo: Repo, found: Iterable[Link], *, embed: bool) -> None:
    """RvexpError with the list of repositories whose files would be lost."""
    wrong = [link for link in found if link.why and not embed]
    if wrong:
        raise RvexpError(
            "there are other git repositories inside this one whose files would not be in the snapshot\n"
            + listed([f"{quoted(f'{link.path}/')} {link.why}" for link in wrong]),
            hint="commit and push there; or --submodules=embed takes their files along; or add them to .gitignore",
        )
    bare = [link.path for link in found if link.why and not (repo.top / link.path / ".git").exists()]
    if bare:
        raise RvexpError(
            "these folders cannot be taken into the snapshot: no work tree of a repository is there\n"
            + names(f"{path or '.'}/" for path in bare),
            hint="add them to .gitignore, or `git submodule update --init`",
        )


def embed(place: Scratch, found: Iterable[Link], limits: Limits) -> tuple[Link, ...]:
    """Put the files of every repository of `found` in place of its link. RvexpError for one that is not here."""
    taken = []
    for link in found:
        tree = _files(place, _checked_out(place, place.repo, link.path), limits)
        place.git("update-index", "--force-remove", "-z", "--stdin", stdin=os.fsencode(link.path) + b"\0")
        place.git("read-tree", f"--prefix={link.path}/", tree)
        taken.append(replace(link, taken=True, why=""))
    return tuple(taken)


def _tracked(place: Scratch) -> dict[str, str]:
    """Path -> commit of the index's links."""
    entries = place.git("ls-files", "-z", "--stage").text.split("\0")
    links = (entry.partition("\t") for entry in entries if entry.startswith("160000 "))
    return {path: meta.split(" ")[1] for meta, _, path in links}


def _declared(repo: Repo) -> set[str]:
    asked = ("--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    listed_paths = repo.git("config", "--null", *asked, ok=(0, 1, 128))
    return {entry.partition("\n")[2] for entry in listed_paths.text.split("\0") if entry}


def _examined(repo: Repo, path: str, oid: str, declared: set[str]) -> Link:
    folder = repo.top / path
    if not (folder / ".git").exists():
        filled = folder.is_dir() and any(folder.iterdir())
        return Link(path, oid, "holds files, but no repository" if filled else "", empty=not filled)
    try:
        inner = _inner(repo, path)
    except UsageError:
        return Link(path, oid, "is not a repository that git can open")
    if path not in declared:
        return Link(path, oid, "is not in .gitmodules, so nobody knows where its commit can be fetched")
    commit = inner.resolve("HEAD^{commit}")[0]
    if dirty := _changes(inner):
        count = dirty.count(b"\0")
        return Link(path, commit, f"has {count} uncommitted change{'s' * (count != 1)}")
    if _unpushed(inner, commit, oid):
        return Link(path, commit, f"is at commit {commit[:12]}, which it has pushed to no remote")
    inside = next((sub for sub in _below(inner) if sub.why), None)
    return Link(path, commit, f"holds {quoted(f'{inside.path}/')}, which {inside.why}" if inside else "")


def _changes(inner: Repo) -> bytes:
    """What git lists as changed, edits that it was told not to look at too."""
    asked = ("status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=dirty")
    marked = uncovering.flagged(inner.git("ls-files", "-z", "-v").out)
    if not marked:
        return inner.git(*asked).out
    with scratch(inner) as place:
        uncovering.clear(place, marked)
        return place.git(*asked).out


def _below(inner: Repo) -> Iterable[Link]:
    """The submodules of a submodule."""
    entries = inner.git("ls-files", "-z", "--stage").text.split("\0")
    tracked = {e.partition("\t")[2]: e.split(" ")[1] for e in entries if e.startswith("160000 ")}
    declared = _declared(inner) if tracked else set()
    return (_examined(inner, path, oid, declared) for path, oid in tracked.items())


def _unpushed(inner: Repo, commit: str, recorded: str) -> bool:
    """Whether no remote-tracking branch holds the commit. A shallow one cannot tell for the commit it was made at."""
    if not commit:
        return True
    if commit == recorded and (inner.common_dir / "shallow").exists():
        return False
    return bool(inner.git("rev-list", "--max-count=1", commit, "--not", "--remotes").out)


def _inner(repo: Repo, path: str) -> Repo:
    """The repository at `path`; UsageError when git finds none there, or this one."""
    inner = Repo.discover(repo.top / path, apart(repo.env))
    if inner.top != Path(os.path.realpath(repo.top / path)):
        raise UsageError(f"{quoted(path)} is no repository of its own")
    return inner


def _checked_out(place: Scratch, holder: Repo, path: str) -> Repo:
    """The repository at `path` of `holder`, which is the clone or one inside it. RvexpError when none is there."""
    if not (holder.top / path / ".git").exists():
        above = os.path.relpath(holder.top, place.repo.top)
        whole = quoted(os.path.normpath(f"{above}/{path}") + "/")
        at = "" if above == "." else f"-C {shlex.quote(quoted(above))} "
        raise RvexpError(
            f"{whole} is not checked out, so its files cannot be taken along",
            hint=f"git {at}submodule update --init {shlex.quote(quoted(path))}",
        )
    return _inner(holder, path)


def _files(place: Scratch, inner: Repo, limits: Limits) -> str:
    """The tree of all files of `inner` that are tracked or not ignored, made in the outer scratch store."""
    if inner.object_format != place.repo.object_format:
        raise RvexpError(f"{inner.top} names its objects by {inner.object_format}, this repository does not")
    entries = [e for e in inner.git("ls-files", "-z", "-v", "--stage").text.split("\0") if e]
    lost = [e.partition("\t")[2] for e in entries if e[0] in "MmSs" and not _there(inner, e)]
    if lost or any(e[0] in "Mm" for e in entries):
        raise RvexpError(f"{inner.top} has an unfinished merge or a sparse checkout\n" + names(lost))
    untracked = inner.git("ls-files", "-z", "--others", "--exclude-standard").text.split("\0")
    deeper = [e.partition("\t")[2] for e in entries if e.split(" ")[1] == "160000"]
    deeper += [p.rstrip("/") for p in untracked if p.endswith("/")]
    plain = [e.partition("\t")[2] for e in entries if e.split(" ")[1] != "160000"]
    plain += [p for p in untracked if p and not p.endswith("/")]
    refuse_unfiltered(inner, plain, {e.partition("\t")[2]: e.split(" ")[2] for e in entries})
    refuse_heavy(inner, plain, limits)
    return _tree(Scratch(inner, place.index.with_name(f"index-{token()}"), place.objects), place, deeper, plain, limits)


def _tree(inside: Scratch, place: Scratch, deeper: Sequence[str], plain: Iterable[str], limits: Limits) -> str:
    def run(*args: str, stdin: bytes | None = None) -> str:
        return inside.repo.git(*args, stdin=stdin, env=place.env, index=inside.index).text

    try:
        stdin = b"".join(os.fsencode(p) + b"\0" for p in plain)
        run("update-index", "--add", "--remove", "-z", "--stdin", stdin=stdin)
        for path in deeper:
            run("read-tree", f"--prefix={path}/", _files(place, _checked_out(place, inside.repo, path), limits))
        tree = run("write-tree")
    finally:
        inside.index.unlink(missing_ok=True)
    lfs.bring(lfs.in_tree(place, tree).values(), lfs.store(inside.repo), lfs.store(place.repo))
    return tree


def _there(inner: Repo, entry: str) -> bool:
    return os.path.lexists(inner.top / entry.partition("\t")[2])
