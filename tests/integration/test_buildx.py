"""Images that BuildKit makes of snapshots, with the newest buildx and the newest engine."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from git_rvexp.settings import Settings
from tests.integration.imageworld import ImageWorld
from tests.integration.parts import Stack

LOCAL = Settings(archive_url="none")


def with_buildx(stack: Stack, buildx: str, home: Path) -> ImageWorld:
    """A clone in `home` whose docker command has buildx."""
    plugins = home / "docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(buildx)
    return ImageWorld(stack, home)


@pytest.fixture(params=["docker_host", "newest_engine"])
def world(request: pytest.FixtureRequest, stack: Stack, buildx: str, tmp_path: Path) -> Iterator[ImageWorld]:
    """One on each engine: one has its images in the older store, one in containerd's. Its images are removed."""
    made = with_buildx(replace(stack, docker_host=getattr(stack, request.param)), buildx, tmp_path)
    yield made
    made.forget()


def test_the_engine_has_what_was_built(world: ImageWorld) -> None:
    """By the name that it has there: the config's digest in the older store, the manifest's in containerd's."""
    snapshot = world.simple()
    made = world.ensure(snapshot, LOCAL)
    told = world.stack.run("docker", "inspect", "--format", "{{.Id}}", f"rvexp/{world.tag.project}:{world.tag.mapped}")
    assert (made.built, str(made.image.image_id)) == (True, told.stdout.strip())
    assert world.ensure(snapshot, LOCAL).image == made.image
