"""Clones that do not hold the whole history: what a push of a snapshot needs is here, is fetched, or is said.

A remote that shares no commit with us needs all history below a snapshot. A shallow clone cannot send that, and a
partial one would fetch it object by object in the middle of the push.
"""

from collections.abc import Callable

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git.plumbing import Repo

_ROUNDS = 200  # each brings at least one level of folders


def prepare_push(repo: Repo, name: str, head: str, say: Callable[[str], None], *, takes_shallow: bool) -> None:
    """Make sure that a commit on `head` can be pushed to the git remote `name`; RvexpError when it cannot.

    `takes_shallow`: that remote accepts a history that is cut off. Costs nothing in a full clone.
    """
    shallow = (repo.common_dir / "shallow").exists() and not takes_shallow
    partner = promisor(repo)
    if not head or not (shallow or partner):
        return
    common = _common(repo, name, head)
    if common is None:
        return
    if shallow and not common:
        raise RvexpError(
            "this clone is shallow, and the experiments remote has nothing that its history goes on from",
            hint="git fetch --unshallow",
        )
    if partner:
        _fill(repo, partner, [head, *(f"^{commit}" for commit in common)], say)


def promisor(repo: Repo) -> str:
    """The remote that a partial clone gets its missing objects from; "" in other clones."""
    for key, values in repo.config.items():
        if key.startswith("remote.") and key.endswith(".promisor") and values[-1].lower() in ("true", "1", "yes", ""):
            return key.removeprefix("remote.").removesuffix(".promisor")
    return repo.setting("extensions.partialclone")


def _common(repo: Repo, name: str, head: str) -> list[str] | None:
    """Commits below `head` that the remote has; None when it cannot tell."""
    # before git 2.36 --negotiate-only went into submodules where fetch.recurseSubmodules is set
    asked = ("--negotiate-only", "--no-recurse-submodules", f"--negotiation-tip={head}", name)
    done = repo.git("-c", "protocol.version=2", "fetch", "--quiet", *asked, ok=(0, 1, 128))
    if done.code and "no-common" not in done.err and not _empty(repo, name):
        return None
    return [line for line in done.lines if line]


def _empty(repo: Repo, name: str) -> bool:
    done = repo.git("ls-remote", "--quiet", name, ok=(0, 128))
    return not done.code and not done.out


def _fill(repo: Repo, partner: str, revisions: list[str], say: Callable[[str], None]) -> None:
    """Fetch what is missing of `revisions`, all of it at a time as git's own promisor fetch does."""
    before: list[str] = []
    for _ in range(_ROUNDS):
        listed = repo.git("rev-list", "--objects", "--missing=print", "--stdin", stdin=_lines(revisions))
        missing = [line[1:] for line in listed.lines if line.startswith("?")]
        if not missing or missing == before:
            return
        say(f"partial clone: fetching {len(missing)} objects that the experiments remote lacks from {partner}")
        options = ("--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin")
        quiet = ("-c", "fetch.negotiationAlgorithm=noop")
        try:
            repo.git(*quiet, "fetch", "--quiet", *options, partner, stdin=_lines(missing))
        except GitError as why:
            raise RvexpError(
                "this is a partial clone: the experiments remote needs the whole history, and the rest of it cannot "
                f"be fetched\n{why}",
                hint=f"git fetch {partner}",
            ) from why
        before = missing


def _lines(words: list[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode()
