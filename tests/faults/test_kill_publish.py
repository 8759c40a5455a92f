"""kill -9 while a real image is built and pushed to a real registry; the same command again finishes, building once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_rvexp.git.plumbing import Repo
from git_rvexp.record.ledger import Ledger
from tests.faults import actions
from tests.faults.killing import Fate, Shim, WholeProxy, kill_on, run, start
from tests.faults.world import World
from tests.integration.imageworld import raw_manifest
from tests.integration.parts import Stack

pytestmark = pytest.mark.integration


@pytest.fixture
def world(tmp_path: Path, stack: Stack) -> Iterator[World]:
    """A snapshot that builds; its images are removed afterwards."""
    made = World.make(tmp_path / "world")
    made.clone.write("Dockerfile", f"FROM {stack.tiny_image}\nCOPY . /opt/src\n")
    made.clone.write("unique", tmp_path.as_posix())
    made.clone.git("config", "--unset", "rvexp.batch-queue")
    made.clone.git("config", "--unset", "rvexp.batch-job-def-name")
    assert made.clone.rvexp("snapshot", "demo").returncode == 0
    yield made
    label = f"label=io.git-rvexp.tag-oid={made.snapshot(made.clone).oid}"
    for image in stack.run("docker", "images", "-q", "--filter", label).stdout.split():
        stack.run("docker", "rmi", "--force", image, ok=False)


def finished(world: World, stack: Stack, registry_repo: str) -> None:
    """Publishing again works; a third time does nothing; one image, one line, the same in a fresh clone."""
    world.clone.git("config", "rvexp.ecr-repo", registry_repo)
    again = run(world.clone.path, stack.environment(), "publish", "@")
    assert again.returncode == 0, again.stderr
    third = run(world.clone.path, stack.environment(), "publish", "@")
    assert third.stdout == again.stdout
    assert "nothing was built, pushed or registered" in third.stderr
    assert raw_manifest(stack, again.stdout.strip())
    fresh = world.fresh("fresh")
    assert run(fresh.path, {}, "sync").returncode == 0
    for clone in (world.clone, fresh):
        record = Ledger(Repo.discover(clone.path, os.environ)).record(world.snapshot(clone).oid)
        assert [e.get("ref") for e in record.of("image")] == [again.stdout.strip()]
    world.sound(world.clone, fresh)


@pytest.mark.parametrize("fate", ["lost", "lands", "answered"])
@pytest.mark.parametrize("path", ["/blobs/uploads/", "/manifests/"])
def test_killed_while_the_engine_pushes(world: World, stack: Stack, registry_repo: str, path: str, fate: Fate) -> None:
    """The client dies at the first write to the registry, or at the manifest's."""
    with WholeProxy(f"http://{stack.registry}") as proxy:
        world.clone.git("config", "rvexp.ecr-repo", registry_repo.replace(stack.registry, _host(proxy)))
        killer = kill_on(proxy, 1, fate, path, method="PUT" if path == "/manifests/" else "POST")
        process = start(world.clone.path, stack.environment(), "publish", "@")
        killer.aim(process)
        _, err = process.communicate()
        assert process.returncode == -9, err
    finished(world, stack, registry_repo)


@pytest.mark.parametrize("part", range(3))
def test_killed_at_the_git_calls_of_a_publish(
    world: World, stack: Stack, registry_repo: str, tmp_path: Path, part: int
) -> None:
    """A third, two thirds and all of the way through the git calls that publish makes."""
    shim = Shim.make(tmp_path / "shim")
    world.clone.git("config", "rvexp.ecr-repo", registry_repo)
    world.save()
    for _ in range(2):  # the second time, as in what follows, the image is there: git is asked for less
        probe = run(world.clone.path, {**stack.environment(), **shim.environ(0)}, "publish", "@")
        assert probe.returncode == 0, probe.stderr
        world.restore()
    at = max(1, len(shim.calls) * (part + 1) // 3)
    died = run(world.clone.path, {**stack.environment(), **shim.environ(at)}, "publish", "@")
    assert died.returncode == -9, died.stderr
    finished(world, stack, registry_repo)


@pytest.mark.parametrize("code", [500, 503, 429])
def test_a_registry_in_trouble_is_told_and_nothing_is_recorded(
    world: World, stack: Stack, registry_repo: str, code: int
) -> None:
    """Whether our image is there cannot be told: it is not built blindly, and the same command works later."""
    with WholeProxy(f"http://{stack.registry}") as proxy:
        world.clone.git("config", "rvexp.ecr-repo", registry_repo.replace(stack.registry, _host(proxy)))
        proxy.on("*", "/manifests/", actions.status(code, b"{}"))
        done = run(world.clone.path, stack.environment(), "publish", "@")
    assert done.returncode not in (0, 70), done.stderr
    assert str(code) in done.stderr
    record = Ledger(Repo.discover(world.clone.path, os.environ)).record(world.snapshot(world.clone).oid)
    assert record.of("image") == []
    finished(world, stack, registry_repo)


def _host(proxy: WholeProxy) -> str:
    """As images name it: an engine takes plain http from localhost."""
    return "localhost:" + proxy.url.rpartition(":")[2]
