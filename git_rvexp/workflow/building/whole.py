"""The snapshot's image in this machine's engine as the engine builds it: found there, else built.

An image that somebody made from ours (`docker commit`, a `FROM` of another Dockerfile) inherits our labels, so they are
not enough: an image is ours when it also has a name that we gave it, or when the record knows its id.
"""

from git_rvexp.grammar import is_tag_name
from git_rvexp.images.engine import Engine, Local
from git_rvexp.names import TagName
from git_rvexp.workflow.building.engine import TAG, TAG_OID, Task
from git_rvexp.workflow.building.laying import KEY


def local(task: Task, engine: Engine) -> tuple[Local, str]:
    """The image in the engine, found or built; and where a build's context came from ("" when found)."""
    there, source = found(task, engine), ""
    if there is None:
        there, source = task.built(engine, task.name, task.labels())
    elif there.labels.get(TAG_OID) != task.snapshot.oid:
        task.say(f"the image of {there.labels.get(TAG)} has the same content and is used again")
    if task.name not in there.tags:
        engine.tag(there.id, task.repository, task.tag.mapped)
    return there, source


def found(task: Task, engine: Engine) -> Local | None:
    """An image of ours that is made of the same: the record's newest, else the tag's own before another tag's."""
    for known in task.recorded:  # asked for by id: the engine lists no image that lost its name to one made from it
        image = engine.inspect(known)
        if image and task.content.items() <= image.labels.items():
            return image
    same = [i for i in engine.find(task.content) if is_ours(task, i)]
    return next((i for i in same if i.labels.get(TAG_OID) == task.snapshot.oid), next(iter(same), None))


def is_ours(task: Task, image: Local) -> bool:
    """Whether the image is one that was made for a snapshot, and none that was made from such a one."""
    return str(image.id) in task.recorded or any(_is_our_name(task, image, name) for name in image.tags)


def _is_our_name(task: Task, image: Local, name: str) -> bool:
    """Whether we call the image so: after this tag, after the tag that its labels tell of, or after its environment."""
    repository, _, tag = name.rpartition(":")
    told, key = image.labels.get(TAG, ""), image.labels.get(KEY)
    own = TagName.parse(told) if is_tag_name(told) else task.tag
    if repository not in (task.repository, f"rvexp/{own.project}"):
        return False
    return tag in (task.tag.mapped, own.mapped) or (bool(key) and tag.partition(".")[0] == f"env-{key}")
