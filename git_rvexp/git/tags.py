"""Snapshot tags: made create-only, read in bulk.

A snapshot is always a new commit on top of HEAD, so that `git describe`, `--follow-tags` and version tools never
meet its tag. The tag object is written with mktag: no prompt, no signing by accident, no clobbering.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Snapshot
from git_rvexp.names import TagName, is_tag_name


@dataclass(frozen=True)
class Person:
    """Who takes a snapshot; either may be a stand-in when git knows no identity."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


def person(repo: Repo) -> Person:
    """The identity git would commit with, or a stand-in (a snapshot needs none)."""
    ident = repo.git("var", "GIT_AUTHOR_IDENT", ok=(0, 128))
    if ident.code:
        return Person("unknown", "unknown@localhost")
    name, _, rest = ident.text.rpartition(" <")
    return Person(name, rest.partition(">")[0])


def create(
    repo: Repo, name: TagName, tree: str, parent: str, message: str, trailers: Mapping[str, str], now: dt.datetime
) -> Snapshot:
    """Commit `tree` on `parent` ("" for none), tag it `name`. RvexpError when the name is taken; moves nothing else."""
    who = person(repo)
    when = f"{int(now.timestamp())} +0000"
    text = message.rstrip("\n") + "\n\n" + "".join(f"{k}: {v}\n" for k, v in trailers.items())
    env = {f"GIT_{role}_{key}": v for role in ("AUTHOR", "COMMITTER") for key, v in _ident(who, when).items()}
    flags = ["-p", parent] if parent else []
    # commit-tree signs by commit.gpgSign only when told to; attributes and hooks do not reach it
    commit = repo.git("commit-tree", "--no-gpg-sign", tree, *flags, stdin=text.encode(), env=env).text
    body = f"object {commit}\ntype commit\ntag {name}\ntagger {who.name} <{who.email}> {when}\n\n{text}"
    oid = repo.git("mktag", stdin=body.encode()).text
    done = repo.git("update-ref", "-m", "rvexp: snapshot", name.ref, oid, repo.null_oid, ok=(0, 128))
    if done.code:
        raise RvexpError(f"the tag {name} could not be made\n  {done.err.strip()}")
    return Snapshot(str(name), oid, commit, tree)


def snapshots(repo: Repo, names: Iterable[str] = (), *, under: str = "refs/tags") -> list[Snapshot]:
    """Every snapshot tag of this clone (or those of `names`), newest first, by one git process."""
    patterns = [f"{under}/{n}" for n in names] or [under]
    shape = "%(refname)%00%(objectname)%00%(*objectname)%00%(*tree)"
    out = repo.git("for-each-ref", "--sort=-creatordate", f"--format={shape}", *patterns)
    found = []
    for line in out.lines:
        ref, oid, commit, tree = line.split("\0")
        name = ref.removeprefix(f"{under}/")
        if commit and tree and is_tag_name(name):
            found.append(Snapshot(name, oid, commit, tree))
    return found


def _ident(who: Person, when: str) -> dict[str, str]:
    return {"NAME": who.name, "EMAIL": who.email, "DATE": when}
