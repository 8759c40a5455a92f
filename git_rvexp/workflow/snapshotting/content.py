"""The content behind a snapshot's Git LFS pointers: sent before its tag, to the S3 store or the remote's LFS."""

from collections.abc import Sequence

from git_rvexp.git import lfs, remote
from git_rvexp.git.attributes import names
from git_rvexp.model import Snapshot
from git_rvexp.names import Digest
from git_rvexp.workflow.context import Context

FOLDER = "lfs"


def push(context: Context, made: Sequence[Snapshot]) -> None:
    """Push the tags of snapshots, each after its content: once a tag is there, nobody looks for what is missing.

    RvexpError when content is not taken, as `remote.push_tags` has it for tags.
    """
    for snapshot in made:
        _send(context, snapshot.tree)
    remote.push_tags(context.repo, [snapshot.tag for snapshot in made])


def _send(context: Context, tree: str) -> None:
    """Send what the pointers of a tree stand for; what this clone lacks is named. RvexpError when it is not taken.

    Both sides are asked what they have, and get the rest.
    """
    repo, settings = context.repo, context.trusted()
    kept = lfs.store(repo)
    found = lfs.in_tree(repo, tree)
    here = {p for p in found.values() if lfs.place(kept, p).is_file()}
    lacking = [path for path, pointer in found.items() if pointer not in here]
    if lacking:
        context.warn("Git LFS content that this clone lacks is not sent (git lfs fetch)\n" + names(lacking))
    if not here:
        return
    if not settings.store:
        lfs.send(repo, remote.NAME, remote.urls(repo, remote.NAME)[0], here)
        return
    from git_rvexp.data.store import Store, content_uri  # noqa: PLC0415  loads botocore

    shared = Store(settings)
    for pointer in sorted(here):
        with lfs.place(kept, pointer).open("rb") as content:
            shared.put(content_uri(settings.store, FOLDER, Digest(f"sha256:{pointer.oid}")), content)
