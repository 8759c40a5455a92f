"""A registry that loses, cuts, refuses and lies: the image is there in the end, or its tag does not exist."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_rvexp.errors import RvexpError
from git_rvexp.model import Snapshot
from git_rvexp.settings import Settings
from tests.faults import actions
from tests.faults.proxy import FaultProxy
from tests.integration.imageworld import ImageWorld, exported, listed
from tests.integration.parts import Stack

UPLOAD = r"/blobs/uploads/"
OFFER = r"/blobs/uploads/\?digest="  # a blob in the request that asks for a place
MANIFEST = r"/manifests/al_"

ENSURED = """
import os, sys
from pathlib import Path
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Snapshot
from git_rvexp.names import TagName
from git_rvexp.settings import Settings
from git_rvexp.workflow.building.ensure import ensure_image
repo, tag = Repo.discover(Path.cwd(), os.environ), TagName.parse(sys.argv[1])
settings = Settings(archive_url="none", ecr_repo=sys.argv[3], image_code={".": "/opt/src"})
ensure_image(repo, eval(sys.argv[2]), tag, remote_url="", settings=settings, environ=os.environ, say=print)
"""


@dataclass
class Scene:
    """A snapshot whose environment is in the registry, and the proxy that the change has to pass."""

    world: ImageWorld
    proxy: FaultProxy
    repo: str
    snapshot: Snapshot

    @property
    def settings(self) -> Settings:
        """As seen through the proxy."""
        return self.directly(f"{self.proxy.url.removeprefix('http://')}/{self.repo.partition('/')[2]}")

    def directly(self, repo: str) -> Settings:
        """As seen at `repo`."""
        return Settings(archive_url="none", ecr_repo=repo, image_code={".": "/opt/src"})

    def absent(self) -> bool:
        """Whether the registry knows no such tag, by skopeo."""
        name = f"docker://{self.repo}:{self.world.tag.mapped}"
        return self.world.stack.run("skopeo", "inspect", "--tls-verify=false", name, ok=False).returncode != 0

    def whole(self) -> bool:
        """Whether docker pulls the tag and finds the snapshot's tree in it."""
        name = f"{self.repo}:{self.world.tag.mapped}"
        self.world.stack.run("docker", "pull", "-q", name)
        return exported(self.world.stack, name, "/opt/src") == listed(self.world, self.snapshot.tree)


@pytest.fixture
def scene(stack: Stack, tmp_path: Path, registry_repo: str) -> Iterator[Scene]:
    """The environment is built and known; `two` is still to be published."""
    world = ImageWorld(stack, tmp_path)
    with FaultProxy(f"http://{registry_repo.partition('/')[0]}") as proxy:
        made = Scene(world, proxy, registry_repo, world.simple())
        world.ensure(made.snapshot, made.directly(registry_repo))
        world.write({"a": "b" * 5000, "c/d": "e"})
        made.snapshot = world.snapshot("two")
        yield made
    world.forget()


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("POST", UPLOAD, actions.drop_before()),
        ("POST", UPLOAD, actions.drop_reply()),
        ("PUT", UPLOAD, actions.drop_before()),
        ("PUT", UPLOAD, actions.drop_reply()),
        ("PUT", UPLOAD, actions.reset("before")),
        ("PUT", UPLOAD, actions.cut_upload(100)),
        ("PUT", UPLOAD, actions.corrupt_upload(50)),
        ("PUT", UPLOAD, actions.status(500)),
        ("PUT", UPLOAD, actions.status(429, headers=(("Retry-After", "0"),))),
        ("PUT", UPLOAD, actions.status(503, when="after")),
        ("PUT", MANIFEST, actions.drop_before()),
        ("PUT", MANIFEST, actions.drop_reply()),
        ("PUT", MANIFEST, actions.status(502)),
        ("PUT", MANIFEST, actions.status(500, when="after")),
        ("PUT", UPLOAD, actions.status(201)),  # says yes and keeps nothing
        ("PUT", UPLOAD, actions.delay(0.3)),
        ("PUT", UPLOAD, actions.delay(0.3, "after")),
        ("POST", UPLOAD, actions.status(429)),
        ("PUT", MANIFEST, actions.status(429)),
        ("POST", OFFER, actions.reset("before")),
        ("POST", OFFER, actions.drop_reply()),
        ("POST", OFFER, actions.status(429)),
        ("POST", OFFER, actions.status(411)),
        ("POST", OFFER, actions.status(413)),
        ("POST", OFFER, actions.status(201)),  # says yes and keeps nothing
    ],
)
def test_passing_fault_is_overcome(scene: Scene, method: str, path: str, action: actions.Action) -> None:
    """Once or twice, then the registry is itself again: the image is whole."""
    rule = scene.proxy.on(method, path, action, count=2)
    made = scene.world.ensure(scene.snapshot, scene.settings)
    assert rule.hits
    assert made.pushed
    assert scene.whole()


@pytest.mark.parametrize(
    ("method", "path", "action", "why"),
    [
        ("PUT", UPLOAD, actions.status(500), "HTTP 500"),
        ("PUT", UPLOAD, actions.cut_upload(100), "cannot be reached|HTTP"),
        ("PUT", UPLOAD, actions.corrupt_upload(50), "damaged or lost on the way"),
        ("PUT", UPLOAD, actions.status(201), "does not keep what it is sent"),
        ("POST", UPLOAD, actions.status(403), "it asks for a login"),
        ("POST", UPLOAD, actions.status(202), "named no place"),
        (
            "POST",
            UPLOAD,
            actions.status(202, headers=(("Location", "http://192.0.2.1/take"),)),
            "unprotected to http://192.0.2.1/take",
        ),
        (
            "PUT",
            UPLOAD,
            actions.status(201, headers=(("Docker-Content-Digest", "sha256:" + "0" * 64),), when="after"),
            "stored sha256:000",
        ),
        (
            "POST",
            OFFER,
            actions.status(201, headers=(("Docker-Content-Digest", "sha256:" + "0" * 64),)),
            "stored sha256:000",
        ),
        ("PUT", MANIFEST, actions.status(503), "HTTP 503"),
    ],
)
def test_lasting_fault_is_told_and_leaves_no_tag(
    scene: Scene, method: str, path: str, action: actions.Action, why: str
) -> None:
    """Attempts end, the registry's words are told, and nobody finds a tag without its bytes."""
    scene.proxy.on(method, path, action)
    with pytest.raises(RvexpError, match=why):
        scene.world.ensure(scene.snapshot, scene.settings)
    assert scene.absent()
    scene.proxy.clear()
    scene.world.ensure(scene.snapshot, scene.settings)
    assert scene.whole()


@pytest.mark.parametrize(
    ("path", "action", "why"),
    [
        ("/manifests/env-", actions.drop_before(), "cannot be reached"),
        ("/manifests/env-", actions.truncate_reply(20), "broke off"),
        ("/manifests/env-", actions.corrupt_reply(30), "sent another manifest"),
        ("/blobs/sha256", actions.corrupt_reply(30), "sent another blob"),
        ("/blobs/sha256", actions.status(404), "is gone from"),
        (MANIFEST, actions.status(500), "HTTP 500"),
        (MANIFEST, actions.status(401), "asks for a login"),
    ],
)
def test_fault_in_what_is_read_is_told_and_leaves_no_tag(
    scene: Scene, path: str, action: actions.Action, why: str
) -> None:
    """A clone that does not know the environment yet reads it: what is damaged on the way is believed by nobody."""
    shutil.rmtree(scene.world.clone / ".git" / "rvexp" / "registry")
    rule = scene.proxy.on("GET", path, action)
    with pytest.raises(RvexpError, match=why):
        scene.world.ensure(scene.snapshot, scene.settings)
    assert rule.hits
    assert scene.absent()
    scene.proxy.clear()
    scene.world.ensure(scene.snapshot, scene.settings)
    assert scene.whole()


def test_killed_before_the_manifest_sends_nothing_twice(scene: Scene) -> None:
    """By kill -9, when all but the manifest has arrived: the same command again sends the manifest, and no layer."""
    scene.world.write({"more": b"M" * 1_043_000})  # so much that it is asked for first, not yet a new environment
    scene.snapshot = scene.world.snapshot("three")
    rule = scene.proxy.on("PUT", MANIFEST, actions.status(503))
    words = [sys.executable, "-c", ENSURED, str(scene.world.tag), repr(scene.snapshot), scene.settings.ecr_repo]
    env = {**scene.world.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(words, cwd=scene.world.clone, env=env, stdout=subprocess.DEVNULL) as running:
        while not rule.hits and running.poll() is None:
            time.sleep(0.01)
        running.kill()
    assert running.returncode == -9
    assert scene.absent()
    scene.proxy.clear()
    scene.proxy.log.clear()
    scene.world.ensure(scene.snapshot, scene.settings)
    sent = [seen.path for seen in scene.proxy.log if seen.method == "PUT" and "/blobs/" in seen.path]
    assert len(sent) == 1, "the config, which is smaller than a question"
    assert scene.whole()


def test_environment_that_left_the_registry_is_found_out(scene: Scene) -> None:
    """What this clone remembers of an environment is a hint: in another repository it is built again."""
    elsewhere = scene.directly(f"{scene.repo}-moved")
    made = scene.world.ensure(scene.snapshot, elsewhere)
    assert made.built
    kept = next((scene.world.clone / ".git" / "rvexp" / "registry").glob("name-*"))
    for name in kept.parent.glob("name-*"):
        name.write_text(kept.read_text())
    third = scene.directly(f"{scene.repo}-third")
    assert scene.world.ensure(scene.snapshot, third).pushed
