"""The snapshot's image in this machine's engine, where no registry takes part: only the change is built.

Laid over an environment image that the engine has, or over the pinned base. The image's id follows from the tag and
the id of the image below.
"""

from git_rvexp.git.objects import Objects
from git_rvexp.images import loading
from git_rvexp.images.delta import Delta, Unfit
from git_rvexp.images.engine import Engine, Local
from git_rvexp.images.kept import Kept
from git_rvexp.model import Image
from git_rvexp.workflow.building import anchoring, basing, footing
from git_rvexp.workflow.building.engine import TAG, Ensured, Task
from git_rvexp.workflow.building.key import Environment
from git_rvexp.workflow.building.layering import planning
from git_rvexp.workflow.building.laying import KEY, configured_here, difference, outgrown, told
from git_rvexp.workflow.building.pulling import present


def laid(task: Task, engine: Engine, kept: Kept) -> Ensured:
    """The image, loaded into the engine. Unfit when it has to be built whole."""
    planned = planning(task)
    if task.settings.image_base:
        below = base(task, engine)
        delta = basing.whole(task, planned.objects, footing.loaded(task, engine, below.id))
        return _loaded(task, engine, planned.objects, below, delta, kept)
    if isinstance(planned.environment, Unfit):
        raise planned.environment
    return _over_environment(task, engine, planned.objects, planned.environment, kept)


def base(task: Task, engine: Engine) -> Local:
    """The pinned base in the engine, pulled when it is not there."""
    name = task.settings.image_base
    found = present(task, engine, name)
    if found is None:
        raise Unfit(f"the engine pulled {name} and does not have it")
    return found


def _over_environment(task: Task, engine: Engine, objects: Objects, environment: Environment, kept: Kept) -> Ensured:
    generation = 0
    for found in _environments(task, engine, environment):
        generation += 1
        delta = difference(task, objects, found.labels, environment)
        size = outgrown(objects, delta, environment)
        if not size:
            return _loaded(task, engine, objects, found, delta, kept)
        task.say(f"the change since {found.labels.get(TAG)} has grown to {size / 1e6:.1f} MB: a new environment")
    made = anchoring.made(task, engine, objects, environment, task.name)
    engine.tag(made.id, task.repository, environment.tag(generation))
    engine.tag(made.id, task.repository, task.tag.mapped)
    return Ensured(Image(str(made.id), made.id, made.platform, task.name), built=True, pushed=False, source="tree")


def _environments(task: Task, engine: Engine, environment: Environment) -> list[Local]:
    """Images that were looked into and found fit: they have an environment's name. Newest first."""
    own = f"{task.repository}:{environment.tag(0)}"
    named = engine.find({KEY: environment.key})
    return [i for i in named if any(tag == own or tag.startswith(f"{own}.") for tag in i.tags)]


def _loaded(task: Task, engine: Engine, objects: Objects, below: Local, delta: Delta, kept: Kept) -> Ensured:
    for line in told(delta):
        task.say(line)
    config, layer = configured_here(task, objects, below.id, loading.config_of(engine, below.id, kept), delta)
    made = loading.load(engine, config, layer, task.repository, task.tag.mapped)
    image = Image(str(made), made, below.platform, task.name)
    return Ensured(image, built=True, pushed=False, source="tree", environment=str(below.id))
