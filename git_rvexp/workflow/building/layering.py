"""The fast way to an image: the snapshot's change as one layer over an environment image, sent without an engine.

The image's digest follows from the tag and the environment image's digest alone, on any machine. The environment image
is looked up by its key; the first publisher builds it with the engine, and whoever comes second uses that one. What
does not fit (`Unfit`, with the reason) is for the engine to build whole.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git.objects import Objects
from git_rvexp.images import upload
from git_rvexp.images.assemble import Assembled, Base
from git_rvexp.images.credentials import Login
from git_rvexp.images.delta import Delta, Unfit
from git_rvexp.images.engine import Engine
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.images.standing import proven
from git_rvexp.model import Image
from git_rvexp.names import Digest
from git_rvexp.workflow.building.ahead import Ahead
from git_rvexp.workflow.building.engine import TAG, TREE, Ensured, Task, recipe
from git_rvexp.workflow.building.key import Environment, describe
from git_rvexp.workflow.building.laying import CODE, KEY, assembled, base_of, difference

_MOST_GENERATIONS = 100
_LARGE = 8 << 20
_WORTH_ANCHORING = 1 << 20
_SHARE = 0.25


@dataclass(frozen=True)
class _Found:
    """An environment image in the registry; `built` when made just now, `hinted` when only our memory names it."""

    base: Base
    tag: str
    built: bool = False
    hinted: bool = False


@dataclass(frozen=True)
class Planned:
    """What is known of the image before any registry is asked: its environment, or already why it has none."""

    objects: Objects
    environment: Environment | Unfit


def planning(task: Task) -> Planned:
    """Read the tag's objects and name its environment."""
    objects = Objects(task.repo.common_dir)
    try:
        return Planned(objects, describe(objects, task.snapshot.tree, task.settings, recipe(task.settings)))
    except Unfit as why:
        return Planned(objects, why)


def layered(task: Task, registry: Registry, known: Login | None, planned: Planned, ahead: Ahead) -> Ensured:
    """Send the snapshot's image and return it. Unfit when the engine has to build the whole; RvexpError otherwise."""
    if isinstance(planned.environment, Unfit):
        raise planned.environment
    return _Layering(task, registry, known, planned.objects, ahead).run(planned.environment)


@dataclass(frozen=True)
class _Layering:
    task: Task
    registry: Registry
    known: Login | None
    objects: Objects
    ahead: Ahead

    def run(self, environment: Environment) -> Ensured:
        task = self.task
        found, delta = self._chosen(environment)
        self._tell(delta)
        made = assembled(task, self.objects, found.base, delta)
        if not self._sent(made):
            if not found.hinted:
                raise self._lost(made, found.tag)
            self._forget(found.tag)  # our memory of the environment was out of date
            return self.run(environment)
        self._keep(made)
        digest = Digest.of(made.manifest)
        platform = f"{found.base.config.get('os')}/{found.base.config.get('architecture')}"
        image = Image(f"{self.registry.repository}@{digest}", made.config.digest, platform, task.name)
        named = f"{self.registry.repository}@{found.base.manifest.digest}"
        return Ensured(image, found.built, pushed=True, source="tree", environment=named)

    def _chosen(self, environment: Environment) -> tuple[_Found, Delta]:
        """The first generation that the change is not too large for; without an engine to make one, the last."""
        last: tuple[_Found, Delta] | None = None
        try:
            for found in self._environments(environment):
                last = found, difference(self.task, self.objects, found.base, environment)
                if found.built or not self._outgrown(last[1], environment, found):
                    break
        except RvexpError as why:
            if last is None:
                raise
            self.task.say(f"no new environment, the whole change is sent: {str(why).splitlines()[0]}")
        assert last
        return last

    def _environments(self, environment: Environment) -> Iterator[_Found]:
        """The generations of the environment image, oldest first; the last one is made when it is asked for."""
        for generation in range(_MOST_GENERATIONS):
            tag = environment.tag(generation)
            yield self._remembered(tag) or self._looked_up(environment, tag) or self._built(environment, tag)

    def _remembered(self, tag: str) -> _Found | None:
        kept = self.registry.kept
        digest = kept.named(self._place(tag)) if kept else None
        body = kept.get(digest) if kept and digest else None
        if body is None:
            return None
        manifest = Manifest.of(body)
        return _Found(Base(manifest, self.registry.config(manifest)), tag, hinted=True)

    def _looked_up(self, environment: Environment, tag: str) -> _Found | None:
        there = self.registry.resolve(tag)
        if there is None:
            return None
        base = base_of(self.registry, there, self.task.settings.image_platform)
        if base.labels.get(KEY) != environment.key:
            raise Unfit(f"{self.registry.repository}:{tag} is something else than its name says")
        if self.registry.kept:
            self.registry.kept.put(base.manifest.body)
            self.registry.kept.name(self._place(tag), base.manifest.digest)
        return _Found(base, tag)

    def _built(self, environment: Environment, tag: str) -> _Found:
        """Build and push it, unless somebody else was first."""
        task = self.task
        engine = Engine.connect(task.environ)
        same = engine.find({KEY: environment.key, TREE: task.snapshot.tree})
        labels = {**task.labels(), KEY: environment.key, CODE: environment.code}
        local = same[0] if same else task.built(engine, f"{task.repository}:{tag}", labels)[0]
        code, owner = task.settings.image_code, task.settings.image_owner
        proven(engine, local.id, self.objects, environment.context, code, owner, environment.left_out)
        first = self._looked_up(environment, tag)
        if first is not None:
            return first
        engine.tag(local.id, task.repository, tag)
        task.say(f"pushing the environment {task.repository}:{tag}")
        engine.push(
            task.repository, tag, (self.known.user, self.known.password) if self.known else None, lambda _: None
        )
        found = self._looked_up(environment, tag)
        if found is None:
            raise RvexpError(f"{task.repository}:{tag} was pushed and is not there", hint="git rvexp publish")
        return _Found(found.base, tag, built=True)

    def _outgrown(self, delta: Delta, environment: Environment, found: _Found) -> bool:
        """Whether it is time for an environment with newer code, and there is an engine to make it."""
        size = sum(laid.member.size for laid in delta.members)
        if size <= _WORTH_ANCHORING:
            return False
        whole = sum(e.size for e in self.objects.tree(environment.context))
        if size <= min(_LARGE, _SHARE * whole):
            return False
        self.task.say(
            f"the change since {found.base.labels.get(TAG)} has grown to {size / 1e6:.1f} MB: a new environment"
        )
        return True

    def _sent(self, made: Assembled) -> bool:
        """Send blobs, then the manifest; twice if the registry then lacks one. False when it lacks one all the same."""
        sent = [made.config]
        if made.layer:
            self.task.say(f"sending {made.layer.size / 1000:.0f} kB to {self.task.name}")
            sent.append(upload.Blob(made.layer.digest, made.layer.size, made.layer.open))
        for places in (self.ahead.places(), []):
            upload.blobs(self.registry, sent, places)
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

    def _tell(self, delta: Delta) -> None:
        if delta.submodules:
            shown = ", ".join(delta.submodules[:5])
            self.task.say(f"not in the image: {len(delta.submodules)} changed submodule(s), {shown}")

    def _keep(self, made: Assembled) -> None:
        if self.registry.kept:
            self.registry.kept.put(b"".join(made.config.open()))

    def _forget(self, tag: str) -> None:
        if self.registry.kept:
            self.registry.kept.forget(self._place(tag))

    def _place(self, tag: str) -> str:
        return f"{self.registry.repository}:{tag}"
