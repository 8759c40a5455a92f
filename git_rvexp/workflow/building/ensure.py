"""The image of a snapshot, one way or another: found, laid over an environment image, or built by the engine."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from git_rvexp.errors import RvexpError
from git_rvexp.git.plumbing import Repo
from git_rvexp.images.credentials import login
from git_rvexp.images.delta import Unfit
from git_rvexp.images.kept import Kept
from git_rvexp.images.recipe import Say
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from git_rvexp.model import Image, Snapshot
from git_rvexp.names import Digest, TagName
from git_rvexp.progress import Progress, silent
from git_rvexp.settings import Settings
from git_rvexp.workflow.building.ahead import Ahead
from git_rvexp.workflow.building.engine import Ensured, Task
from git_rvexp.workflow.building.layering import layered, planning
from git_rvexp.workflow.building.laying import ENVIRONMENT
from git_rvexp.workflow.building.recorded import Recorded
from git_rvexp.workflow.building.recorded import kept as kept_of

if TYPE_CHECKING:
    from git_rvexp.workflow.building.context import Copy


def ensure_image(
    repo: Repo,
    snapshot: Snapshot,
    tag: TagName,
    *,
    remote_url: str,
    settings: Settings,
    environ: Mapping[str, str],
    say: Say,
    recorded: Sequence[Digest] = (),
    full: bool = False,
    copy: "Copy | None" = None,
    seen: Recorded | None = None,
    progress: Progress = silent,
    ids: Sequence[str] = (),
) -> Ensured:
    """The image of `snapshot`, in the registry when `settings.ecr_repo` names one, else in the engine.

    With `image.code` only the change is sent, over an environment image, where that can be done; `full` asks the engine
    for the whole all the same. `recorded` are manifests that the record names: one that is still there counts,
    wherever the tag points by now; `seen` is one that was looked for already. `ids` are those that an engine may have
    the record's images by. `copy` is where a build may take the files from.
    Errors: no engine, a Dockerfile that fails or is missing (RvexpError, UsageError), a registry that refuses the
    login (CredentialsError), fails, or holds other content under the tag's name (RvexpError).
    """
    task = Task(repo, snapshot, tag, remote_url, settings, environ, say, copy, progress, ids)
    if settings.image_base:
        from git_rvexp.workflow.building import basing  # noqa: PLC0415  copies between registries

        basing.checked(settings, full=full)
    if seen is not None:
        return Ensured(task.adopted(seen.registry, seen.manifest), built=False, pushed=False)
    kept = kept_of(repo)
    return _there(task, kept, recorded, full=full) if settings.ecr_repo else _here(task, kept)


def _there(task: Task, kept: Kept, recorded: Sequence[Digest], *, full: bool) -> Ensured:
    """The image in the configured registry."""
    settings, tag = task.settings, task.tag
    repository = Repository.parse(settings.ecr_repo)
    known = login(repository, settings, task.environ)
    laid = bool(settings.image_code) and not full
    registry = Registry(repository, known, kept if laid else None)
    # where the login is still to be found out, each request at the same time would ask for it
    fresh = laid and not recorded and registry.settled and kept.named(f"{repository}:{tag.mapped}") is None
    ahead = Ahead(registry, [*map(str, recorded), tag.mapped], sending=laid, fresh=fresh)
    planned = planning(task) if laid and not recorded else None  # meanwhile
    there = ahead.found()
    if there is not None:
        return Ensured(task.adopted(registry, there), built=False, pushed=False)
    if laid:
        try:
            return layered(task, registry, known, planned or planning(task), ahead)
        except Unfit as why:
            task.say(f"the engine builds the whole image: {why}")
    from git_rvexp.images.engine import Engine  # noqa: PLC0415  most publishes need none
    from git_rvexp.workflow.building import whole  # noqa: PLC0415  as above

    engine = Engine.connect(task.environ)
    local, source = whole.local(task, engine)
    image, pushed = task.pushed(engine, registry, known, local)
    return Ensured(image, bool(source), pushed, source)


def _here(task: Task, kept: Kept) -> Ensured:
    """The image in this machine's engine, where it stays."""
    from git_rvexp.images.engine import Engine  # noqa: PLC0415  the registry's way needs neither
    from git_rvexp.workflow.building import here, whole  # noqa: PLC0415

    engine = Engine.connect(task.environ)
    if task.settings.image_code and whole.found(task, engine) is None:
        try:
            return here.laid(task, engine, kept)
        except Unfit as why:
            if task.settings.image_base:
                raise RvexpError(f"the snapshot cannot be laid over image.base: {why}") from why
            task.say(f"the engine builds the whole image: {why}")
    local, source = whole.local(task, engine)
    image = Image(str(local.id), local.id, local.platform, task.name)
    return Ensured(image, bool(source), pushed=False, source=source, environment=local.labels.get(ENVIRONMENT, ""))
