"""The experiments remote: the private place that snapshots and notes go to, and nothing else does.

A git remote named `experiments` in this clone. With none configured it is a bare repository inside the clone's
git directory, so that the code path is the same. Tags are compared by `ls-remote`, since a plain fetch says
nothing when a remote tag moved; nothing is ever pushed with force.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from git_rvexp.addresses import redacted
from git_rvexp.errors import GitError, RvexpError, UsageError
from git_rvexp.git import embedded, notes, places
from git_rvexp.git.configuration import put
from git_rvexp.git.gone import PUBLISHED as PUBLISHED  # noqa: PLC0414  part of what is offered here
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.process import Result, Underway
from git_rvexp.git.tags import HERE, snapshots_under
from git_rvexp.terms import Snapshot

NAME = "experiments"
URL = f"remote.{NAME}.url"

PUSHED = "refs/rvexp/pushed"
"""Where git itself tracks the remote's tags: its update after a plain `git push` is what fires a hook (see hooks/)."""
_PUSHED_AT_ONCE = 500  # refs on one command line
_WHOLE = "core.bigFileThreshold=16m"
"""Larger files are sent as they are, a piece at a time. Git would look for what files up to 512 MiB share, and hold
them for that; weights and images share nothing (measured, three of 107 MiB: 30 s and 778 MB, so 10 s and 115 MB)."""


@dataclass(frozen=True)
class Remote:
    """Where to push and fetch. `url` may hold no password; git's credential helpers supply it."""

    url: str
    embedded: bool


def wanted(repo: Repo, experiments_remote: str, github_repo: str) -> Remote:
    """The remote that the settings ask for (a URL, a folder, org/name on GitHub, or nothing)."""
    if github_repo:
        if github_repo.count("/") != 1 or not all(github_repo.split("/")) or github_repo.startswith("-"):
            raise UsageError(f"github_experiment_repo is {github_repo!r}", hint='write it as "org/name"')
        return Remote(f"https://github.com/{github_repo}.git", embedded=False)
    if not experiments_remote:
        return Remote(str(embedded.at(repo)), embedded=True)
    if experiments_remote.startswith(("-", "ext::")):
        raise UsageError(f"experiments_remote is {experiments_remote!r}, which is not a place to push to")
    return Remote(places.full(repo, experiments_remote), embedded=False)


def both_sides(repo: Repo, names: Iterable[str] = ()) -> tuple[list[Snapshot], list[Snapshot]]:
    """The snapshot tags of this clone (or those of `names`), and those the remote was seen to have, newest first."""
    here, published = snapshots_under(repo, [HERE, PUBLISHED], names)
    return here, published


def urls(repo: Repo, name: str) -> list[str]:
    """Fetch and push URLs of a git remote, after insteadOf; empty when there is no such remote."""
    if f"remote.{name}.url" not in repo.config:
        return []
    fetch = repo.git("remote", "get-url", "--all", name, ok=(0, 2, 128))
    push = repo.git("remote", "get-url", "--push", "--all", name, ok=(0, 2, 128))
    return [] if fetch.code else list(dict.fromkeys(fetch.lines + push.lines))


def connect(repo: Repo, remote: Remote, *, allow_origin: bool = False) -> None:
    """Make the git remote `experiments` point at `remote` (and make the embedded one). Idempotent.

    UsageError when it is origin's place (code would leak the way it did before), or when `experiments` is already
    another place: that is never changed silently.
    """
    if not (allow_origin or remote.embedded) and places.same(repo, remote.url, urls(repo, "origin")):
        raise UsageError(
            f"the experiments remote is the same place as origin: {redacted(remote.url)}\n"
            "  snapshots hold unpublished code and would be visible there",
            hint="choose a private repository, or `git config rvexp.local.alloworigin true`",
        )
    if remote.embedded:
        embedded.make(repo)
    if repo.config.get(URL) != (remote.url,):
        present = urls(repo, NAME)
        if present and not places.same(repo, remote.url, present):
            shown = redacted(remote.url)
            raise UsageError(
                f"the git remote 'experiments' is {redacted(present[0])}, the settings say {shown}",
                hint=f"git remote set-url experiments {shlex.quote(shown)}, if the settings are right",
            )
    _configure(repo, remote.url)


def ids(repo: Repo, names: Iterable[str] = ()) -> dict[str, str]:
    """Ref -> object on the remote now, for the given refs, else for all tags and the notes."""
    return told(repo, repo.git(*_question(names), ok=(0, 128)))


def asked(repo: Repo, names: Iterable[str]) -> Underway:
    """The same as a question on its way, which `told` reads; `names` may have git's `*` in them."""
    return repo.begin(*_question(names))


def told(repo: Repo, done: Result) -> dict[str, str]:
    """Ref -> object, as the remote has answered. GitError when it has not."""
    if done.code:
        raise unreachable(repo, done)
    return {ref: oid for oid, _, ref in (line.partition("\t") for line in done.lines)}


def _question(names: Iterable[str]) -> list[str]:
    return ["ls-remote", "--quiet", "--refs", NAME, *(list(names) or ["refs/tags/*", notes.REF])]


def try_out(repo: Repo, seconds: float) -> None:
    """Ask the remote something, once. GitError, with what git says, when it does not answer within `seconds`."""
    try:
        done = repo.git_within(seconds, "ls-remote", "--quiet", NAME, "HEAD")
    except GitError as why:
        done = Result(128, b"", str(why))
    if done.code:
        raise unreachable(repo, done)


def push(repo: Repo, *refspecs: str, negotiate: bool = False, options: Iterable[str] = ()) -> Result:
    """Push without force; exit code 1 means the remote refused a ref (see the result's lines).

    `negotiate` makes the first push of a snapshot of a large repository small (measured: 552 bytes, not 292 MiB) when
    the remote knows only colleagues' snapshots, and costs two requests more. Tags go before and apart from notes: a
    notes ref that the remote lacks breaks the negotiation. No hook of the user's runs (git-lfs' would upload to
    wherever a committed .lfsconfig says).
    """
    asking = f"push.negotiate={str(negotiate).lower()}"
    settings = ["-c", asking, "-c", "protocol.version=2", "-c", "push.followTags=false", "-c", _WHOLE]
    flags = ("--porcelain", "--no-verify", "--recurse-submodules=no", *options)
    done = repo.git(*settings, "push", *flags, NAME, *refspecs, ok=(0, 1, 128))
    if done.code == 128 or (done.code == 1 and "!\t" not in done.text):
        raise unreachable(repo, done)
    return done


def advance(repo: Repo, ref: str, new: str, old: str) -> bool:
    """Move the remote's `ref` on to `new`, a descendant of `old`; whether it still stood at `old` and now has moved.

    One request tells and does it: a lease for exactly `old` lets nothing be moved that stands anywhere else.
    """
    return push(repo, f"{new}:{ref}", options=[f"--force-with-lease={ref}:{old}"]).code == 0


def push_tags(repo: Repo, tags: Iterable[str]) -> None:
    """Push snapshot tags by name; RvexpError names a tag that stands there with another object.

    A refusal of a tag that is there already, the same, is none: git's HTTP client repeats a push whose reply was lost.
    """
    names = list(tags)
    for first in range(0, len(names), _PUSHED_AT_ONCE):
        some = names[first : first + _PUSHED_AT_ONCE]
        done = push(repo, *(f"refs/tags/{t}:refs/tags/{t}" for t in some), negotiate=True)
        if done.code and not _all_there(repo, [f"refs/tags/{t}" for t in some]):
            told = "the experiments remote refused the snapshot\n" + refusals(done)
            raise RvexpError(told, hint="git rvexp sync")
        note(repo, some)


def note(repo: Repo, tags: Iterable[str]) -> None:
    """Keep in mind that the remote has these tags as they are here."""
    lines = (f"update {PUBLISHED}/{tag} refs/tags/{tag}\n" for tag in tags)
    repo.git("update-ref", "--stdin", stdin="".join(lines).encode())


def fetch(repo: Repo, *refspecs: str) -> Result:
    """Fetch exactly these refspecs, following no tags. They go in by stdin: there may be very many."""
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--refmap=", "--stdin")
    listed = "".join(f"{spec}\n" for spec in refspecs).encode()
    done = repo.git("fetch", *options, NAME, stdin=listed, ok=(0, 1, 128))
    if done.code:
        raise unreachable(repo, done)
    return done


def unreachable(repo: Repo, done: Result) -> GitError:
    """The error for a remote that could not be talked to."""
    place = (urls(repo, NAME) or ["(not set up)"])[0]
    said = [line for line in done.err.splitlines() if line.strip()]
    told = "\n".join(f"  {line}" for line in said[-4:])
    return GitError(f"the experiments remote cannot be reached: {redacted(place)}\n{told}", hint="git rvexp doctor")


def _configure(repo: Repo, url: str) -> None:
    """The remote's settings, as far as they are missing; its tags are tracked apart.

    It takes no part in `git fetch --all`. What is there already is the user's.
    """
    tracked, name = f"+refs/tags/*:{PUSHED}/*", f"remote.{NAME}.fetch"
    if tracked not in repo.config.get(name, ()):  # `git remote add` writes one for branches
        put(repo, name, tracked, beside=True)
    settings: Mapping[str, str] = {
        "tagopt": "--no-tags",
        "skipfetchall": "true",
        "url": url,
    }
    for key, value in settings.items():
        name = f"remote.{NAME}.{key}"
        if name not in repo.config:
            put(repo, name, value)


def _all_there(repo: Repo, refs: list[str]) -> bool:
    there = ids(repo, refs)
    return [there.get(ref) for ref in refs] == repo.git("rev-parse", *refs).lines


def refusals(done: Result) -> str:
    """Git's own line about each ref that the remote refused, one below the other."""
    return "\n".join("  " + line[2:].replace("\t", "  ") for line in done.lines if line.startswith("!\t"))
