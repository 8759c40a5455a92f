"""The four commands that are killed, each with the world it starts in and what is owed afterwards."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import snapshots
from git_rvexp.names import TagName
from git_rvexp.record import share
from git_rvexp.record.ledger import Ledger
from tests.conftest import Clone
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import client
from tests.doubles.driving import submit as submit_job
from tests.faults.killing import run
from tests.faults.world import World


@dataclass(frozen=True)
class Scene:
    """A command, how its world is prepared (once), how its Batch is (for each kill), and how it is finished."""

    words: tuple[str, ...]
    prepare: Callable[[World], None]
    stock: Callable[[World, BatchDouble], None]
    finish: Callable[[World, BatchDouble], None]


def again(world: World, *words: str) -> None:
    """A later command in the clone where the first was killed; it must succeed."""
    done = run(world.clone.path, world.environ(), *words)
    assert done.returncode == 0, (words, done.stderr)


def _nothing(_world: World, _double: BatchDouble) -> None:
    """Batch as it is."""


def _dirty(world: World) -> None:
    world.clone.write("train.py", "print('changed')\n")
    world.clone.write("new.txt", "new\n")


def _finish_snapshot(world: World, _double: BatchDouble) -> None:
    """`sync` completes what was begun; where nothing was begun the same command makes it."""
    again(world, "sync")
    if not snapshots(Repo.discover(world.clone.path, os.environ)):
        again(world, "snapshot", "demo")
    assert len(world.at_remote("tag").splitlines()) == 1
    assert world.clone.git("status", "--porcelain") == " M train.py\n?? new.txt"


def _unpushed(world: World) -> None:
    _dirty(world)
    assert world.clone.rvexp("snapshot", "demo", "--no-push").returncode == 0


def _finish_publish(world: World, double: BatchDouble) -> None:
    """The same command again; one definition of ours, one line for each thing made."""
    again(world, "publish", "@")
    ours = [call for call in double.called("RegisterJobDefinition") if "rvexp:tag" in call.get("tags", {})]
    assert len(ours) == 1
    record = Ledger(Repo.discover(world.clone.path, os.environ)).record(world.snapshot(world.clone).oid)
    assert [len(record.of(kind)) for kind in ("snapshot", "image", "definition")] == [1, 1, 1]


def _pushed(world: World) -> None:
    _dirty(world)
    assert world.clone.rvexp("snapshot", "demo").returncode == 0


def _finish_with_sync(world: World, _double: BatchDouble) -> None:
    again(world, "sync")


def _apart(world: World) -> None:
    """A run of ours is open, announced as it must be; since then ours and theirs have both gone on."""
    _pushed(world)
    plan = world.plan("arn:aws:batch:us-east-1:123456789012:job-definition/train:1")
    _append(world, world.clone, "planned", plan.fields())
    share.push_notes(world.context(world.clone).ledger)
    other = world.fresh("other")
    world.sync(other)
    for number, clone in enumerate((world.clone, other)):
        _append(world, clone, "test", {"n": number})
    assert other.rvexp("snapshot", "theirs").returncode == 0
    assert other.rvexp("sync").returncode == 0
    assert world.clone.rvexp("snapshot", "mine", "--no-push").returncode == 0


def _finish_sync(world: World, _double: BatchDouble) -> None:
    """The same command again; the lines of both sides are there."""
    again(world, "sync")
    records = world.context(world.clone).ledger.records(
        [s.oid for s in snapshots(Repo.discover(world.clone.path, os.environ))]
    )
    assert {e.get("n") for record in records.values() for e in record.of("test")} == {0, 1}


def _append(world: World, clone: Clone, kind: str, fields: Mapping[str, object]) -> None:
    ledger = world.context(clone).ledger
    ledger.append(world.snapshot(clone).oid, ledger.event(kind, fields))


def _job_of_the_open_run(world: World, double: BatchDouble) -> None:
    (open_run,) = [r for r in world.runs(world.clone) if r.phase.open]
    submit_job(client(double), open_run.plan.job_name)


SCENES = {
    "snapshot": Scene(("snapshot", "demo"), _dirty, _nothing, _finish_snapshot),
    "publish": Scene(("publish", "@"), _unpushed, _nothing, _finish_publish),
    "submit": Scene(("submit", "@", "--", "true"), _pushed, _nothing, _finish_with_sync),
    "sync": Scene(("sync",), _apart, _job_of_the_open_run, _finish_sync),
}


def images(world: World) -> dict[str, str]:
    """Mapped tag -> tree, of every snapshot of the clone: what the registry is to hold."""
    return {TagName.parse(s.tag).mapped: s.tree for s in snapshots(Repo.discover(world.clone.path, os.environ))}


def fresh_then_same(world: World, scene: Scene, double: BatchDouble) -> None:
    """What the issue demands of one later command from a fresh clone, and then of the clone that was hit."""
    fresh: Clone = world.fresh("fresh")
    world.sync(fresh)
    assert world.recorded(fresh) == sorted(double.jobs)
    scene.finish(world, double)
    world.sync(world.clone)
    world.sync(fresh)
    world.check(double, world.clone, fresh)
