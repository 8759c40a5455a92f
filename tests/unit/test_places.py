"""Blobs that go up in one request: where a registry takes that, where it does not, and where it says so in vain."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from git_rvexp.errors import RvexpError
from git_rvexp.images import places, upload
from git_rvexp.images.blob import Blob
from git_rvexp.images.kept import Kept
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from git_rvexp.names import Digest
from tests.unit.serving import Reply, Serving
from tests.unit.test_upload import MANIFEST, OCI, Shelf, published

CONFIG = Blob.of(b"config")
LAYER = Blob.of(b"layer" * 20_000)  # more than is sent to see whether it is taken
ONE, TWO = ["POST blobs/uploads/"], ["POST blobs/uploads/", "PUT blobs/uploads/1"]
MONTH = 31 * 86400


@pytest.fixture
def shelf() -> Shelf:
    """A registry that keeps the blob that comes with the question."""
    return Shelf(whole=Shelf.keep)


@pytest.fixture
def registry(shelf: Shelf, tmp_path: Path) -> Iterator[Registry]:
    """Its repository, seen from a clone that does not know it yet."""
    with Serving(shelf.answer) as server:
        yield Registry(Repository.parse(f"127.0.0.1:{server.port}/lab/exp"), kept=Kept(tmp_path / "kept"))


def sent(shelf: Shelf, registry: Registry, blob: Blob) -> list[str]:
    """What was asked for one blob, which is there afterwards."""
    shelf.asked.clear()
    upload.blob(registry, blob)
    assert shelf.blobs[str(blob.digest)] == b"".join(blob.open())
    return shelf.asked


def always(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Callable[..., Reply]:
    """The same answer to every blob that comes with the question, which is not kept."""
    reply = Reply(status, body, headers or {})

    def answer(*_: object) -> Reply:
        return reply

    return answer


def test_registry_that_takes_it_is_asked_once(shelf: Shelf, registry: Registry) -> None:
    """Found out with the config; from then on the layer goes so too, and no place is asked for ahead."""
    assert places.wanted(registry) == 1
    assert sent(shelf, registry, LAYER) == TWO
    assert sent(shelf, registry, CONFIG) == ONE
    assert places.wanted(registry) == 0
    assert sent(shelf, registry, LAYER) == ONE
    assert len(sent(shelf, registry, Blob.of(bytes((1 << 20) + 1)))) == 3, "looked for, POST and PUT"


def test_registry_that_gives_a_place_gets_it_there(shelf: Shelf, registry: Registry) -> None:
    """As many requests as ever; afterwards no body is sent in vain, and both places are asked for ahead."""
    shelf.whole = None
    with Serving(shelf.answer) as server:
        other = Registry(Repository.parse(f"127.0.0.1:{server.port}/lab/exp"), kept=registry.kept)
        assert sent(shelf, other, CONFIG) == TWO
        assert places.wanted(other) == 2
        assert sent(shelf, other, CONFIG) == TWO
        assert [asked.body for asked in server.asked] == [b"config", b"config", b"", b"config"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 411, 413, 415, 501])
def test_registry_that_refuses_it_is_asked_the_plain_way(shelf: Shelf, registry: Registry, status: int) -> None:
    """At once, and the next time to begin with."""
    shelf.whole = always(status)
    assert sent(shelf, registry, CONFIG) == [*ONE, *TWO]
    assert sent(shelf, registry, CONFIG) == TWO


@pytest.mark.parametrize("status", [429, 500, 503])
def test_registry_in_trouble_is_asked_the_plain_way_after_a_pause(
    shelf: Shelf, registry: Registry, status: int
) -> None:
    """What may pass counts as an attempt; before the next one it is looked for what arrived."""
    shelf.whole = always(status)
    assert sent(shelf, registry, CONFIG) == [*ONE, f"HEAD blobs/{CONFIG.digest}", *TWO]


def test_registry_that_damages_it_is_asked_the_plain_way(shelf: Shelf, registry: Registry) -> None:
    """It says that the bytes are not what their name says."""
    shelf.whole = always(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
    assert sent(shelf, registry, CONFIG) == [*ONE, *TWO]


def test_registry_that_stores_something_else_is_told(shelf: Shelf, registry: Registry) -> None:
    """201, and another digest than the one that was sent."""
    shelf.whole = always(201, headers={"Docker-Content-Digest": f"sha256:{'0' * 64}"})
    with pytest.raises(RvexpError, match="stored sha256:000"):
        upload.blob(registry, CONFIG)
    assert places.wanted(registry) == 2


def test_registry_that_lost_what_it_took_gets_it_the_plain_way(shelf: Shelf, registry: Registry) -> None:
    """201 for what it never kept: the manifest finds it out, and the next attempt is made in two requests."""
    shelf.whole = always(201)
    upload.blob(registry, CONFIG)
    assert shelf.blobs == {}
    assert places.wanted(registry) == 0
    shelf.lacks = True
    with pytest.raises(upload.MissingBlobError):
        upload.manifest(registry, "one", MANIFEST, OCI)
    assert sent(shelf, registry, CONFIG) == TWO


def test_what_was_found_out_is_forgotten_after_a_month(shelf: Shelf, registry: Registry, tmp_path: Path) -> None:
    """The registry may be a newer one by then."""
    shelf.whole = None
    sent(shelf, registry, CONFIG)
    (note,) = (tmp_path / "kept").glob("note-*")
    os.utime(note, (note.stat().st_mtime - MONTH,) * 2)
    shelf.whole = Shelf.keep
    assert sent(shelf, registry, CONFIG) == ONE


@pytest.mark.parametrize("step", ["begin", "manifest"])
def test_login_that_runs_out_is_renewed_for_a_blob_in_one_request(step: str, tmp_path: Path) -> None:
    """The blob goes out again, whole, with the new token."""
    shelf = Shelf(token="t", expires=step, whole=Shelf.keep)
    published(shelf, b"config", kept=Kept(tmp_path))
    assert shelf.asked == [*ONE, "PUT manifests/one"]
    assert (shelf.blobs, shelf.token != "t") == ({str(Digest.of(b"config")): b"config"}, True)


def test_ecr_is_never_sent_a_blob_with_the_question(tmp_path: Path) -> None:
    """Whatever was noted of it: its documents say nothing of that."""
    repository = Repository.parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com/lab/exp")
    registry = Registry(repository, kept=Kept(tmp_path))
    assert registry.kept
    registry.kept.note(f"{repository.host} takes a blob in one request", answer=True)
    assert (places.wanted(registry), places.fits(registry, CONFIG)) == (2, False)
    elsewhere = Registry(Repository.parse("registry.example.org/lab/exp"), kept=Kept(tmp_path))
    assert (places.wanted(elsewhere), places.fits(elsewhere, CONFIG)) == (1, True)
