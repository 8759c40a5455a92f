"""Images that BuildKit makes of snapshots, with the newest buildx and the newest engine."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from git_rvexp.errors import UsageError
from git_rvexp.settings import Settings
from tests.integration.imageworld import DOCKERFILE, ImageWorld, exported
from tests.integration.parts import Stack
from tests.unit.test_ignore import SEEN, TREE

LOCAL = Settings(archive_url="none")
KEPT_BY_US = {"Dockerfile", ".dockerignore"}  # what is sent has to hold them


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


def built(world: ImageWorld) -> set[str]:
    """The names that buildx itself puts into an image of the checkout."""
    words = ("docker", "--config", world.environ["DOCKER_CONFIG"], "buildx", "build", "--quiet", "--no-cache", "--load")
    image = world.stack.run(*words, str(world.clone)).stdout.strip()
    names = {name for name in exported(world.stack, image, "/opt/src") if not name.startswith(".git/")}
    world.stack.run("docker", "rmi", image)
    return names


@pytest.mark.parametrize("patterns", [patterns for patterns, _ in SEEN])
def test_dockerignore_leaves_out_what_buildkit_leaves_out(world: ImageWorld, patterns: str) -> None:
    """The same files arrive as with buildx on a checkout of the tag, wherever the exceptions lie."""
    snapshot = world.simple(**{".dockerignore": patterns, **dict.fromkeys(TREE, "content")})
    made = world.ensure(snapshot, LOCAL)
    ours = set(exported(world.stack, made.image.ref, "/opt/src"))
    assert ours - KEPT_BY_US == built(world) - KEPT_BY_US
    assert ours & set(TREE) == set(TREE) - dict(SEEN)[patterns]


def test_links_are_followed(world: ImageWorld) -> None:
    """A Dockerfile that is a link in the context, an ignore file that is one out of it; the links stay links."""
    world.write({"app/docker/gpu": DOCKERFILE.format(base=world.stack.tiny_image), "rules": "docker\ndata\n"})
    world.write({"app/data": "large", "app/unique": str(world.tag)})
    (world.clone / "app/Dockerfile").symlink_to("docker/gpu")
    (world.clone / "app/.dockerignore").symlink_to("../rules")
    made = world.ensure(world.snapshot(), Settings(archive_url="none", image_context="app"))
    found = exported(world.stack, made.image.ref, "/opt/src")
    assert set(found) == {"Dockerfile", ".dockerignore", "docker/gpu", "unique"}
    assert found["Dockerfile"] == (0o120000, b"docker/gpu")


def test_a_dockerfile_outside_its_context_is_refused(world: ImageWorld) -> None:
    """As by Docker."""
    world.write({"gpu": DOCKERFILE.format(base=world.stack.tiny_image), "app/x": "x"})
    (world.clone / "app/Dockerfile").symlink_to("../gpu")
    with pytest.raises(UsageError, match=r"Dockerfile is a link that leads out of image\.context, app"):
        world.ensure(world.snapshot(), Settings(archive_url="none", image_context="app"))
