"""The newcomers' path: the configured job definition as it is, with no snapshot and no experiments remote.

What ran is still recorded, on the current commit and marked as no snapshot: the definition's whole body, and the digest
its image had at that moment where the registry tells. A mutable tag is named as the hazard it is.
"""

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors import definition as defs
from git_rvexp.git import worktree
from git_rvexp.images.credentials import login
from git_rvexp.images.reference import Repository, parted
from git_rvexp.images.registry import Registry
from git_rvexp.model import Snapshot
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.defining import describe
from git_rvexp.workflow.publish import Published


def plain_definition(context: Context) -> tuple[Snapshot, Published]:
    """What to run, and the commit its record is kept on. UsageError when there is no commit or no such definition."""
    settings = context.trusted()
    commit = worktree.head(context.repo)
    if not commit:
        raise UsageError("there is no commit to keep the record on", hint="git commit, or git rvexp snapshot NICKNAME")
    base = describe(settings, settings.batch_job_def_name)
    images = [place.image for place in defs.places(base.body)]
    ref = _pinned(context, images[0]) if len(set(images)) == 1 else ", ".join(images)
    context.warn(
        f"this run is not a snapshot: it runs {ref}, whatever that holds, and none of this clone's code\n"
        "  git rvexp snapshot NICKNAME makes a run that can be repeated"
    )
    snapshot = Snapshot("", commit, commit, "")
    fields = {"arn": base.arn, "name": base.name, "image": ref, "body": dict(base.body), "not_a_snapshot": True}
    if not any(
        e.get("arn") == base.arn and e.get("image") == ref for e in context.ledger.record(commit).of("definition")
    ):
        context.ledger.append(commit, context.ledger.event("definition", fields))
    context.connect()
    return snapshot, Published(ref, base.arn, fresh=False, body=base.body)


def _pinned(context: Context, image: str) -> str:
    """`image` by the digest its tag has now, or as it is when the registry does not tell."""
    name, tag, digest = parted(image)
    if digest:
        return f"{name}@{digest}"
    try:
        repository = Repository.parse(name)
        found = Registry(repository, login(repository, context.settings, context.environ)).resolve(tag or "latest")
    except RvexpError as why:
        context.warn(f"the digest of {image} cannot be told: {why}")
        return image
    if found is None:
        return image
    context.warn(f"{image} is a tag that can move; now it is {found.digest}")
    return f"{name}@{found.digest}"
