"""Images that BuildKit makes of snapshots, with the newest buildx and the newest engine."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.settings import Settings
from tests.conftest import Clone
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


OLD = """\
#!/bin/sh
if [ "$1 $2" = "buildx version" ]; then
    echo "github.com/docker/buildx v0.9.1 ed00243a0ce2a0aee75311b06e32d33b44729689"
    exit
fi
for word in "$@"; do
    case $word in
        --provenance*|--sbom*|--build-arg=REFUSED=*) echo "unknown flag: ${word%%=*}" >&2; exit 125 ;;
    esac
done
exec "$REAL" "$@"
"""


@pytest.fixture
def old(world: ImageWorld, buildx: str) -> ImageWorld:
    """Its plugin takes no options that came with 0.10."""
    plugin = world.home / "docker" / "cli-plugins" / "docker-buildx"
    plugin.unlink()
    plugin.write_text(OLD.replace("$REAL", buildx))
    plugin.chmod(0o755)
    return world


def test_an_old_buildx_is_asked_for_nothing_that_it_does_not_know(old: ImageWorld) -> None:
    """Before 0.10 nothing was attested, so nothing has to be forbidden."""
    assert old.ensure(old.simple(), LOCAL).built


def test_a_builder_that_does_not_begin_is_not_the_dockerfiles_fault(old: ImageWorld) -> None:
    """Nor a base that is out of reach; a Dockerfile that cannot be read is."""
    for text, args, why, hint in (
        (f"FROM {old.stack.tiny_image}\n", {"REFUSED": "1"}, "unknown flag", "git rvexp doctor"),
        ("FROM 127.0.0.1:1/none\n", {}, "connection refused", "see that the base image's registry is in reach"),
        (f"FROM {old.stack.tiny_image}\nNONSENSE\n", {}, "unknown instruction", "mend the Dockerfile"),
    ):
        with pytest.raises(RvexpError, match=why) as caught:
            old.ensure(old.simple(Dockerfile=text), Settings(archive_url="none", image_build_args=args))
        assert str(caught.value.hint).startswith(hint), caught.value
        old.tag = replace(old.tag, project=f"p{uuid.uuid4().hex[:12]}")


def test_doctor_names_the_version(old: ImageWorld, clone: Clone) -> None:
    """With what follows from it."""
    told = clone.rvexp("doctor", "--json", env=old.environ).stdout
    (found,) = (check for check in json.loads(told)["checks"] if check["name"] == "buildx")
    assert (found["kind"], found["text"]) == ("ok", "0.9.1: BuildKit is there")
