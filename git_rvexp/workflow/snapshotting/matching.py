"""Which snapshot the work tree is: compared by content, whether or not submodules were taken along."""

from git_rvexp.errors import RvexpError
from git_rvexp.git import worktree
from git_rvexp.git.tags import snapshots
from git_rvexp.git.worktree import WorkTree
from git_rvexp.model import Snapshot
from git_rvexp.workflow import choose
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.snapshotting.naming import EMBED


def same(context: Context) -> tuple[Snapshot | None, WorkTree]:
    """The newest snapshot whose tree is the work tree's, if there is one, and the work tree as it would be taken.

    RvexpError when no snapshot holds the work tree and none could be taken of it.
    """
    known = snapshots(context.repo)
    try:
        work = worktree.capture(context.repo)
        if any(s.tree == work.tree for s in known) or not work.links:
            return _newest(known, work), work
    except RvexpError as why:
        found = _embedded(context, known)
        if found is None or not (found[0] or _embeds(context)):
            raise why from None
        return found
    found = _embedded(context, known)
    return found if found and (found[0] or _embeds(context)) else (None, work)


def named_or_newest(context: Context, text: str, done: str) -> Snapshot:
    """The snapshot that `text` names, without it the user's newest: a warning when the work tree is another one.

    `done` says what happens to the snapshot: built, published. UsageError when there is none.
    """
    snapshot = choose.snapshot(context, text or "@")
    if not text and not _holds(context, snapshot):
        context.warn(
            f"the work tree is not what {snapshot.tag} holds, and that is {done}\n"
            "  git rvexp snapshot NICKNAME    records the work tree as it is"
        )
    return snapshot


def _holds(context: Context, snapshot: Snapshot) -> bool:
    try:
        _, work = same(context)
    except RvexpError:  # in no snapshot, and none could be taken of it
        return False
    return work.tree == snapshot.tree


def _embeds(context: Context) -> bool:
    return context.settings.snapshot_submodules == EMBED


def _embedded(context: Context, known: list[Snapshot]) -> tuple[Snapshot | None, WorkTree] | None:
    try:
        work = worktree.capture(context.repo, embed=True)
    except RvexpError:
        return None
    return _newest(known, work), work


def _newest(known: list[Snapshot], work: WorkTree) -> Snapshot | None:
    return next((s for s in known if s.tree == work.tree), None)
