"""Images in the engine, without a registry: only the change is built, under the id that follows from tag and base."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from git_rvexp.settings import Settings
from tests.integration.imageworld import ImageWorld, exported, folders, listed
from tests.integration.parts import Stack


@pytest.fixture
def world(stack: Stack, tmp_path: Path) -> Iterator[ImageWorld]:
    """A clone of this test's own; its images are removed afterwards."""
    made = ImageWorld(stack, tmp_path)
    yield made
    made.forget()


HERE = Settings(archive_url="none", image_code={".": "/opt/src"})


def inspected(world: ImageWorld, image: str) -> dict[str, list[str]]:
    """The layers of an image in the engine, by the docker command."""
    told = world.stack.run("docker", "image", "inspect", "--format", "{{json .RootFS}}", image).stdout
    found: dict[str, list[str]] = json.loads(told)
    return found


def test_second_image_is_the_first_and_one_layer(world: ImageWorld) -> None:
    """Nothing is built for it, it runs, it holds its own tree, and a second clone makes the same id."""
    first = world.ensure(world.simple(**{"gone/x": "1", "a.py": "1"}), HERE)
    assert (first.built, first.environment) == (True, "")
    (world.clone / "gone" / "x").unlink()
    world.write({"a.py": "2", "new/ü": "x"}, executable=("a.py",))
    snapshot = world.snapshot("two")
    second = world.ensure(snapshot, HERE)
    assert second.environment == first.image.ref
    assert not [line for line in world.story if "building" in line]
    layers = [inspected(world, i.image.ref)["Layers"] for i in (first, second)]
    assert layers[1][:-1] == layers[0]
    assert exported(world.stack, second.image.ref, "/opt/src") == listed(world, snapshot.tree)
    again = world.ensure(snapshot, HERE)
    assert (again.image, again.built, again.environment) == (second.image, False, second.environment)
    world.stack.run("docker", "rmi", "--force", second.image.ref)
    subprocess.run(["git", "gc", "-q"], cwd=world.clone, check=True)
    assert world.ensure(snapshot, HERE).image.ref == second.image.ref


def test_no_environment_is_made_of_an_image_that_was_made_from_one(world: ImageWorld) -> None:
    """As when the code was looked at in a container that was then committed: what else was done there stays there."""
    snapshot = world.simple()
    first = world.ensure(snapshot, HERE)
    container = world.stack.run("docker", "create", first.image.ref, "true").stdout.strip()
    debug = world.stack.run("docker", "commit", container, f"{world.tag.project}-debug").stdout.strip()
    world.stack.run("docker", "rm", container)
    named = world.stack.run("docker", "inspect", "--format", '{{join .RepoTags " "}}', first.image.ref).stdout
    world.stack.run("docker", "rmi", *named.split())
    again = world.ensure(snapshot, HERE)
    assert again.built
    assert str(again.image.image_id) != debug
    world.write({"a": "b"})
    assert world.ensure(world.snapshot("two"), HERE).environment == again.image.ref


def test_folders_above_the_code_stay_roots(world: ImageWorld) -> None:
    """The owner of the code is that of its folder and of what is in it, as in the image that was built whole."""
    text = f"FROM {world.stack.tiny_image}\nRUN mkdir -p /usr/src\nCOPY --chown=1000:1000 . /usr/src/app\n"
    settings = replace(HERE, image_code={".": "/usr/src/app"}, image_owner="1000:1000")
    first = world.ensure(world.simple(Dockerfile=text, a="1"), settings)
    world.write({"a": "2"})
    second = world.ensure(world.snapshot("two"), settings)
    assert second.environment == first.image.ref
    built = folders(world.stack, first.image.ref)
    assert folders(world.stack, second.image.ref) == built
    assert [built[path][1] for path in ("usr", "usr/src", "usr/src/app")] == [0, 0, 1000]


def test_large_change_is_built_anew(world: ImageWorld) -> None:
    """And what comes after is laid over the newer one."""
    first = world.ensure(world.simple(big=b"1" * 3_000_000), HERE)
    world.write({"big": b"2" * 3_000_000})
    second = world.ensure(world.snapshot("two"), HERE)
    world.write({"small": "3"})
    third = world.ensure(world.snapshot("three"), HERE)
    assert (second.environment, third.environment) == ("", second.image.ref)
    assert first.image != second.image


def test_what_does_not_fit_is_built_whole_once(world: ImageWorld) -> None:
    """A Dockerfile that changes what it copied gives no environment; nothing is laid over its image."""
    text = f"FROM {world.stack.tiny_image}\nCOPY . /opt/src\nRUN rm /opt/src/unique\n"
    world.write({"Dockerfile": text, "unique": str(world.tag)})
    made = world.ensure(world.snapshot(), HERE)
    assert [line for line in world.story if line.startswith("the engine builds the whole") and "unique" in line]
    world.write({"a": "b"})
    other = world.ensure(world.snapshot("two"), HERE)
    assert (made.environment, other.environment) == ("", "")
    assert [line for line in world.story if line.startswith("building")]
