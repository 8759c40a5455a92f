"""Snapshots without a Dockerfile: the whole tree over a pinned base, which is copied once when it lives elsewhere."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.settings import Settings
from tests.faults import actions
from tests.faults.proxy import FaultProxy
from tests.integration.imageworld import ImageWorld, exported, listed, raw_manifest
from tests.integration.parts import Stack


@pytest.fixture
def world(stack: Stack, tmp_path: Path) -> Iterator[ImageWorld]:
    """A clone of this test's own; its images are removed afterwards."""
    made = ImageWorld(stack, tmp_path)
    yield made
    made.forget()


@pytest.fixture
def elsewhere(stack: Stack, registry_repo: str) -> Iterator[tuple[str, FaultProxy]]:
    """A base image, pinned, in a registry at another address than the one that is published to."""
    name = f"{registry_repo}-base"
    stack.run("docker", "tag", stack.tiny_image, f"{name}:1")
    stack.run("docker", "push", "-q", f"{name}:1")
    stack.run("docker", "rmi", f"{name}:1")
    digest = stack.run(
        "skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", f"docker://{name}:1"
    ).stdout.strip()
    host, _, path = name.partition("/")
    with FaultProxy(f"http://{host}") as proxy:
        yield f"{proxy.url.removeprefix('http://')}/{path}@{digest}", proxy


def based(base: str, repo: str) -> Settings:
    """Settings of a project without a Dockerfile."""
    return Settings(archive_url="none", ecr_repo=repo, image_base=base, image_code={".": "/opt/src"})


def without_engine(world: ImageWorld) -> None:
    """From here on nobody answers at the engine's address."""
    world.environ["DOCKER_HOST"] = f"unix://{world.home}/nothing.sock"


def test_tree_over_a_base_of_another_registry(
    world: ImageWorld, registry_repo: str, elsewhere: tuple[str, FaultProxy]
) -> None:
    """No engine, no Dockerfile; the base's bytes pass once, and later snapshots do not ask its registry at all."""
    base, proxy = elsewhere
    world.write({"a.py": "1", "sub/b": "2", "link/c": "3"}, executable=("a.py",))
    snapshot = world.snapshot()
    without_engine(world)
    first = world.ensure(snapshot, based(base, registry_repo))
    assert exported(world.stack, first.image.ref, "/opt/src") == listed(world, snapshot.tree)
    below = raw_manifest(world.stack, first.environment)
    made = raw_manifest(world.stack, first.image.ref)
    assert (made["layers"][:-1], len(made["layers"])) == (below["layers"], len(below["layers"]) + 1)
    assert sum("/blobs/sha256:" in seen.path for seen in proxy.log) == len(below["layers"]) + 1
    proxy.log.clear()
    world.write({"a.py": "2"})
    snapshot = world.snapshot("two")
    second = world.ensure(snapshot, based(base, registry_repo))
    assert not proxy.log
    assert second.environment == first.environment
    assert exported(world.stack, second.image.ref, "/opt/src") == listed(world, snapshot.tree)


def test_base_beside_it_is_taken_over(world: ImageWorld, registry_repo: str, elsewhere: tuple[str, FaultProxy]) -> None:
    """In the same registry no bytes of the base travel."""
    digest = elsewhere[0].partition("@")[2]
    world.write({"a": "b"})
    snapshot = world.snapshot()
    without_engine(world)
    made = world.ensure(snapshot, based(f"{registry_repo}-base@{digest}", registry_repo))
    assert not [line for line in world.story if "copying" in line and " MB" in line]
    assert exported(world.stack, made.image.ref, "/opt/src") == listed(world, snapshot.tree)


def test_base_whose_registry_lies_is_refused(
    world: ImageWorld, registry_repo: str, elsewhere: tuple[str, FaultProxy]
) -> None:
    """A layer with a changed byte never arrives, and no tag does."""
    base, proxy = elsewhere
    world.write({"a": "b"})
    snapshot = world.snapshot()
    rule = proxy.on("GET", "/blobs/sha256", actions.corrupt_reply(100))
    with pytest.raises(RvexpError, match="sent another blob than"):
        world.ensure(snapshot, based(base, registry_repo))
    assert rule.hits
    name = f"docker://{registry_repo}:{world.tag.mapped}"
    assert world.stack.run("skopeo", "inspect", "--tls-verify=false", name, ok=False).returncode
    proxy.clear()
    assert world.ensure(snapshot, based(base, registry_repo)).pushed


def test_base_in_the_engine(world: ImageWorld, elsewhere: tuple[str, FaultProxy]) -> None:
    """Without a registry of one's own the engine pulls the base and takes the tree as one layer."""
    base, _ = elsewhere
    world.write({"a": "b", "c/d": "e"})
    snapshot = world.snapshot()
    made = world.ensure(snapshot, based(base, ""))
    assert exported(world.stack, made.image.ref, "/opt/src") == listed(world, snapshot.tree)
    assert world.ensure(snapshot, based(base, "")).image == made.image
    world.stack.run("docker", "rmi", "--force", base)


def test_settings_that_do_not_go_together_are_refused(world: ImageWorld) -> None:
    """A base needs a place for the code, and leaves nothing for an engine to build."""
    world.write({"a": "b"})
    snapshot = world.snapshot()
    pinned = based("example.org/x@sha256:" + "0" * 64, "")
    with pytest.raises(UsageError, match=r"image\.code does not say"):
        world.ensure(snapshot, replace(pinned, image_code={}))
    with pytest.raises(UsageError, match="needs an image that is built"):
        world.ensure(snapshot, replace(pinned, seed_inject=True))
