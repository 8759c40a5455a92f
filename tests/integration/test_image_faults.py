"""Pushes that go wrong: refused, cut, altered. The registry and the engine are real, the fault stands between them."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_rvexp.errors import RvexpError
from git_rvexp.settings import Settings
from tests.integration.imageworld import ImageWorld, raw_manifest
from tests.integration.parts import Stack
from tests.integration.registryproxy import Passed, RegistryProxy

FULL = b'{"errors":[{"code":"MANIFEST_INVALID","message":"no room"}]}'
IMMUTABLE = b'{"errors":[{"code":"TAG_INVALID","message":"the tag exists and is immutable"}]}'


@pytest.fixture
def world(stack: Stack, tmp_path: Path) -> Iterator[ImageWorld]:
    """A clone of this test's own; its images are removed afterwards."""
    made = ImageWorld(stack, tmp_path)
    yield made
    made.forget()


def through(proxy: RegistryProxy, registry_repo: str) -> Settings:
    """Settings that see the repository through the proxy."""
    return Settings(archive_url="none", ecr_repo=f"{proxy.host}/{registry_repo.partition('/')[2]}")


def tag_hidden_until_pushed(change: Callable[[Passed], Passed | None]) -> Callable[[Passed], Passed | None]:
    """Another writer's image appears between our first look at the tag and our push, where `change` then decides."""
    pushing = False

    def answer(passed: Passed) -> Passed | None:
        nonlocal pushing
        pushing = pushing or passed.method in ("POST", "PUT", "PATCH", "HEAD")
        if not pushing and "/manifests/" in passed.path:
            return passed.answering(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        return change(passed)

    return answer


def is_manifest_put(method: str, path: str) -> bool:
    """The last step of a push."""
    return method == "PUT" and "/manifests/" in path


def refusing(world: ImageWorld) -> RegistryProxy:
    """A registry with immutable tags, whose tag is taken between our look and our push."""

    def refuse(passed: Passed) -> Passed:
        return passed.answering(400, IMMUTABLE) if is_manifest_put(passed.method, passed.path) else passed

    return RegistryProxy(world.stack.registry, tag_hidden_until_pushed(refuse), withheld=is_manifest_put)


def test_immutable_tag_with_our_content_is_adopted(world: ImageWorld, registry_repo: str) -> None:
    """Somebody pushed the same snapshot's image first: theirs is taken, nothing is lost."""
    snapshot = world.simple()
    made = world.ensure(snapshot, Settings(archive_url="none", ecr_repo=registry_repo))
    with refusing(world) as proxy:
        late = world.ensure(snapshot, through(proxy, registry_repo))
    assert late.image.ref.partition("@")[2] == made.image.ref.partition("@")[2]
    assert (late.pushed, late.image.image_id) == (False, made.image.image_id)


def test_immutable_tag_with_other_content_is_a_conflict(world: ImageWorld, registry_repo: str) -> None:
    """Somebody pushed something else first: an error that names both, and theirs stays."""
    there = f"{registry_repo}:{world.tag.mapped}"
    world.stack.run("docker", "tag", world.stack.tiny_image, there)
    world.stack.run("docker", "push", "-q", there)
    other = raw_manifest(world.stack, there)
    with (
        refusing(world) as proxy,
        pytest.raises(RvexpError, match="another image already"),
    ):
        world.ensure(world.simple(), through(proxy, registry_repo))
    assert raw_manifest(world.stack, there) == other
    world.stack.run("docker", "rmi", there)


def test_push_whose_last_reply_is_lost_is_found(world: ImageWorld, registry_repo: str) -> None:
    """The manifest arrived, its answer did not: what stands in the registry is ours and is taken."""

    def cut(passed: Passed) -> Passed | None:
        return None if is_manifest_put(passed.method, passed.path) else passed

    snapshot = world.simple()
    with RegistryProxy(world.stack.registry, cut) as proxy:
        made = world.ensure(snapshot, through(proxy, registry_repo))
    assert raw_manifest(world.stack, made.image.ref.replace(proxy.host, world.stack.registry))
    again = world.ensure(snapshot, Settings(archive_url="none", ecr_repo=registry_repo))
    assert (again.built, again.pushed) == (False, False)


def test_push_that_is_cut_is_taken_up_without_a_build(world: ImageWorld, registry_repo: str) -> None:
    """After a push that failed half-way the next call pushes the same image and builds nothing."""
    cut = threading.Event()
    cut.set()

    def in_vain(method: str, path: str) -> bool:
        return cut.is_set() and is_manifest_put(method, path)

    def full(passed: Passed) -> Passed:
        # not a 5xx: the engine would try those again for a minute
        return passed.answering(400, FULL) if in_vain(passed.method, passed.path) else passed

    snapshot = world.simple()
    with RegistryProxy(world.stack.registry, full, withheld=in_vain) as proxy:
        with pytest.raises(RvexpError, match=r"(?s)push of .* failed\n.*no room"):
            world.ensure(snapshot, through(proxy, registry_repo))
        (kept,) = set(world.images())
        cut.clear()
        made = world.ensure(snapshot, through(proxy, registry_repo))
    assert (made.built, made.pushed, str(made.image.image_id)) == (False, True, kept)


def test_manifest_altered_after_the_push_is_an_error(world: ImageWorld, registry_repo: str) -> None:
    """What the registry gives back is hashed: one byte more, and nothing is returned to record."""

    def alter(passed: Passed) -> Passed:
        reading = passed.method == "GET" and "/manifests/sha256:" in passed.path
        return passed.answering(passed.status, passed.body + b"\n") if reading else passed

    with (
        RegistryProxy(world.stack.registry, alter) as proxy,
        pytest.raises(RvexpError, match="sent another manifest than sha256:"),
    ):
        world.ensure(world.simple(), through(proxy, registry_repo))
