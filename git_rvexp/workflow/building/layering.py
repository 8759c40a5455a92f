"""The fast way to an image: what the registry lacks of it as one layer over an image that it has, without an engine.

The image's digest follows from the tag and the digest of the image below alone, on any machine. Below is an environment
image (`environments`), or the pinned base of a snapshot without a Dockerfile (`basing`). What does not fit (`Unfit`,
with the reason) is for the engine to build whole.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from git_rvexp.errors import RvexpError
from git_rvexp.git.objects import Objects
from git_rvexp.images import upload
from git_rvexp.images.assemble import Assembled
from git_rvexp.images.blob import Blob
from git_rvexp.images.credentials import Login
from git_rvexp.images.delta import Delta, Unfit
from git_rvexp.images.layer import Layer
from git_rvexp.images.registry import Registry
from git_rvexp.model import Image
from git_rvexp.names import Digest
from git_rvexp.progress import Step, recounted
from git_rvexp.workflow.building.ahead import Ahead
from git_rvexp.workflow.building.engine import Ensured, Task, recipe
from git_rvexp.workflow.building.environments import Environments, Found
from git_rvexp.workflow.building.key import Environment, describe
from git_rvexp.workflow.building.laying import assembled, told


class Planned(NamedTuple):
    """What is known of the image before any registry is asked: its environment, or already why it has none."""

    objects: Objects
    environment: Environment | Unfit


def planning(task: Task) -> Planned:
    """Read the tag's objects and name its environment."""
    objects = task.objects
    if task.settings.image_base:
        return Planned(objects, Unfit("it has a pinned base"))
    try:
        return Planned(objects, describe(objects, task.snapshot.tree, task.settings, recipe(task.settings)))
    except Unfit as why:
        return Planned(objects, why)


def layered(task: Task, registry: Registry, known: Login | None, planned: Planned, ahead: Ahead) -> Ensured:
    """Send the snapshot's image and return it. Unfit when the engine has to build the whole; RvexpError otherwise."""
    return _Layering(task, registry, known, planned, ahead).run()


class _Layering(NamedTuple):
    """One snapshot's image over the one below it, on its way to the registry."""

    task: Task
    registry: Registry
    known: Login | None
    planned: Planned
    ahead: Ahead

    def run(self) -> Ensured:
        task = self.task
        found, delta = self._below()
        for line in told(delta):
            task.say(line)
        made = assembled(task, self.planned.objects, found.base, delta)
        if not self._sent(made):
            if not found.hinted:
                raise self._lost(made, found.tag)
            self._forget(found.tag)  # our memory of the environment was out of date
            return self.run()
        self._keep(made)
        digest = Digest.of(made.manifest)
        platform = f"{found.base.config.get('os')}/{found.base.config.get('architecture')}"
        image = Image(f"{self.registry.repository}@{digest}", made.config.digest, platform, task.name)
        named = f"{self.registry.repository}@{found.base.manifest.digest}"
        return Ensured(image, found.built, pushed=True, source="tree", environment=named)

    def _below(self) -> tuple[Found, Delta]:
        """The image that this one is laid over, and what is laid."""
        task, objects = self.task, self.planned.objects
        if task.settings.image_base:
            from git_rvexp.workflow.building import basing, footing  # noqa: PLC0415  copies between registries

            found = basing.below(task, self.registry)
            return found, basing.whole(task, objects, footing.published(task, self.registry, found.base.manifest))
        if isinstance(self.planned.environment, Unfit):
            raise self.planned.environment
        return Environments(task, self.registry, self.known, objects).chosen(self.planned.environment)

    def _sent(self, made: Assembled) -> bool:
        """Send blobs, then the manifest; twice if the registry then lacks one. False when it lacks one all the same."""
        layer, told = made.layer, f"sending to {self.task.name}"
        if layer:
            self.task.say(f"sending {layer.size / 1000:.0f} kB to {self.task.name}")
        with self.task.progress(told, layer.size if layer else 0, "") as step:
            return self._arrived(made, [*([_watched(layer, step)] if layer else []), made.config])

    def _arrived(self, made: Assembled, sent: Sequence[Blob]) -> bool:
        for rooms in (self.ahead.places(), []):
            upload.blobs(self.registry, sent, rooms)
            try:
                upload.manifest(self.registry, self.task.tag.mapped, made.manifest, made.media_type)
            except upload.MissingBlobError:
                continue
            return True
        return False

    def _lost(self, made: Assembled, tag: str) -> RvexpError:
        content = json.loads(made.manifest)
        own = {str(made.config.digest), *([str(made.layer.digest)] if made.layer else [])}
        missing = upload.absent(self.registry, [d["digest"] for d in [content["config"], *content["layers"]]])
        named = ", ".join(missing) or "it does not say which"
        if own & set(missing) or not missing:
            return RvexpError(f"the registry does not keep what it is sent: it lacks {named}", hint="git rvexp doctor")
        return RvexpError(
            f"the environment image {tag} has lost a layer in the registry: {named}",
            hint=f"delete the tag {tag} there, or git rvexp publish --full",
        )

    def _keep(self, made: Assembled) -> None:
        if self.registry.kept:
            self.registry.kept.put(b"".join(made.config.open()))
            self.registry.kept.name(self._place(self.task.tag.mapped), Digest.of(made.manifest))

    def _forget(self, tag: str) -> None:
        if self.registry.kept:
            self.registry.kept.forget(self._place(tag))

    def _place(self, tag: str) -> str:
        return f"{self.registry.repository}:{tag}"


def _watched(layer: Layer, step: Step) -> Blob:
    return Blob(layer.digest, layer.size, recounted(layer.open, step))
