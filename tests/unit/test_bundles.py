"""Bundles: a snapshot with its history out of a clone and into another, and everything that a stranger's may try."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.errors import RvexpError
from git_rvexp.git import bundles
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import snapshots
from git_rvexp.terms import Snapshot
from tests.conftest import Clone

TAG = "al/roads/2026-11-22/first"


def opened(clone: Clone) -> Repo:
    """The clone, opened."""
    return Repo.discover(clone.path, os.environ)


@pytest.fixture
def taken(clone: Clone) -> Snapshot:
    """A snapshot in the clone."""
    assert clone.rvexp("snapshot", "first", "--date", "2026-11-22").returncode == 0
    (snapshot,) = snapshots(opened(clone))
    return snapshot


@pytest.fixture
def other(new_clone: Callable[[str], Clone]) -> Clone:
    """A clone that shares no history with the first."""
    return new_clone("other")


def refs(clone: Clone) -> str:
    """Every ref of a clone."""
    return clone.git("for-each-ref", "--format=%(refname) %(objectname)")


def test_a_snapshot_travels_with_its_history(clone: Clone, taken: Snapshot, other: Clone, tmp_path: Path) -> None:
    """Only its tag is made; everything it needs came along, and plain git reads the file too."""
    path, before = tmp_path / "a.bundle", refs(other)
    bundles.write(opened(clone), taken, path)
    bundles.adopt(opened(other), path, TAG, taken.oid)
    assert refs(other) == f"{before}\nrefs/tags/{TAG} {taken.oid}"
    assert other.git("rev-list", "--count", TAG) == clone.git("rev-list", "--count", TAG) == "2"
    other.git("fsck", "--full", "--strict")
    other.git("clone", "-q", "--bare", str(path), str(tmp_path / "plain"))


def hostile_bundle(clone: Clone, path: Path, *refspecs: str) -> Path:
    """A bundle of these refs, by plain git."""
    clone.git("bundle", "create", "-q", str(path), *refspecs)
    return path


def renamed(clone: Clone, taken: Snapshot, path: Path) -> Path:
    """A bundle that gives the tag object a branch's name."""
    clone.git("update-ref", "refs/heads/main-too", taken.commit)
    data = hostile_bundle(clone, path, f"refs/tags/{TAG}").read_bytes()
    path.write_bytes(data.replace(f"refs/tags/{TAG}".encode(), b"refs/heads/main", 1))
    return path


def relabelled(clone: Clone, taken: Snapshot, path: Path) -> Path:
    """A bundle whose tag object is another snapshot's: its own name says so."""
    body = clone.git("cat-file", "tag", taken.oid).replace(TAG, "ev/roads/2026-11-22/other")
    (clone.path / "body").write_text(body + "\n")
    oid = clone.git("hash-object", "-t", "tag", "-w", "body")
    clone.git("update-ref", f"refs/tags/{TAG}", oid)
    return hostile_bundle(clone, path, f"refs/tags/{TAG}")


def plain_commit(clone: Clone, taken: Snapshot, path: Path) -> Path:
    """A bundle whose tag is a bare commit."""
    clone.git("update-ref", f"refs/tags/{TAG}", taken.commit)
    return hostile_bundle(clone, path, f"refs/tags/{TAG}")


def more(clone: Clone, taken: Snapshot, path: Path) -> Path:
    """A bundle that brings a branch beside the tag."""
    return hostile_bundle(clone, path, f"refs/tags/{TAG}", "refs/heads/main")


def needy(clone: Clone, taken: Snapshot, path: Path) -> Path:
    """A bundle without the history."""
    return hostile_bundle(clone, path, f"refs/tags/{TAG}", f"^{TAG}^{{commit}}^")


@pytest.mark.parametrize("make", [renamed, relabelled, plain_commit, more, needy])
def test_a_bundle_that_holds_something_else_writes_nothing(
    clone: Clone, taken: Snapshot, other: Clone, tmp_path: Path, make: Callable[[Clone, Snapshot, Path], Path]
) -> None:
    """Whatever it is called from outside; no ref of the clone comes, goes or moves."""
    path = make(clone, taken, tmp_path / "hostile.bundle")
    claimed = clone.git("rev-parse", f"refs/tags/{TAG}")
    before = refs(other)
    with pytest.raises(RvexpError, match="bundle"):
        bundles.adopt(opened(other), path, TAG, claimed)
    assert refs(other) == before


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8, 0.99])
def test_a_damaged_bundle_writes_nothing(
    clone: Clone, taken: Snapshot, other: Clone, tmp_path: Path, place: float
) -> None:
    """One flipped bit anywhere, or a file that was cut."""
    path, before = tmp_path / "a.bundle", refs(other)
    bundles.write(opened(clone), taken, path)
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    for damaged in (bytes(data), bytes(data[: int(len(data) * place)])):
        path.write_bytes(damaged)
        with pytest.raises(RvexpError):
            bundles.adopt(opened(other), path, TAG, taken.oid)
    assert refs(other) == before


def test_a_bundle_that_lacks_a_file_writes_nothing(clone: Clone, taken: Snapshot, other: Clone, tmp_path: Path) -> None:
    """A pack can be sound and yet not hold all that the tag names."""
    objects = clone.git("rev-list", "--objects", "--no-object-names", TAG).splitlines()
    blob = clone.git("rev-parse", f"{TAG}:train.py")
    (clone.path / "list").write_text("".join(f"{o}\n" for o in [*objects, taken.oid] if o != blob))
    with (clone.path / "list").open("rb") as listed:
        subprocess.run(["git", "pack-objects", "-q", str(tmp_path / "thin")], cwd=clone.path, stdin=listed, check=True)
    (made,) = tmp_path.glob("thin-*.pack")
    path = tmp_path / "a.bundle"
    path.write_bytes(f"# v2 git bundle\n{taken.oid} refs/tags/{TAG}\n\n".encode() + made.read_bytes())
    before = refs(other)
    with pytest.raises(RvexpError, match="damaged"):
        bundles.adopt(opened(other), path, TAG, taken.oid)
    assert refs(other) == before


def test_a_name_that_is_taken_stays(clone: Clone, taken: Snapshot, other: Clone, tmp_path: Path) -> None:
    """A tag of the same name in the other clone is not replaced."""
    path = tmp_path / "a.bundle"
    bundles.write(opened(clone), taken, path)
    other.write("train.py", "print('other')\n")  # within one second the same content would be the same tag
    other.rvexp("snapshot", "first", "--date", "2026-11-22", "--project", "roads")
    before = refs(other)
    with pytest.raises(RvexpError):
        bundles.adopt(opened(other), path, TAG, taken.oid)
    assert refs(other) == before


def test_a_shallow_clone_makes_none(clone: Clone, taken: Snapshot, tmp_path: Path) -> None:
    """Its bundle would lack history and nobody would notice before it is needed."""
    clone.git("clone", "-q", "--depth=1", "--branch", TAG, f"file://{clone.path}", str(tmp_path / "shallow"))
    shallow = Clone(tmp_path / "shallow")
    with pytest.raises(RvexpError, match="shallow"):
        bundles.write(opened(shallow), taken, tmp_path / "a.bundle")
