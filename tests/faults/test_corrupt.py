"""Objects of the record that are damaged or gone: told, and never taken for an empty record that is written over."""

import os
import zlib
from pathlib import Path

import pytest

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.ledger import Ledger
from tests.faults.killing import run
from tests.faults.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A snapshot with its record, shared."""
    made = World.make(tmp_path / "world")
    assert made.clone.rvexp("snapshot", "demo").returncode == 0
    return made


def note(world: World) -> Path:
    """The file of the note's blob in the clone."""
    blob = world.clone.git("notes", "--ref=rvexp", "list", world.snapshot(world.clone).oid)
    return world.clone.path / ".git" / "objects" / blob[:2] / blob[2:]


def test_a_note_that_is_gone_is_not_an_empty_one(world: World) -> None:
    """The tree names a note whose blob is missing: reading and writing stop, and nothing is written over it."""
    before = world.clone.git("rev-parse", "refs/notes/rvexp")
    note(world).unlink()
    ledger = Ledger(Repo.discover(world.clone.path, os.environ))
    oid = world.snapshot(world.clone).oid
    with pytest.raises(GitError, match="is missing"):
        ledger.append(oid, ledger.event("test", {}))
    with pytest.raises(GitError, match="is missing"):
        ledger.records([oid, *(f"{n:040x}" for n in range(200))])
    done = run(world.clone.path, {}, "sync")
    assert (done.returncode, "git fsck" in done.stderr) == (128, True), done.stderr
    assert world.clone.git("rev-parse", "refs/notes/rvexp") == before


def test_a_note_that_was_altered_is_not_read(world: World) -> None:
    """A flipped bit in the blob is noticed by its hash."""
    path = note(world)
    body = bytearray(zlib.decompress(path.read_bytes()))
    body[-3] ^= 1
    path.chmod(0o644)
    path.write_bytes(zlib.compress(bytes(body)))
    ledger = Ledger(Repo.discover(world.clone.path, os.environ))
    oid = world.snapshot(world.clone).oid
    with pytest.raises(GitError):
        ledger.append(oid, ledger.event("test", {}))


def test_the_note_comes_back_from_the_remote(world: World) -> None:
    """The hint's own command puts it right, and all goes on."""
    note(world).unlink()
    told = run(world.clone.path, {}, "sync").stderr
    command = told.rpartition("then fetch the object again: git ")[2].split()
    world.clone.git(*command)
    assert run(world.clone.path, {}, "sync").returncode == 0
    world.sound(world.clone)
