"""Snapshot tags: made create-only, read in bulk.

A snapshot is always a new commit on top of HEAD, so that `git describe`, `--follow-tags` and version tools never
meet its tag. The tag object is written with mktag: no prompt, no signing by accident, no clobbering.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from git_rvexp.errors import RvexpError
from git_rvexp.git import signing
from git_rvexp.git.catalogue import tied
from git_rvexp.git.plumbing import Repo
from git_rvexp.grammar import is_tag_name
from git_rvexp.names import TagName
from git_rvexp.terms import Snapshot

if TYPE_CHECKING:
    from git_rvexp.git.worktree import WorkTree

HERE = "refs/tags"
"""Where the snapshot tags of a clone are."""
_TAGGER = re.compile(r"^tagger (?P<who>.*) (?P<when>\d{1,11}) [+-]\d{4}$", re.MULTILINE)


@dataclass(frozen=True)
class Person:
    """Who takes a snapshot; either may be a stand-in when git knows no identity."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


NOBODY = Person("unknown", "unknown@localhost")
"""The stand-in for somebody whose identity git does not know; git itself would refuse to commit."""


def person(repo: Repo) -> Person:
    """The identity git would commit with, or a stand-in (a snapshot needs none)."""
    name, email = (_said(repo, part) for part in ("name", "email"))
    if name and email and not set(name + email) & set("<>\n"):
        return Person(name, email)
    ident = repo.git("var", "GIT_AUTHOR_IDENT", ok=(0, 128))
    if ident.code:
        return NOBODY
    name, _, rest = ident.text.rpartition(" <")
    return Person(name, rest.partition(">")[0])


def _said(repo: Repo, part: str) -> str:
    """What the environment or the configuration says outright; git itself is asked only where it would guess."""
    return (
        repo.env.get(f"GIT_AUTHOR_{part.upper()}") or repo.setting(f"author.{part}") or repo.setting(f"user.{part}")
    ).strip()


@dataclass(frozen=True)
class Told:
    """What a tag object says: when (epoch seconds), who, the first line of its message, and its trailers."""

    when: int
    tagger: str
    subject: str
    trailers: Mapping[str, str]

    @classmethod
    def parse(cls, body: str) -> "Told":
        """The content of a tag object as `create` writes it. RvexpError for one that names no tagger or no time."""
        head, _, message = signing.without(body).partition("\n\n")
        tagger = _TAGGER.search(head)
        if not tagger:
            raise RvexpError("the tag does not say who made it and when, so it is no snapshot's")
        who, when = tagger["who"], tagger["when"]
        pairs = (line.partition(": ") for line in message.rstrip("\n").rpartition("\n\n")[2].split("\n"))
        return cls(int(when), who, message.partition("\n")[0], {key: value for key, colon, value in pairs if colon})


def told(repo: Repo, oid: str) -> Told:
    """What the tag object `oid` says."""
    return Told.parse(repo.git("cat-file", "tag", oid).text)


def create(
    repo: Repo,
    name: TagName,
    work: "WorkTree",
    who: Person,
    message: str,
    trailers: Mapping[str, str],
    now: dt.datetime,
) -> tuple[Snapshot, Told]:
    """Commit the work tree on its HEAD and tag it `name`; the snapshot, and what its tag says.

    RvexpError when the name is taken. Moves nothing but the new tag's ref.
    """
    when = f"{int(now.timestamp())} +0000"
    text = message.rstrip("\n") + "\n\n" + "".join(f"{k}: {v}\n" for k, v in trailers.items())
    env = {f"GIT_{role}_{key}": v for role in ("AUTHOR", "COMMITTER") for key, v in _ident(who, when).items()}
    flags = ["-p", work.head] if work.head else []
    if signing.asks(repo, signing.SIGN, record=False):
        # The commit first: where git cannot sign, it says so there, and nothing was made.
        commit = signing.commit(repo, [work.tree, *flags], text.encode(), env, str(who))
        oid = signing.tag(repo, str(name), commit, text, env, str(who))
        return Snapshot(str(name), oid, commit, work.tree), told(repo, oid)
    commit = repo.git("commit-tree", "--no-gpg-sign", work.tree, *flags, stdin=text.encode(), env=env).text
    body = f"object {commit}\ntype commit\ntag {name}\ntagger {who} {when}\n\n{text}"
    oid = repo.git("mktag", stdin=body.encode()).text
    done = repo.git("update-ref", "-m", "rvexp: snapshot", name.ref, oid, repo.null_oid, ok=(0, 128))
    if done.code:
        raise RvexpError(f"the tag {name} could not be made\n  {done.err.strip()}")
    return Snapshot(str(name), oid, commit, work.tree), Told.parse(body)


def snapshots(repo: Repo, names: Iterable[str] = (), *, under: str = HERE) -> list[Snapshot]:
    """Every snapshot tag of this clone (or those of `names`), newest first, by one git process."""
    return snapshots_under(repo, [under], names)[0]


def snapshots_under(repo: Repo, places: Sequence[str], names: Iterable[str] = ()) -> list[list[Snapshot]]:
    """The same for each of several prefixes of refs, all by one git process."""
    found: dict[str, list[Snapshot]] = {place: [] for place in places}
    when: dict[str, int] = {}
    fields = "%(objectname)%00%(*objectname)%00%(*tree)%00%(creatordate:unix)"
    for place, name, line in _named(repo, fields, places, names):
        oid, commit, tree, seconds = line.split("\0")
        if commit and tree:
            found[place].append(Snapshot(name, oid, commit, tree))
            when[oid] = int(seconds or 0)
    finer = tied(repo, when)
    return [sorted(of, key=lambda s: (when[s.oid], finer.get(s.oid, "")), reverse=True) for of in found.values()]


def standing(repo: Repo, places: Sequence[str], names: Iterable[str] = ()) -> list[dict[str, str]]:
    """Name -> object of all tags with a snapshot's name (or `names`) in each place; nothing is opened or looked at."""
    found: dict[str, dict[str, str]] = {place: {} for place in places}
    for place, name, oid in _named(repo, "%(objectname)", places, names):
        found[place][name] = oid
    return [*found.values()]


def _named(repo: Repo, fields: str, places: Sequence[str], names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Place, name and the asked for fields of each tag with a snapshot's name (or of `names`) in the places."""
    wanted = list(names)
    patterns = [f"{place}/{n}" for place in places for n in wanted] or places
    for line in repo.git("for-each-ref", f"--format=%(refname)%00{fields}", *patterns).lines:
        ref, _, rest = line.partition("\0")
        place = next(p for p in places if ref.startswith(f"{p}/"))
        name = ref.removeprefix(f"{place}/")
        if is_tag_name(name):
            yield place, name, rest


def _ident(who: Person, when: str) -> dict[str, str]:
    return {"NAME": who.name, "EMAIL": who.email, "DATE": when}
