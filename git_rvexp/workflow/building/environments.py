"""The environment image that a snapshot is laid over, in the registry: found by its key, built by who needs it first.

Generations of it hold newer and newer code, so that a change that has grown is not sent again and again.
"""

from collections.abc import Iterator
from typing import NamedTuple

from git_rvexp.errors import RvexpError
from git_rvexp.git.objects import Objects
from git_rvexp.images.assemble import Base
from git_rvexp.images.credentials import Login
from git_rvexp.images.delta import Delta, Unfit
from git_rvexp.images.heard import Heard
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.workflow.building.engine import TAG, Task
from git_rvexp.workflow.building.key import Environment
from git_rvexp.workflow.building.laying import KEY, base_of, difference, outgrown

_MOST_GENERATIONS = 100


class Found(NamedTuple):
    """An environment image in the registry; `built` when made just now, `hinted` when only our memory names it."""

    base: Base
    tag: str
    built: bool = False
    hinted: bool = False


class Environments(NamedTuple):
    """The environment images of one snapshot's repository."""

    task: Task
    registry: Registry
    known: Login | None
    objects: Objects

    def chosen(self, environment: Environment) -> tuple[Found, Delta]:
        """The first generation that the change is not too large for; without an engine to make one, the last."""
        last: tuple[Found, Delta] | None = None
        try:
            for found in self._generations(environment):
                last = found, difference(self.task, self.objects, found.base.labels, environment)
                if found.built or not self._outgrown(last[1], environment, found):
                    break
        except RvexpError as why:
            if last is None:
                raise
            self.task.say(f"no new environment, the whole change is sent: {str(why).splitlines()[0]}")
        assert last
        return last

    def _generations(self, environment: Environment) -> Iterator[Found]:
        """The generations of the environment image, oldest first; the last one is made when it is asked for."""
        for generation in range(_MOST_GENERATIONS):
            tag = environment.tag(generation)
            yield self._remembered(tag) or self._looked_up(environment, tag) or self._built(environment, tag)

    def _remembered(self, tag: str) -> Found | None:
        kept = self.registry.kept
        digest = kept.named(f"{self.registry.repository}:{tag}") if kept else None
        body = kept.get(digest) if kept and digest else None
        if body is None:
            return None
        manifest = Manifest.of(body)
        return Found(Base(manifest, self.registry.config(manifest)), tag, hinted=True)

    def _looked_up(self, environment: Environment, tag: str) -> Found | None:
        there = self.registry.resolve(tag)
        if there is None:
            return None
        base = base_of(self.registry, there, self.task.settings.image_platform)
        if base.labels.get(KEY) != environment.key:
            raise Unfit(f"{self.registry.repository}:{tag} is something else than its name says")
        if self.registry.kept:
            self.registry.kept.put(base.manifest.body)
            self.registry.kept.name(f"{self.registry.repository}:{tag}", base.manifest.digest)
        return Found(base, tag)

    def _built(self, environment: Environment, tag: str) -> Found:
        """Build and push it, unless somebody else was first."""
        from git_rvexp.images.engine import Engine  # noqa: PLC0415  most publishes find it built
        from git_rvexp.workflow.building import anchoring  # noqa: PLC0415  as above

        task = self.task
        engine = Engine.connect(task.environ)
        local = anchoring.made(task, engine, self.objects, environment, f"{task.repository}:{tag}")
        first = self._looked_up(environment, tag)
        if first is not None:
            return first
        engine.tag(local.id, task.repository, tag)
        told = f"pushing the environment {task.repository}:{tag}"
        task.say(told)
        account = (self.known.user, self.known.password) if self.known else None
        with task.progress(told, 0, "") as step:
            engine.push(task.repository, tag, account, Heard(step).hear)
        found = self._looked_up(environment, tag)
        if found is None:
            raise RvexpError(f"{task.repository}:{tag} was pushed and is not there", hint="git rvexp publish")
        return Found(found.base, tag, built=True)

    def _outgrown(self, delta: Delta, environment: Environment, found: Found) -> bool:
        size = outgrown(self.objects, delta, environment)
        if size:
            since = found.base.labels.get(TAG)
            self.task.say(f"the change since {since} has grown to {size / 1e6:.1f} MB: a new environment")
        return bool(size)
