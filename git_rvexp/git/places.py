"""Where a git remote's address leads: a folder of this machine or not, and whether two addresses are one place."""

from collections.abc import Iterable
from pathlib import Path

from git_rvexp import homes
from git_rvexp.addresses import redacted
from git_rvexp.git.plumbing import Repo

_FILE = "file://"


def folder(repo: Repo, address: str) -> Path | None:
    """The folder that `address` names, a relative one seen from the work tree's top; None for what is elsewhere.

    As git tells them apart: without a scheme, a colon before the first slash makes it ssh's (git-clone(1), GIT URLS).
    UsageError for the folder of a user who is not known here.
    """
    path = address.removeprefix(_FILE)
    if path == address and ("://" in address or ":" in address.partition("/")[0]):
        return None
    return (repo.top / homes.expanded(path)).resolve()


def full(repo: Repo, address: str) -> str:
    """`address`, a folder's with its whole path: it may be read from another place than the work tree's top."""
    here = None if address.startswith(_FILE) else folder(repo, address)
    return str(here) if here else address


def same(repo: Repo, address: str, others: Iterable[str]) -> bool:
    """Whether git would reach one of `others` (as `git remote get-url` has them) at `address`."""
    there = {_plain(repo, other) for other in others}
    return bool(there) and not there.isdisjoint(_plain(repo, url) for url in _reached(repo, address))


def _reached(repo: Repo, address: str) -> list[str]:
    """Where git fetches from and pushes to."""
    fetched = _rewritten(repo, address, ".insteadof")
    return [fetched or address, _rewritten(repo, address, ".pushinsteadof") or fetched or address]


def _rewritten(repo: Repo, address: str, kind: str) -> str:
    """`address` as `url.BASE.insteadOf` and its like make it, the longest beginning first; "" where none fits."""
    bases = (key for key in repo.config if key.startswith("url.") and key.endswith(kind))
    fitting = ((start, key[4 : -len(kind)]) for key in bases for start in repo.config[key] if address.startswith(start))
    start, base = max(fitting, key=lambda pair: len(pair[0]), default=("", ""))
    return base + address.removeprefix(start) if start else ""


def _plain(repo: Repo, url: str) -> str:
    here = folder(repo, url)
    text = str(here) if here else redacted(url)
    text = text.removesuffix("/").removesuffix(".git").removesuffix("/")
    _, separator, rest = text.partition("://")
    if separator:
        return rest.partition("@")[2] or rest
    return text if here else text.rpartition("@")[2].replace(":", "/", 1)
