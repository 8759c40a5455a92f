"""Why a word names no snapshot of this clone: there is none, its tag is gone, or it is a slip."""

from collections.abc import Sequence

from git_rvexp.errors import UsageError
from git_rvexp.git import gone as lost
from git_rvexp.git.plumbing import Repo


def none_here(repo: Repo) -> UsageError:
    """The error of a clone without snapshots."""
    never = UsageError("there is no snapshot in this clone yet", hint="git rvexp snapshot NICKNAME")
    return gone(repo, "") or never


def none_called(repo: Repo, text: str, names: Sequence[str], wanted: str) -> UsageError:
    """The error for a word that none of the tags in `names` holds; `wanted` is what it should have named."""
    import difflib  # noqa: PLC0415  only for a slip

    whole, colon, index = text.rpartition(":")
    if colon and index.isdecimal():
        told = f"{text!r} names one job of an array, which is for git rvexp logs; elsewhere a run is named whole"
        return UsageError(told, hint=f"git rvexp logs {text}; or {whole} alone")
    if known := gone(repo, text):
        return known
    nicknames = [n.rpartition("/")[2] for n in names]
    near = difflib.get_close_matches(text, nicknames, n=1) or difflib.get_close_matches(text, names, n=1)
    meant = f"did you mean {near[0]}?" if near else "git rvexp list"
    return UsageError(f"no {wanted} {text!r} in this clone", hint=meant)


def gone(repo: Repo, text: str) -> UsageError | None:
    """The error for snapshots called like `text` that the experiments remote has and whose tags are gone here."""
    names = [name for name in lost.gone(repo) if text in name]
    return UsageError(lost.told(names), hint="git rvexp sync") if names else None
