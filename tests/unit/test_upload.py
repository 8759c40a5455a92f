"""Uploads to registries that lose, lie and let logins run out; answered by a small registry of the test's own."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from git_rvexp.errors import CredentialsError, RvexpError
from git_rvexp.images import upload
from git_rvexp.images.blob import Blob
from git_rvexp.images.credentials import Login
from git_rvexp.images.kept import Kept
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from git_rvexp.names import Digest
from tests.unit.serving import Asked, Reply, Serving

MANIFEST = b'{"schemaVersion":2}'
OCI = "application/vnd.oci.image.manifest.v1+json"
LARGE = b"ours" + bytes(2 << 20)  # from here on a registry is asked first whether it has it
STEPS = {"begin": ("POST", "/uploads/"), "blob": ("PUT", "/uploads/1"), "manifest": ("PUT", "/manifests/")}


@dataclass
class Shelf:
    """A registry with one repository. It keeps what it is sent, and answers as the test wants it to."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    token: str = ""
    server: Serving | None = None
    expires: str = ""
    """The step at which the token of that moment runs out."""
    renewed: bool = True
    claimed: str = ""
    """A blob that it says it has."""
    shown: bytes | None = None
    """What it gives for that."""
    whole: Callable[["Shelf", Asked], Reply] | None = None
    """How it answers a blob that comes with the question; by default as if there were none."""
    lacks: bool = False
    """Whether it finds no blob of a manifest."""

    def answer(self, asked: Asked) -> Reply:
        """What a registry says."""
        path = asked.path.partition("?")[0]
        if path == "/token":
            assert asked.headers["authorization"].startswith("Basic ")
            return Reply(body=json.dumps({"token": self.token}).encode())
        method, part = STEPS.get(self.expires, ("", ""))
        if method == asked.method and part in path:
            self.expires = self.expires if not self.renewed else ""
            self.token += "+"
        if self.token and asked.headers.get("authorization") != f"Bearer {self.token}":
            assert self.server
            challenge = f'Bearer realm="{self.server.url}/token",service="s",scope="repository:lab/exp:pull,push"'
            return Reply(401, headers={"WWW-Authenticate": challenge})
        self.asked.append(f"{asked.method} {path.removeprefix('/v2/lab/exp/')}")
        return self._taken(asked, path)

    def _taken(self, asked: Asked, path: str) -> Reply:
        name = path.rpartition("/")[2]
        if asked.method == "POST":
            offered = self.whole if "?digest=" in asked.path else None
            return offered(self, asked) if offered else Reply(202, headers={"Location": "/v2/lab/exp/blobs/uploads/1"})
        if asked.method == "PUT":
            return self._named(name, asked.body) if "/manifests/" in path else self.keep(asked)
        if name == self.claimed and name not in self.blobs:
            if asked.method == "HEAD":
                return Reply(length=len(LARGE))
            return Reply(404) if self.shown is None else Reply(body=self.shown)
        found = self.blobs.get(name) or self.manifests.get(name)
        return Reply(404) if found is None else Reply(body=found)

    def _named(self, name: str, manifest: bytes) -> Reply:
        if self.lacks:
            return Reply(404, b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}')
        self.manifests[name] = manifest
        return Reply(201)

    def keep(self, asked: Asked) -> Reply:
        """Take the blob, if it is what its name says."""
        digest = re.sub("%3A", ":", asked.path.partition("digest=")[2])
        assert digest == str(Digest.of(asked.body))
        self.blobs[digest] = asked.body
        return Reply(201, headers={"Docker-Content-Digest": digest})


def published(shelf: Shelf, *contents: bytes, kept: Kept | None = None) -> None:
    """Send blobs and then the manifest."""
    with Serving(shelf.answer) as server:
        shelf.server = server
        registry = Registry(Repository.parse(f"127.0.0.1:{server.port}/lab/exp"), Login("ada", "pw"), kept)
        upload.blobs(registry, [Blob.of(content) for content in contents])
        upload.manifest(registry, "one", MANIFEST, OCI)


@pytest.mark.parametrize("step", STEPS)
def test_login_that_runs_out_at_any_step_is_renewed(step: str) -> None:
    """What was refused goes out again, whole, with a new token; everything is there before the manifest is."""
    shelf = Shelf(token="t", expires=step)
    published(shelf, b"config", LARGE)
    assert shelf.token != "t"
    assert set(shelf.blobs.values()) == {b"config", LARGE}
    assert (shelf.manifests, shelf.asked[-1]) == ({"one": MANIFEST}, "PUT manifests/one")


@pytest.mark.parametrize("step", STEPS)
def test_login_that_cannot_be_renewed_is_told_and_nothing_is_named(step: str) -> None:
    """Each new token is refused too: the attempts end, and there is no manifest."""
    shelf = Shelf(token="t", expires=step, renewed=False)
    with pytest.raises(CredentialsError, match="refused the login"):
        published(shelf, b"config")
    assert shelf.manifests == {}


def test_registry_that_is_busy_is_left_alone_for_as_long_as_it_asks() -> None:
    """For longer than all pauses between the attempts take: without its word they would be used up before."""
    shelf, since = Shelf(), time.monotonic()

    def answer(asked: Asked) -> Reply:
        busy = time.monotonic() - since < 4
        return Reply(429, headers={"Retry-After": "4"}) if busy else shelf.answer(asked)

    with Serving(answer) as server:
        upload.blobs(Registry(Repository.parse(f"127.0.0.1:{server.port}/lab/exp")), [Blob.of(b"config")])
    assert list(shelf.blobs.values()) == [b"config"]


@pytest.mark.parametrize("which", [0, 1])
def test_error_of_any_kind_is_no_success(which: int) -> None:
    """A layer that cannot be made is not uploaded, in whichever thread that shows."""

    def broken() -> Iterator[bytes]:
        raise KeyError("lost")

    shelf, what = Shelf(), [Blob.of(b"config"), Blob.of(b"layer")]
    what[which] = what[which]._replace(open=broken)
    with Serving(shelf.answer) as server, pytest.raises(KeyError, match="lost"):
        upload.blobs(Registry(Repository.parse(f"127.0.0.1:{server.port}/lab/exp")), what)


UPLOADING = """
import sys
from git_rvexp.images import upload
from git_rvexp.images.blob import Blob
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
upload.blobs(Registry(Repository.parse(sys.argv[1])), [Blob.of(b"a"), Blob.of(b"b")])
"""


def test_interrupt_ends_the_process_while_blobs_go_up() -> None:
    """The registry takes its time over both; nobody waits for it."""
    shelf, arrived, ended = Shelf(), threading.Semaphore(0), threading.Event()

    def answer(asked: Asked) -> Reply:
        if asked.method == "PUT":
            arrived.release()
            ended.wait(120)
        return shelf.answer(asked)

    with Serving(answer) as server:
        words = [sys.executable, "-c", UPLOADING, f"127.0.0.1:{server.port}/lab/exp"]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        try:
            assert arrived.acquire(timeout=60)
            assert arrived.acquire(timeout=60)
            process.send_signal(signal.SIGINT)
            told = process.communicate(timeout=60)[1]
        finally:
            ended.set()
            process.kill()
    assert told.endswith("KeyboardInterrupt\n")


@pytest.mark.parametrize("shown", [None, b"theirs" + LARGE[6:], LARGE[:100]], ids=["nothing", "other", "cut"])
def test_blob_that_a_registry_only_claims_to_have_is_sent(shown: bytes | None) -> None:
    """It says yes, with the right size; asked for the bytes it has none, or others."""
    shelf = Shelf(claimed=str(Digest.of(LARGE)), shown=shown)
    published(shelf, LARGE)
    assert shelf.blobs == {str(Digest.of(LARGE)): LARGE}


def test_blob_that_a_registry_has_is_not_sent() -> None:
    """The twin: two small questions in place of two megabytes."""
    shelf = Shelf(blobs={str(Digest.of(LARGE)): LARGE})
    published(shelf, LARGE)
    name = f"blobs/{Digest.of(LARGE)}"
    assert shelf.asked == [f"HEAD {name}", f"GET {name}", "PUT manifests/one"]


def test_manifest_that_is_stored_as_another_is_told() -> None:
    """The registry names another digest than the one that was sent."""
    shelf = Shelf()

    def answer(asked: Asked) -> Reply:
        reply = shelf.answer(asked)
        wrong = {"Docker-Content-Digest": f"sha256:{'0' * 64}"}
        return Reply(reply.status, reply.body, wrong) if asked.method == "PUT" else reply

    with Serving(answer) as server:
        registry = Registry(Repository.parse(f"127.0.0.1:{server.port}/lab/exp"))
        with pytest.raises(RvexpError, match="stored sha256:000"):
            upload.manifest(registry, "one", MANIFEST, OCI)
