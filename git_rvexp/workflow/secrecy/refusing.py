"""The refusal of a request that looks as if it held secrets: every place of it at once, as far as it can be known."""

from collections.abc import Sequence
from contextlib import suppress

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git import worktree
from git_rvexp.git.attributes import listed
from git_rvexp.git.weight import Limits
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.secrecy.snapshots import secrets_in
from git_rvexp.workflow.snapshotting import matching
from git_rvexp.workflow.snapshotting.naming import EMBED

RECORDED = "it is recorded, shared, and read by whoever may describe jobs"
SEEN_HERE = "nothing of it is recorded, but every user of this machine's engine can read it"


def refuse(context: Context, found: Sequence[str], tag: str, why: str = RECORDED) -> None:
    """UsageError with the places `found` in a request, if there are any; `why` tells who would read what is there.

    Where the request names no snapshot (`tag` is empty) and the work tree is none yet, files that would keep it from
    becoming one are told too.
    """
    if not found:
        return
    told = f"the request looks as if it held secrets; {why}\n" + listed(found)
    files = [] if tag else _in_untaken_files(context)
    if files:
        told += "\nso do files, and the work tree has to become a snapshot first\n" + listed(files)
    raise UsageError(
        told, hint="--secret-env NAME passes a variable without its value; --allow-secrets where it is none"
    )


def _in_untaken_files(context: Context) -> list[str]:
    """Places in files of a work tree that no snapshot holds; none where it cannot be taken, which is told later."""
    with suppress(RvexpError):
        if matching.same(context)[0] is None:
            embed = context.settings.snapshot_submodules == EMBED
            base = worktree.head(context.repo)
            with worktree.captured(context.repo, base, Limits(), embed=embed) as (work, place):
                return [str(hit) for hit in secrets_in(place, work, "", context.settings, context.warn)]
    return []
