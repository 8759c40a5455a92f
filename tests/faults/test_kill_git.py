"""kill -9 at the git calls of snapshot, publish, submit and sync; then one later command, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.batch import BatchDouble
from tests.faults.killing import Shim, When, run, writes
from tests.faults.pinned import registry_of
from tests.faults.scenes import SCENES, Scene, fresh_then_same, images
from tests.faults.world import World, stocked

SHARDS = 3


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest) -> Scene:
    """One of the four commands."""
    return SCENES[request.param]


@pytest.fixture
def world(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The scene's world, saved; the registry holds its image."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    made = World.make(tmp_path / "world")
    with BatchDouble() as double:
        stocked(double)
        made.endpoint = double.url
        scene.prepare(made)
    with registry_of(images(made)) as registry:
        made.registry = f"localhost:{registry.port}"
        made.configure(made.clone)
        made.save()
        yield made


def killed(world: World, scene: Scene, shim: Shim, at: int, when: When) -> None:
    """One kill in a world of its own, and everything that is owed after it."""
    world.restore()
    with BatchDouble() as double:
        stocked(double)
        world.endpoint = double.url
        scene.stock(world, double)
        died = run(world.clone.path, {**world.environ(), **shim.environ(at, when)}, *scene.words)
        assert died.returncode == -9, died.stderr
        try:
            fresh_then_same(world, scene, double)
        except Exception as why:
            why.add_note(f"killed {when} git call {at}: git {shim.calls[at - 1]}")
            raise


def steps(world: World, scene: Scene, shim: Shim) -> list[str]:
    """The git calls of the command when nobody disturbs it."""
    world.restore()
    with BatchDouble() as double:
        stocked(double)
        world.endpoint = double.url
        scene.stock(world, double)
        whole = run(world.clone.path, {**world.environ(), **shim.environ(0)}, *scene.words)
        assert whole.returncode == 0, whole.stderr
        calls = shim.calls
        fresh_then_same(world, scene, double)
    return calls


@pytest.mark.parametrize("shard", range(SHARDS))
def test_killed_after_each_call_that_writes(world: World, scene: Scene, tmp_path: Path, shard: int) -> None:
    """Between two writes the disk does not change, so these are all the states that a kill can leave."""
    shim = Shim.make(tmp_path / "shim")
    points = [n for n, call in enumerate(steps(world, scene, shim), start=1) if writes(call)]
    assert len(points) >= 6
    for at in points[shard::SHARDS]:
        killed(world, scene, shim, at, "after")


@pytest.mark.long
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_call(world: World, scene: Scene, tmp_path: Path, when: When) -> None:
    """Every git call, those that only read too, before and after it."""
    shim = Shim.make(tmp_path / "shim")
    for at in range(1, len(steps(world, scene, shim)) + 1):
        killed(world, scene, shim, at, when)
