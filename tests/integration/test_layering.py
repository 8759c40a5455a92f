"""Images made of an environment and one layer: what arrives, in how many requests, and that it needs no engine."""

import http.client
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_rvexp.settings import Settings
from tests.faults import actions
from tests.faults.proxy import FaultProxy
from tests.integration.imageworld import ImageWorld, exported, keep_by_lfs, listed, raw_manifest
from tests.integration.parts import Stack
from tests.unit.serving import Asked, Reply, Serving

OF_THE_HOP = ("content-length", "transfer-encoding", "connection", "date")
CODE = {".": "/opt/src"}


@pytest.fixture
def world(stack: Stack, tmp_path: Path) -> Iterator[ImageWorld]:
    """A clone of this test's own; its images are removed afterwards."""
    made = ImageWorld(stack, tmp_path)
    yield made
    made.forget()


def laid(repo: str, **more: object) -> Settings:
    """Settings that opt in."""
    return Settings(**{"archive_url": "none", "ecr_repo": repo, "image_code": CODE, **more})  # type: ignore[arg-type]


def without_engine(world: ImageWorld) -> None:
    """From here on nobody answers at the engine's address."""
    world.environ["DOCKER_HOST"] = f"unix://{world.home}/nothing.sock"


def test_second_snapshot_is_one_layer_and_needs_no_engine(world: ImageWorld, registry_repo: str) -> None:
    """The first publish builds the environment; the next lays its change over it, and holds exactly its own tree."""
    world.write({"a.py": "print(1)\n", "sub/gone.py": "x", "sub/deep/file": "y", "kind": "file"})
    first = world.ensure(world.simple(), laid(registry_repo))
    assert (first.built, first.pushed) == (True, True)
    for name in ("sub/gone.py", "sub/deep/file", "kind"):
        (world.clone / name).unlink()
    world.write({"a.py": "print(2)\n", "kind/now": "a folder", "new/ünï code": "z"}, executable=("a.py",))
    snapshot = world.snapshot("two")
    without_engine(world)
    second = world.ensure(snapshot, laid(registry_repo))
    assert (second.built, second.pushed, second.environment) == (False, True, first.environment)
    old, new = raw_manifest(world.stack, first.environment), raw_manifest(world.stack, second.image.ref)
    assert new["layers"][:-1] == old["layers"]
    assert exported(world.stack, second.image.ref, "/opt/src") == listed(world, snapshot.tree)


def test_a_repository_with_sha256_names_is_no_other(world: ImageWorld, registry_repo: str) -> None:
    """The environment is proven against its tree, and the change is laid over it."""
    shutil.rmtree(world.clone / ".git")
    world.git("init", "-q", "-b", "main", "--object-format=sha256", ".")
    first = world.ensure(world.simple(a="1"), laid(registry_repo))
    world.write({"a": "2"})
    snapshot = world.snapshot("two")
    made = world.ensure(snapshot, laid(registry_repo))
    assert (first.environment, len(snapshot.tree)) == (made.environment, 64)
    assert made.environment
    assert exported(world.stack, made.image.ref, "/opt/src")["a"][1] == b"2"


def test_a_layer_holds_what_git_lfs_keeps(world: ImageWorld, registry_repo: str) -> None:
    """In the environment image and in the layer over it."""
    world.write({"old.bin": keep_by_lfs(world, b"old weights" * 1000)})
    world.ensure(world.simple(), laid(registry_repo))
    world.write({"new.bin": keep_by_lfs(world, b"new weights" * 999)})
    snapshot = world.snapshot("two")
    without_engine(world)
    made = world.ensure(snapshot, laid(registry_repo))
    files = exported(world.stack, made.image.ref, "/opt/src")
    assert (files["old.bin"][1], files["new.bin"][1]) == (b"old weights" * 1000, b"new weights" * 999)


def test_requests_of_a_publish_and_of_the_same_again(world: ImageWorld, registry_repo: str) -> None:
    """One look at the tag, POST and PUT for layer and config, the manifest; again: one look."""
    host, _, name = registry_repo.partition("/")
    with FaultProxy(f"http://{host}") as proxy:
        settings = laid(f"{proxy.url.removeprefix('http://')}/{name}")
        world.ensure(world.simple(), laid(registry_repo))
        world.write({"a": "b"})
        world.ensure(world.snapshot("two"), settings)  # from here on the environment is known to this clone
        world.write({"a": "c"})
        snapshot = world.snapshot("three")
        proxy.log.clear()
        made = world.ensure(snapshot, settings)
        methods = sorted(seen.method for seen in proxy.log)
        assert methods == ["GET", "POST", "POST", "PUT", "PUT", "PUT"]
        assert proxy.log[-1].path == f"/v2/{name}/manifests/{world.tag.mapped}"
        proxy.log.clear()
        again = world.ensure(snapshot, settings)
        assert [seen.method for seen in proxy.log] == ["GET"]
        assert (again.image, again.pushed) == (made.image, False)


def taking_blobs_at_once(upstream: str) -> Callable[[Asked], Reply]:
    """The registry at `upstream`, but for a blob that comes with the question for a place: it is taken at once."""

    def passed(method: str, path: str, asked: Asked, body: bytes) -> Reply:
        link = http.client.HTTPConnection(upstream, timeout=60)
        kept = {k: v for k, v in asked.headers.items() if k in ("accept", "content-type")}
        link.request(method, path, body=body, headers=kept)
        got = link.getresponse()
        told = {k: v.removeprefix(f"http://{upstream}") for k, v in got.getheaders() if k.lower() not in OF_THE_HOP}
        return Reply(got.status, got.read(), told)

    def answer(asked: Asked) -> Reply:
        path, _, digest = asked.path.partition("?digest=")
        if asked.method != "POST" or not digest:
            return passed(asked.method, asked.path, asked, asked.body)
        place = passed("POST", path, asked, b"").headers["Location"]
        return passed("PUT", f"{place}&digest={digest}", asked, asked.body)

    return answer


def test_requests_where_a_blob_takes_one(world: ImageWorld, registry_repo: str) -> None:
    """The first publish finds it out; then it is the look, the layer, the config and the manifest."""
    host, _, name = registry_repo.partition("/")
    world.ensure(world.simple(), laid(registry_repo))
    with Serving(taking_blobs_at_once(host)) as server:
        settings = laid(f"localhost:{server.port}/{name}")
        world.write({"a": "b"})
        world.ensure(world.snapshot("two"), settings)
        world.write({"a": "c", "d": "e" * 50_000})
        snapshot = world.snapshot("three")
        server.asked.clear()
        made = world.ensure(snapshot, settings)
        assert sorted(asked.method for asked in server.asked) == ["GET", "POST", "POST", "PUT"]
    there = made.image.ref.replace(f"localhost:{server.port}", host)
    assert exported(world.stack, there, "/opt/src") == listed(world, snapshot.tree)


def test_room_for_the_blobs_is_asked_for_while_the_tag_is_looked_up(world: ImageWorld, registry_repo: str) -> None:
    """A tag that this clone has not published is expected to be free: the look is held until room was asked for."""
    host, _, name = registry_repo.partition("/")
    world.ensure(world.simple(), laid(registry_repo))
    gate, waited = threading.Event(), threading.Event()
    with FaultProxy(f"http://{host}") as proxy:
        world.write({"a": "b"})
        # finds out that this registry wants blobs in two requests
        world.ensure(world.snapshot("two"), laid(f"{proxy.url.removeprefix('http://')}/{name}"))
        world.write({"a": "c"})
        snapshot = world.snapshot("three")
        proxy.log.clear()
        proxy.on("GET", f"/manifests/{world.tag.mapped}$", actions.hold(gate))

        def watch() -> None:
            for _ in range(600):
                if [seen.method for seen in proxy.log].count("POST") == 2:
                    waited.set()
                    break
                time.sleep(0.05)
            gate.set()

        watcher = threading.Thread(target=watch)
        watcher.start()
        world.ensure(snapshot, laid(f"{proxy.url.removeprefix('http://')}/{name}"))
        watcher.join()
    assert waited.is_set()


def test_docker_is_not_even_imported(world: ImageWorld, registry_repo: str) -> None:
    """With an environment in the registry the whole command works where the docker package cannot be imported."""
    world.ensure(world.simple(), laid(registry_repo))
    world.write({"a": "b"})
    snapshot = world.snapshot("two")
    code = f"""
import sys
import threading
import time
sys.modules["docker"] = None
from pathlib import Path
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Snapshot
from git_rvexp.names import TagName
from git_rvexp.settings import Settings
from git_rvexp.workflow.building.ensure import ensure_image
import os
repo, tag = Repo.discover(Path.cwd(), os.environ), TagName.parse({str(world.tag)!r})
settings = Settings(archive_url="none", ecr_repo={registry_repo!r}, image_code={CODE!r})
made = ensure_image(repo, {snapshot!r}, tag, remote_url="", settings=settings, environ=os.environ, say=print)
print(made.image.ref)
"""
    without_engine(world)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=world.clone,
        env={**world.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert exported(world.stack, done.stdout.split()[-1], "/opt/src") == listed(world, snapshot.tree)


def test_stale_bytecode_does_not_run(world: ImageWorld, registry_repo: str) -> None:
    """A module compiled in the environment and then edited, same size and same second, runs as edited."""
    base = world.stack.base_image
    text = f"FROM {base}\nCOPY . /opt/src\nRUN python3 -m compileall -q /opt/src\n"
    world.write({"Dockerfile": text, "m.py": "print(1)\n", "unique": str(world.tag)})
    world.ensure(world.snapshot(), laid(registry_repo))
    world.write({"m.py": "print(2)\n"})
    made = world.ensure(world.snapshot("two"), laid(registry_repo))
    ran = world.stack.run(
        "docker", "run", "--rm", made.image.ref, "python3", "-c", "import sys; sys.path[:0]=['/opt/src']; import m"
    )
    assert ran.stdout == "2\n"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("COPY . /other", "copies . to /other, which image.code does not say"),
        ("COPY . /opt/src\nRUN pip install /opt/src", "also stands in site-packages"),
        ("COPY . /opt/src\nRUN rm /opt/src/unique", "/opt/src/unique is not in the environment image"),
        ("COPY . /opt/src\nRUN chmod 700 /opt", "/opt is no plain folder"),
    ],
)
def test_what_does_not_fit_is_built_whole_and_the_reason_said(
    world: ImageWorld, registry_repo: str, lines: str, why: str
) -> None:
    """A Dockerfile that does more with the code than the mapping says goes to the engine."""
    pip = "RUN mkdir -p /bin && printf '#!/bin/sh\\n' > /bin/pip && chmod +x /bin/pip\n"
    snapshot = world.simple(Dockerfile=f"FROM {world.stack.tiny_image}\n{pip}{lines}\n")
    made = world.ensure(snapshot, laid(registry_repo))
    assert (made.pushed, made.environment) == (True, "")
    assert [line for line in world.story if line.startswith("the engine builds the whole") and why in line]


def test_changed_environment_file_is_another_environment(world: ImageWorld, registry_repo: str) -> None:
    """Requirements are the environment's; a file that the Dockerfile copies elsewhere too is as well."""
    text = f"FROM {world.stack.tiny_image}\nCOPY tool /bin/tool\nCOPY . /opt/src\n"
    world.write({"tool": "1", "requirements.txt": "a", "Dockerfile": text, "unique": str(world.tag)})
    seen = {world.ensure(world.snapshot(), laid(registry_repo)).environment}
    for count, (name, content) in enumerate({"requirements.txt": "b", "tool": "2", "code": "c"}.items(), 2):
        world.write({name: content})
        seen.add(world.ensure(world.snapshot(f"n{count}"), laid(registry_repo)).environment)
    assert len(seen) == 3


def test_large_change_is_a_new_environment(world: ImageWorld, registry_repo: str) -> None:
    """A change of more than a quarter of the tree and a megabyte is not sent again and again."""
    world.write({"big": b"1" * 3_000_000})
    first = world.ensure(world.simple(), laid(registry_repo))
    world.write({"big": b"2" * 3_000_000})
    second = world.ensure(world.snapshot("two"), laid(registry_repo))
    world.write({"small": "3"})
    third = world.ensure(world.snapshot("three"), laid(registry_repo))
    assert first.environment != second.environment == third.environment
    assert (second.built, third.built) == (True, False)


def test_in_a_large_tree_eight_megabytes_are_a_new_environment(world: ImageWorld, registry_repo: str) -> None:
    """A quarter of it would be more: to the last byte of the bound the change is sent, with one more it is built in."""
    world.write({"rest": bytes(40 << 20), "big": b"1" * (8 << 20)})
    first = world.ensure(world.simple(), laid(registry_repo))
    world.write({"big": b"2" * (8 << 20)})
    second = world.ensure(world.snapshot("two"), laid(registry_repo))
    assert (second.built, second.environment) == (False, first.environment)
    world.write({"small": "3"})
    third = world.ensure(world.snapshot("three"), laid(registry_repo))
    assert (third.built, third.environment == first.environment) == (True, False)
    assert [line for line in world.story if line.endswith("has grown to 8.4 MB: a new environment")]


def test_labels_and_history_tell_what_it_is(world: ImageWorld, registry_repo: str) -> None:
    """The tag's labels, the environment's digest, the commit's time; nothing of the machine."""
    world.remote_url = "https://example.org/exp.git"
    first = world.ensure(world.simple(), laid(registry_repo))
    told = json.loads(
        world.stack.run("skopeo", "inspect", "--tls-verify=false", "--config", f"docker://{first.image.ref}").stdout
    )
    labels = told["config"]["Labels"]
    assert labels["io.git-rvexp.environment"] == first.environment.partition("@")[2]
    assert (labels["io.git-rvexp.tag"], told["created"]) == (str(world.tag), "2027-01-15T08:00:00Z")
    assert told["history"][-1]["comment"] == "rvexp-layer/1"
    assert not {"container", "container_config", "docker_version"} & set(told)
