"""The recorded image made again from the tag and the recorded image below it, and held against what is recorded.

Only images that were laid over another one can be made again bit for bit. What an engine builds depends on more than
the tag (packages, times): it is built once more and compared by what it holds (`rebuild`).
"""

from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git.objects import Objects
from git_rvexp.images import loading
from git_rvexp.images.assemble import labels_of
from git_rvexp.images.credentials import login
from git_rvexp.images.delta import Delta, Unfit
from git_rvexp.images.engine import Engine
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from git_rvexp.imagesettings import chosen, differing
from git_rvexp.model import Image, Json, Snapshot
from git_rvexp.names import Digest, TagName
from git_rvexp.workflow.asof import acting
from git_rvexp.workflow.building import basing, footing
from git_rvexp.workflow.building.engine import Task, recipe
from git_rvexp.workflow.building.footing import Ask
from git_rvexp.workflow.building.key import describe
from git_rvexp.workflow.building.laying import KEY, assembled, base_of, configured_here, difference
from git_rvexp.workflow.building.rebuild import Rebuilt, rebuilt
from git_rvexp.workflow.building.recorded import kept
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.publish import recorded_image


@dataclass(frozen=True)
class Reproduced:
    """The recorded reference, the digest that it names, and the digest that was computed here."""

    ref: str
    recorded: Digest
    made: Digest

    @property
    def same(self) -> bool:
        """Whether it came out the same."""
        return self.recorded == self.made


def reproduce(context: Context, snapshot: Snapshot) -> Reproduced | Rebuilt:
    """Make the recorded image again: computed where that can be, else built by the engine and compared.

    RvexpError when nothing is recorded, or what it was made from is gone.
    """
    record = context.ledger.record(snapshot.oid)
    image = recorded_image(record, in_registry=True) or recorded_image(record, in_registry=False)
    if image is None:
        raise RvexpError(f"the record names no image of {snapshot.tag}", hint="git rvexp publish, or git rvexp build")
    event = next(e for e in reversed(record.of("image")) if e.get("ref") == image.ref)
    tag, settings = TagName.parse(snapshot.tag), acting(context, snapshot).trusted()
    if unlike := differing(event.get("settings") or {}, chosen(settings)):
        lines = "\n".join(f"  {line}" for line in unlike)
        raise RvexpError(f"{image.ref} was made with other settings\n{lines}", hint="git rvexp config list")
    task = Task(context.repo, snapshot, tag, context.wanted_remote().url, settings, context.environ, context.say)
    below = str(event.get("environment", ""))
    if not below:
        return rebuilt(task, image)
    try:
        return _from_registry(task, image, below) if "@" in below else _from_engine(task, image, Digest(below))
    except Unfit as why:
        raise RvexpError(f"{image.ref} cannot be made again: {why}") from why


def _from_registry(task: Task, image: Image, below: str) -> Reproduced:
    name, _, digest = below.partition("@")
    repository = Repository.parse(name)
    registry = Registry(repository, login(repository, task.settings, task.environ))
    base = base_of(registry, registry.fetch(Digest(digest)), task.settings.image_platform)
    objects, ask = task.objects, footing.published(task, registry, base.manifest)
    made = assembled(task, objects, base, _delta(task, objects, image, base.config, ask))
    return Reproduced(image.ref, Digest(image.ref.partition("@")[2]), Digest.of(made.manifest))


def _from_engine(task: Task, image: Image, below: Digest) -> Reproduced:
    engine, objects = Engine.connect(task.environ), task.objects
    if engine.inspect(str(below)) is None:
        raise RvexpError(f"the engine of this machine lacks {below}, which {image.ref} was laid over")
    config = loading.config_of(engine, below, kept(task.repo))
    delta = _delta(task, objects, image, config, footing.loaded(task, engine, below))
    made, _ = configured_here(task, objects, below, config, delta)
    return Reproduced(image.ref, image.image_id, made.digest)


def _delta(task: Task, objects: Objects, image: Image, below: Json, ask: Ask) -> Delta:
    """What is laid over the image with the config `below`; of a pinned base `ask` tells how its folders stand.

    RvexpError for settings that it was not made with.
    """
    if task.settings.image_base:
        return basing.whole(task, objects, ask)
    own = describe(objects, task.snapshot.tree, task.settings, recipe(task.settings))
    labels = labels_of(below)
    delta = difference(task, objects, labels, own)
    if own.key != labels.get(KEY):
        raise RvexpError(f"the settings under [image] are not those that {image.ref} was made with")
    return delta
