"""The snapshot's image over a given environment image: computed from git's objects alone, sent nowhere.

The same tag over the same environment image is the same bytes on any machine; publishing sends them, and
`build --reproduce` compares them with what was sent.
"""

import re
from collections.abc import Iterator, Mapping

from git_rvexp.errors import RvexpError
from git_rvexp.git.objects import Objects
from git_rvexp.grammar import is_tag_name
from git_rvexp.images import layer
from git_rvexp.images.assemble import Assembled, Base, assemble, configured
from git_rvexp.images.blob import Blob
from git_rvexp.images.delta import Delta, Unfit, plan
from git_rvexp.images.layer import Layer
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.model import Json, Snapshot
from git_rvexp.names import Digest
from git_rvexp.tree import FOLDER
from git_rvexp.workflow.building.engine import COMMIT, OURS, TAG, TREE, Task
from git_rvexp.workflow.building.key import Environment

_LARGE = 8 << 20
_WORTH_ANCHORING = 1 << 20
_SHARE = 0.25
KEY, CODE, ENVIRONMENT, LAYER = (OURS + n for n in ("environment-key", "code", "environment", "layer"))


def base_of(registry: Registry, manifest: Manifest, platform: str) -> Base:
    """The image for `platform` that `manifest` names, with its config."""
    own = registry.for_platform(manifest, platform)
    return Base(own, registry.config(own))


def difference(task: Task, objects: Objects, labels: Mapping[str, str], environment: Environment) -> Delta:
    """What the snapshot's tree changes about the one that the image with `labels` holds. Unfit when unknown."""
    tree, tag, commit = (labels.get(label, "") for label in (TREE, TAG, COMMIT))
    if task.lending and is_tag_name(tag) and all(re.fullmatch(r"[0-9a-f]{40,64}", oid) for oid in (tree, commit)):
        task.lending.offer(Snapshot(tag, "", commit, tree))
    _fetch(task, objects, tree, tag)
    context = objects.at(tree, task.settings.image_context)
    if context is None or context.mode != FOLDER:
        raise Unfit(f"the environment's tree has no folder {task.settings.image_context}")
    return plan(objects, context.oid, environment.context, task.settings.image_code, environment.left_out)


def _fetch(task: Task, objects: Objects, tree: str, tag: str) -> None:
    """Get the tree that the environment was built from when this clone lacks it. Unfit when that cannot be done."""
    if tree and objects.has(tree):
        return
    from git_rvexp.git import remote  # noqa: PLC0415  seldom needed, and it brings half of git's room

    try:
        remote.fetch(task.repo, f"refs/tags/{tag}")
    except RvexpError as why:
        raise Unfit(
            f"the environment was built from {tag or 'nothing known'}, which this clone lacks\n  {why}"
        ) from why
    if not tree or not objects.has(tree):
        raise Unfit(f"the environment was built from a tree that {tag} no longer holds")


def outgrown(objects: Objects, delta: Delta, environment: Environment) -> int:
    """How many bytes the change has grown to, when it is time for an environment with newer code; 0 otherwise."""
    size = sum(laid.member.size for laid in delta.members)
    if size <= _WORTH_ANCHORING:
        return 0
    whole = sum(e.size for e in objects.tree(environment.context))
    return size if size > min(_LARGE, _SHARE * whole) else 0


def told(delta: Delta) -> Iterator[str]:
    """What a person should know of a change, in lines."""
    if delta.submodules:
        shown = ", ".join(delta.submodules[:5])
        yield f"not in the image: {len(delta.submodules)} changed submodule(s), {shown}"


def assembled(task: Task, objects: Objects, base: Base, delta: Delta) -> Assembled:
    """The snapshot's image: `base` with `delta` on it. A pure function of the tag and of `base`."""
    below = base.manifest.digest
    made = _layer(task, objects, delta)
    return assemble(base, made, labels=_labels(task, below), created=_created(task), told=_history(task, below))


def configured_here(
    task: Task, objects: Objects, below: Digest, config: Mapping[str, Json], delta: Delta
) -> tuple[Blob, Layer | None]:
    """The same for an engine, which has no manifests: the image's config over the image `below`, and the layer."""
    made = _layer(task, objects, delta)
    labels, history = _labels(task, below), _history(task, below)
    return configured(config, made, labels=labels, created=_created(task), told=history), made


def _layer(task: Task, objects: Objects, delta: Delta) -> Layer | None:
    time = objects.commit_time(task.snapshot.commit)
    user, group = task.settings.image_owner.split(":")
    return layer.make(objects, delta, time=time, owner=(int(user), int(group))) if delta.members else None


def _labels(task: Task, below: Digest) -> dict[str, str]:
    labels = {**task.pure_labels(), ENVIRONMENT: str(below), LAYER: layer.FORMAT}
    return labels | {"org.opencontainers.image.base.digest": str(below)}


def _created(task: Task) -> str:
    return task.pure_labels()["org.opencontainers.image.created"]


def _history(task: Task, below: Digest) -> str:
    return f"git rvexp: {task.tag} over {below}"
