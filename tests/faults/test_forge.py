"""Pushes over HTTP to a real forge that are cut, refused or answered to nobody; the next sync finishes them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import actions
from tests.faults.killing import Fate, WholeProxy, kill_on, run, start
from tests.faults.world import NOTES, World
from tests.integration.parts import ForgeRepo, Stack

pytestmark = pytest.mark.integration

PUSH = "git-receive-pack$"
FAULTS = {
    "reply lost": actions.drop_reply(),
    "reply cut": actions.truncate_reply(20),
    "request lost": actions.drop_before(),
    "upload cut": actions.cut_upload(100),
    "reset": actions.reset("after"),
    "500 before": actions.status(500),
    "500 after": actions.status(500, when="after"),
    "429": actions.status(429),
}


@pytest.fixture
def proxied(tmp_path: Path, stack: Stack, forge_repo: Callable[[], ForgeRepo]) -> tuple[World, WholeProxy, ForgeRepo]:
    """A clone whose experiments remote is a repository of the forge behind a fault proxy."""
    repo = forge_repo()
    world = World.make(tmp_path / "world")
    return world, WholeProxy(stack.forge), repo


def point(world: World, proxy: WholeProxy, stack: Stack, repo: ForgeRepo) -> None:
    """Let the clones' experiments remote be the forge through the proxy."""
    world.remote = repo.secret_url.replace(stack.forge.partition("://")[2], proxy.url.partition("://")[2])
    world.configure(world.clone)


def same_everywhere(world: World) -> None:
    """The forge has the tag and the record as they are here; a fresh clone too."""
    fresh = world.fresh("fresh")
    done = run(fresh.path, {}, "sync")
    assert done.returncode == 0, done.stderr
    listed = world.clone.git("ls-remote", world.remote)
    for clone in (world.clone, fresh):
        for ref in ("refs/tags/" + world.snapshot(world.clone).tag, NOTES):
            assert f"{clone.git('rev-parse', ref)}\t{ref}" in listed
    assert fresh.git("notes", "--ref=rvexp", "show", world.snapshot(fresh).tag).count(" snapshot v=1 ") == 1


@pytest.mark.parametrize("which", ["tag", "notes"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_push_that_goes_wrong(
    proxied: tuple[World, WholeProxy, ForgeRepo], stack: Stack, fault: str, which: str
) -> None:
    """The snapshot stands here, exit 8 says that its push is pending; sync finishes, whether or not it had landed."""
    world, proxy, repo = proxied
    action = FAULTS[fault]
    with proxy:
        point(world, proxy, stack, repo)
        rule = proxy.on("POST", PUSH, action, skip=0 if which == "tag" else 1, count=1)
        done = run(world.clone.path, {}, "snapshot", "demo")
        assert rule.hits == 1
        assert done.returncode in (0, 8), done.stderr
        assert "hint: git rvexp sync" in done.stderr or done.returncode == 0
        again = run(world.clone.path, {}, "sync")
        assert again.returncode == 0, again.stderr
        same_everywhere(world)


@pytest.mark.parametrize("fate", ["lost", "lands", "answered"])
@pytest.mark.parametrize("number", [1, 2])
def test_killed_during_a_push(
    proxied: tuple[World, WholeProxy, ForgeRepo], stack: Stack, fate: Fate, number: int
) -> None:
    """The command dies while the tag, or the notes, are on their way; sync finishes."""
    world, proxy, repo = proxied
    with proxy:
        point(world, proxy, stack, repo)
        killer = kill_on(proxy, number, fate, PUSH)
        process = start(world.clone.path, {}, "snapshot", "demo")
        killer.aim(process)
        _, err = process.communicate()
        assert process.returncode == -9, err
        again = run(world.clone.path, {}, "sync")
        assert again.returncode == 0, again.stderr
        same_everywhere(world)


def test_a_password_in_the_address_is_not_told(proxied: tuple[World, WholeProxy, ForgeRepo], stack: Stack) -> None:
    """The error names the place, never the password."""
    world, proxy, repo = proxied
    with proxy:
        point(world, proxy, stack, repo)
        proxy.on("*", "", actions.status(500))
        done = run(world.clone.path, {}, "sync")
    assert done.returncode == 128
    assert repo.name in done.stderr
    assert stack.forge_password not in done.stderr
