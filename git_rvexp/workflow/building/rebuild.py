"""An image that an engine built, built once more with every step run again, and compared by what it holds.

Not by digest: an engine writes times into what it makes. And never a promise: what a Dockerfile fetches may change.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.images.contents import differing, differing_config, things
from git_rvexp.images.engine import Engine, Local
from git_rvexp.model import Image
from git_rvexp.names import Digest
from git_rvexp.workflow.building.engine import OURS, SPEC, Task, recipe
from git_rvexp.workflow.building.pulling import present

_OURS = (OURS, "org.opencontainers.image.")


@dataclass(frozen=True)
class Rebuilt:
    """The recorded reference, the rebuilt image's id, how many paths were compared and a line for each difference."""

    ref: str
    made: Digest
    paths: int
    differences: Sequence[str]


def rebuilt(task: Task, image: Image) -> Rebuilt:
    """Build the snapshot again and hold it against `image`, which is pulled when the engine lacks it.

    RvexpError when either image cannot be had, or the settings are not those that it was built with.
    """
    engine = Engine.connect(task.environ)
    recorded = _recorded(task, engine, image)
    if recorded.labels.get(SPEC, recipe(task.settings).spec) != recipe(task.settings).spec:
        raise RvexpError(f"the settings under [image] are not those that {image.ref} was built with")
    name = f"rvexp-rebuilt/{task.tag.project}:{task.tag.mapped}"
    made, _ = task.built(engine, name, {}, anew=True)
    try:
        old, new = things(engine, recorded.id), things(engine, made.id)
        configs = [(engine.content(str(i.id)) or ({}, ()))[0] for i in (recorded, made)]
    finally:
        engine.drop(name)
    lines = [*differing_config(configs[0], configs[1], but=_OURS), *differing(old, new)]
    return Rebuilt(image.ref, made.id, len(old.keys() | new.keys()), lines)


def _recorded(task: Task, engine: Engine, image: Image) -> Local:
    found = present(task, engine, image.ref) if image.in_registry else engine.inspect(image.ref)
    if found is None:
        raise RvexpError(f"the engine of this machine has no image {image.ref}", hint="git rvexp build")
    return found
