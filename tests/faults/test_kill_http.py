"""kill -9 at the requests that publish and submit make to AWS and to the registry; then one later command.

A request that was under way when its sender died is lost, lands all the same, or was answered to nobody.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.batch import BatchDouble
from tests.doubles.driving import wait_until
from tests.faults.killing import Fate, WholeProxy, kill_on, start
from tests.faults.pinned import registry_of
from tests.faults.scenes import SCENES, Scene, fresh_then_same, images
from tests.faults.world import World, stocked

FATES: tuple[Fate, ...] = ("lost", "lands", "answered")


@pytest.fixture(params=["publish", "submit"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """A command that talks to AWS."""
    return SCENES[request.param]


@pytest.fixture
def world(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The scene's world, saved; the registry that holds its image stands behind a proxy."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    made = World.make(tmp_path / "world")
    scene.prepare(made)
    with registry_of(images(made)) as registry:
        made.registry = f"localhost:{registry.port}"
        made.configure(made.clone)
        made.save()
        yield made


def killed(world: World, scene: Scene, number: int, fate: Fate, path: str = "") -> bool:
    """One kill at a request to AWS, and everything that is owed after it; False when there are fewer requests."""
    world.restore()
    with BatchDouble() as double, WholeProxy(double.url) as proxy:
        stocked(double)
        scene.stock(world, double)
        killer = kill_on(proxy, number, fate, path)
        world.endpoint = proxy.url
        process = start(world.clone.path, world.environ(), *scene.words)
        killer.aim(process)
        _, err = process.communicate()
        if process.returncode == 0 and not killer.used:
            return False
        assert process.returncode == -9, err
        assert fate == "lost" or wait_until(lambda: proxy.log[-1].server_status is not None)
        world.endpoint = double.url
        fresh_then_same(world, scene, double)
        return True


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("operation", ["registerjobdefinition", "submitjob"])
def test_killed_at_a_request_that_makes_something(world: World, scene: Scene, operation: str, fate: Fate) -> None:
    """The definition is registered once and the job recorded once, whatever became of the request."""
    hit = killed(world, scene, 1, fate, path=operation)
    assert hit or (operation == "submitjob" and scene is SCENES["publish"])


@pytest.mark.long
@pytest.mark.parametrize("fate", FATES)
def test_killed_at_every_request(world: World, scene: Scene, fate: Fate) -> None:
    """Every request to AWS in turn, those that only read too."""
    number = 1
    while killed(world, scene, number, fate):
        number += 1
    assert number > 4, "publish makes four requests at least"
