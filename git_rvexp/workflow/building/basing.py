"""A snapshot without a Dockerfile: its whole tree as one layer over a base image that the settings pin by digest.

The base may live in any registry. Its blobs are copied once into the repository that the snapshot's image goes to, with
its manifest under a tag of its own, so that what is published does not depend on the other registry any more.
"""

from collections.abc import Mapping

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git.objects import Objects
from git_rvexp.images import upload
from git_rvexp.images.assemble import Base
from git_rvexp.images.blob import Blob
from git_rvexp.images.copying import copied
from git_rvexp.images.credentials import login
from git_rvexp.images.delta import Delta, Unfit, place_of, plan
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.names import Digest
from git_rvexp.settings import Settings
from git_rvexp.tree import FOLDER
from git_rvexp.workflow.building.engine import Task, recipe
from git_rvexp.workflow.building.environments import Found
from git_rvexp.workflow.building.footing import Ask
from git_rvexp.workflow.building.ignored import rules_of


def checked(settings: Settings, *, full: bool) -> None:
    """UsageError for settings that do not go together with a pinned base."""
    if not settings.image_code:
        raise UsageError(
            "image.base is set, and image.code does not say where the code goes",
            hint="git rvexp config set image.code .=/opt/src",
        )
    if settings.seed_inject:
        raise UsageError("seed.inject needs an image that is built from a Dockerfile", hint="unset image.base")
    if full:
        raise UsageError("--full needs a Dockerfile, and image.base takes its place", hint="unset image.base")


def whole(task: Task, objects: Objects, ask: Ask) -> Delta:
    """All of the snapshot's files, where the settings say. UsageError when they cannot be laid.

    As with COPY the base's own folders stay as they are, and `ask` tells how that is.
    """
    wanted = recipe(task.settings)
    context = objects.at(task.snapshot.tree, wanted.context)
    if context is None or context.mode != FOLDER:
        raise UsageError(f"image.context {wanted.context} is no folder of the snapshot")
    _, left_out = rules_of(objects, task.snapshot.tree, wanted)
    code = task.settings.image_code
    try:
        standing = ask(_footing(objects, context.oid, code))
        return plan(objects, None, context.oid, code, left_out, standing)
    except Unfit as why:
        hint = "git rvexp config set image.code .=/opt/src, or another place, then git rvexp snapshot NICKNAME"
        raise UsageError(f"the snapshot cannot be laid over image.base: {why}", hint=hint) from why


def _footing(objects: Objects, context: str, code: Mapping[str, str]) -> set[bytes]:
    """The folders that the code goes into: those above the targets, and targets that are folders themselves."""
    wanted = set()
    for source, target in code.items():
        entry, place = objects.at(context, source), place_of(target)
        wanted |= {place[:i] for i, letter in enumerate(place) if letter == ord("/")}
        wanted |= {place} if entry and entry.mode == FOLDER else set()
    return wanted


def below(task: Task, registry: Registry) -> Found:
    """The base image as `registry` has it, copied there when it is not."""
    source, pinned = _source(task, registry)
    own = _own(source, pinned, task.settings.image_platform)
    if source is registry:
        return Found(Base(own, registry.config(own)), str(own.digest))
    tag = f"base-{own.digest.text.removeprefix('sha256:')[:40]}"
    place, kept = f"{registry.repository}:{tag}", registry.kept
    if kept and kept.named(place) == own.digest:
        return Found(Base(own, source.config(own)), tag, hinted=True)
    there = registry.resolve(tag)
    if there is None:
        _copy(task, source, registry, own, tag)
    elif there.digest != own.digest:
        raise RvexpError(f"{place} is something else than its name says: {there.digest}")
    if kept:
        kept.name(place, own.digest)
    return Found(Base(own, source.config(own)), tag, built=there is None)


def _source(task: Task, registry: Registry) -> tuple[Registry, Digest]:
    name, _, digest = task.settings.image_base.partition("@")
    repository = Repository.parse(name)
    if (repository.host, repository.name) == (registry.repository.host, registry.repository.name):
        return registry, Digest(digest)
    return Registry(repository, login(repository, task.settings, task.environ), registry.kept), Digest(digest)


def _own(source: Registry, pinned: Digest, platform: str) -> Manifest:
    """The image's own manifest, from this clone when it is known here: a digest names the same bytes for ever."""

    def manifest(digest: Digest) -> Manifest:
        body = source.kept.get(digest) if source.kept else None
        found = Manifest.of(body) if body is not None else source.fetch(digest)
        if source.kept and body is None:
            source.kept.put(found.body)
        return found

    top = manifest(pinned)
    if not top.children:
        return top
    return manifest(source.child(top, platform))


def _copy(task: Task, source: Registry, registry: Registry, own: Manifest, tag: str) -> None:
    task.say(f"copying the base {task.settings.image_base} to {registry.repository}, once")
    with task.progress("copying the base", 0, "") as step:
        copied(source, registry, own.content["layers"], task.say, step)
    upload.blob(registry, Blob.of(source.blob(own.config)))
    upload.manifest(registry, tag, own.body, own.media_type)
