"""Snapshots without a Dockerfile: the whole tree over a pinned base, which is copied once when it lives elsewhere."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.images import upload
from git_rvexp.images.blob import Blob
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from git_rvexp.names import Digest
from git_rvexp.settings import Settings
from tests.faults import actions
from tests.faults.proxy import FaultProxy
from tests.integration.imageworld import ImageWorld, exported, folders, listed, pinned, raw_manifest
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


def based(base: str, repo: str, **more: Any) -> Settings:
    """Settings of a project without a Dockerfile."""
    code = {".": "/opt/src"}
    return Settings(**{"archive_url": "none", "ecr_repo": repo, "image_base": base, "image_code": code, **more})


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


@pytest.mark.parametrize("where", ["registry", "engine"])
def test_the_bases_folders_stay_as_with_copy(world: ImageWorld, registry_repo: str, where: str) -> None:
    """Owner and mode of those above the code and of the targets; what is new is as a build of the whole makes it."""
    made = "mkdir -p /home/jovyan/work/deep /opt && chown -R 1000:100 /home/jovyan && chmod 750 /home/jovyan"
    base = pinned(world.stack, f"{registry_repo}-base:1", f"RUN {made}", "RUN chmod 700 /home/jovyan/work /opt")
    world.write({"one/deep/a": "1", "two/deep/b": "2"})
    snapshot = world.snapshot()
    code = {"one": "/home/jovyan/work", "two": "/opt/new/src"}
    settings = based(base, registry_repo if where == "registry" else "", image_code=code, image_owner="5:6")
    laid = world.ensure(snapshot, settings).image.ref
    copies = [f"COPY --chown=5:6 {source} {target}" for source, target in code.items()]
    world.write({"Dockerfile": "\n".join([f"FROM {registry_repo}-base:1", *copies])})
    copied = world.stack.run("docker", "build", "-q", str(world.clone)).stdout.strip()
    expected = folders(world.stack, copied)
    assert folders(world.stack, laid) == expected
    assert [expected[f"home/jovyan{rest}"] for rest in ("", "/work")] == [(0o750, 1000, 100), (0o700, 1000, 100)]
    world.stack.run("docker", "rmi", "--force", copied, laid)
    world.stack.run("docker", "rmi", "--force", f"{registry_repo}-base:1")


@pytest.mark.parametrize("where", ["registry", "engine"])
def test_code_is_not_laid_through_a_link_of_the_base(world: ImageWorld, registry_repo: str, where: str) -> None:
    """COPY would follow it; a layer would put a folder in its place."""
    base = pinned(world.stack, f"{registry_repo}-base:1", "RUN mkdir -p /real && ln -s real /srv")
    world.write({"a": "b"})
    snapshot = world.snapshot()
    settings = based(base, registry_repo if where == "registry" else "", image_code={".": "/srv/code"})
    with pytest.raises(UsageError, match="/srv is a link to real in the base") as caught:
        world.ensure(snapshot, settings)
    assert str(caught.value.hint).startswith("git rvexp config set image.code ")
    world.stack.run("docker", "rmi", "--force", f"{registry_repo}-base:1")


def test_a_base_is_looked_into_once(world: ImageWorld, registry_repo: str, elsewhere: tuple[str, FaultProxy]) -> None:
    """What a clone found out of its folders it knows for later snapshots; another one reads the layers again."""
    host, _, name = registry_repo.partition("/")
    base, _ = elsewhere
    for nickname, read in (("one", True), ("two", False)):
        world.write({"a": nickname})
        with FaultProxy(f"http://{host}") as proxy:
            world.ensure(world.snapshot(nickname), based(base, f"{proxy.url.removeprefix('http://')}/{name}"))
            layers = [seen for seen in proxy.log if seen.method == "GET" and "/blobs/sha256:" in seen.path]
            assert bool(layers) == read


def of_two_platforms(stack: Stack, name: str) -> str:
    """An index of the tiny image, which is for amd64, and of the same that says it is for arm64; by its digest."""
    base = pinned(stack, f"{name}:1")
    registry = Registry(Repository.parse(name))
    own = registry.fetch(Digest(base.partition("@")[2]))
    config = json.dumps({**registry.config(own), "architecture": "arm64"}).encode()
    upload.blob(registry, Blob.of(config))
    other = {**own.content, "config": {**own.content["config"], "digest": str(Digest.of(config)), "size": len(config)}}
    bodies = {"amd64": own.body, "arm64": json.dumps(other).encode()}
    upload.manifest(registry, "arm64", bodies["arm64"], own.media_type)
    entries = [
        {"mediaType": own.media_type, "digest": str(Digest.of(body)), "size": len(body)}
        | {"platform": {"os": "linux", "architecture": architecture}}
        for architecture, body in bodies.items()
    ]
    kind = "application/vnd.docker.distribution.manifest.list.v2+json"
    index = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()
    upload.manifest(registry, "index", index, kind)
    return f"{name}@{Digest.of(index)}"


def test_the_engine_takes_the_base_for_the_platform_of_the_settings(world: ImageWorld, registry_repo: str) -> None:
    """Of an index the one that is asked for, not the machine's own; another that it has by the same digest is told."""
    index = of_two_platforms(world.stack, f"{registry_repo}-base")
    world.write({"a": "b"})
    snapshot = world.snapshot()
    world.stack.run("docker", "pull", "-q", index)
    settings = based(index, "", image_platform="linux/arm64")
    with pytest.raises(RvexpError, match=r"for linux/amd64, and image\.platform is linux/arm64") as caught:
        world.ensure(snapshot, settings)
    told = str(caught.value.hint).partition(",")[0]
    assert told == f"docker rmi {index}"
    world.stack.run(*told.split())
    made = world.ensure(snapshot, settings)
    seen = world.stack.run("docker", "image", "inspect", "--format", "{{.Architecture}}", made.image.ref)
    assert (made.image.platform, seen.stdout.strip()) == ("linux/arm64", "arm64")
    world.stack.run("docker", "rmi", "--force", made.image.ref, index)
    world.stack.run("docker", "rmi", f"{registry_repo}-base:1")


def test_a_base_for_another_platform_is_refused(world: ImageWorld, registry_repo: str) -> None:
    """A digest that names no index names one platform's image."""
    base = pinned(world.stack, f"{registry_repo}-base:1")
    world.write({"a": "b"})
    with pytest.raises(RvexpError, match=r"for linux/amd64, and image\.platform is linux/arm64") as caught:
        world.ensure(world.snapshot(), based(base, "", image_platform="linux/arm64"))
    assert "git rvexp config set image.platform linux/amd64" in str(caught.value.hint)
    world.stack.run("docker", "rmi", "--force", f"{registry_repo}-base:1", base)


def test_settings_that_do_not_go_together_are_refused(world: ImageWorld) -> None:
    """A base needs a place for the code, and leaves nothing for an engine to build."""
    world.write({"a": "b"})
    snapshot = world.snapshot()
    settings = based("example.org/x@sha256:" + "0" * 64, "")
    with pytest.raises(UsageError, match=r"image\.code does not say"):
        world.ensure(snapshot, replace(settings, image_code={}))
    with pytest.raises(UsageError, match="needs an image that is built"):
        world.ensure(snapshot, replace(settings, seed_inject=True))
