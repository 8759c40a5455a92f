"""Environment images in the making: built by the engine, and looked into."""

from git_rvexp.git.objects import Objects
from git_rvexp.images.engine import Engine, Local
from git_rvexp.images.standing import proven
from git_rvexp.workflow.building.engine import TREE, Task
from git_rvexp.workflow.building.key import Environment
from git_rvexp.workflow.building.laying import CODE, KEY, LAYER
from git_rvexp.workflow.building.whole import is_ours


def made(task: Task, engine: Engine, objects: Objects, environment: Environment, name: str) -> Local:
    """The engine's image of the snapshot, fit to be the environment of others; `name` is for one that is built.

    Unfit when its code is not where the settings say, unchanged.
    """
    alike = engine.find({KEY: environment.key, TREE: task.snapshot.tree})
    same = [i for i in alike if LAYER not in i.labels and is_ours(task, i)]
    labels = {**task.labels(), KEY: environment.key, CODE: environment.code}
    local = same[0] if same else task.built(engine, name, labels)[0]
    code, owner = task.settings.image_code, task.settings.image_owner
    proven(engine, local.id, objects, environment.context, code, owner, environment.left_out)
    return local
