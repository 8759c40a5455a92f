"""The published image made again from the tag and the recorded environment image, and held against what is recorded.

Only images that were laid over an environment image can be made again bit for bit. What an engine builds depends on
more than the tag (packages, times); the environment image itself is such a build, pinned by its digest.
"""

from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git.objects import Objects
from git_rvexp.images.credentials import login
from git_rvexp.images.delta import Unfit
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from git_rvexp.model import Snapshot
from git_rvexp.names import Digest, TagName
from git_rvexp.workflow.building.engine import Task, recipe
from git_rvexp.workflow.building.key import describe
from git_rvexp.workflow.building.laying import KEY, assembled, base_of, difference
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


def reproduce(context: Context, snapshot: Snapshot) -> Reproduced:
    """Make the image again without an engine. RvexpError when it was built by one, or the environment is gone."""
    record = context.ledger.record(snapshot.oid)
    image = recorded_image(record, in_registry=True)
    if image is None:
        raise RvexpError(f"the record names no published image of {snapshot.tag}", hint="git rvexp publish")
    event = next(e for e in reversed(record.of("image")) if e.get("ref") == image.ref)
    environment = str(event.get("environment", ""))
    if not environment:
        raise RvexpError(
            f"{image.ref} was built whole by an engine\n  it is pinned by its digest, and not repeatable bit for bit",
            hint="git rvexp verify compares its files with the tag",
        )
    name, _, digest = environment.partition("@")
    settings = context.trusted()
    repository = Repository.parse(name)
    registry = Registry(repository, login(repository, settings, context.environ))
    base = base_of(registry, registry.fetch(Digest(digest)), settings.image_platform)
    tag = TagName.parse(snapshot.tag)
    task = Task(context.repo, snapshot, tag, "", settings, context.environ, context.say)
    objects = Objects(context.repo.common_dir)
    try:
        own = describe(objects, snapshot.tree, settings, recipe(settings))
        made = assembled(task, objects, base, difference(task, objects, base, own))
    except Unfit as why:
        raise RvexpError(f"{image.ref} cannot be made again: {why}") from why
    if own.key != base.labels.get(KEY):
        raise RvexpError(f"the settings under [image] are not those that {image.ref} was published with")
    return Reproduced(image.ref, Digest(image.ref.partition("@")[2]), Digest.of(made.manifest))
