"""An image made from a snapshot long after: with the settings that it holds, and said where they are others."""

import json
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import Stack


@pytest.fixture
def clone(clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A snapshot whose Dockerfile keeps a build argument, which its settings have as 1 and today's as 2."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone.write("Dockerfile", f"FROM {stack.tiny_image}\nARG VERSION=0\nENV V=$VERSION\nCOPY . /opt/src\n")
    clone.write(".rvexp.toml", '[image.build_args]\nVERSION = "1"\n')
    assert clone.rvexp("snapshot", "one").returncode == 0
    clone.write(".rvexp.toml", '[image.build_args]\nVERSION = "2"\n')
    return clone


def version_in(stack: Stack, image: str) -> str:
    """What the Dockerfile wrote into the image, by the docker command."""
    env = json.loads(stack.run("docker", "image", "inspect", "--format", "{{json .Config.Env}}", image).stdout)
    return next(str(pair).partition("=")[2] for pair in env if pair.startswith("V="))


def test_an_image_is_made_with_the_snapshots_own_settings(clone: Clone, stack: Stack) -> None:
    built = clone.rvexp("build", "one")
    assert built.returncode == 0, built.stderr
    assert version_in(stack, built.stdout.strip()) == "1"
    assert "image.build_args = VERSION=1, and VERSION=2 today" in built.stderr
    assert "made with   image.build_args = VERSION=1" in clone.rvexp("show", "one").stdout
    again = clone.rvexp("build", "one")
    assert again.stdout == built.stdout


def test_the_users_own_word_goes_before_them_and_is_on_record(
    clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVEXP_IMAGE_BUILD_ARGS", "VERSION=9")
    built = clone.rvexp("build", "one")
    assert version_in(stack, built.stdout.strip()) == "9"
    monkeypatch.delenv("RVEXP_IMAGE_BUILD_ARGS")
    told = clone.rvexp("build", "--reproduce", "one")
    assert told.returncode == 1
    assert "  image.build_args = VERSION=9, and VERSION=1 today" in told.stderr


def test_a_build_argument_that_looks_like_a_secret_is_refused(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand in the image's history and in the record."""
    secret = "ghp_" + "a1B2" * 9
    monkeypatch.setenv("RVEXP_IMAGE_BUILD_ARGS", f"WHERE={secret}")
    told = clone.rvexp("build", "one")
    assert told.returncode == 2
    assert "WHERE: " in told.stderr
    assert secret not in told.stderr + told.stdout
    assert not list(Path(clone.path).glob(f"**/*{secret}*"))
