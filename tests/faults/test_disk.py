"""A full disk, and a git directory that cannot be written: a clear word, nothing half done, and it goes on later."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.ledger import Ledger
from tests.faults.killing import run
from tests.faults.world import World

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")


def mount(*words: str) -> None:
    """Mount something, or fail with what mount said."""
    subprocess.run(["mount", *words], check=True, capture_output=True)


def mounted(place: Path, options: str) -> Iterator[Path]:
    """A file system in memory at `place`, until the test has ended."""
    place.mkdir()
    mount("-t", "tmpfs", "-o", options, "tmpfs", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three mebibytes."""
    yield from mounted(tmp_path / "disk", "size=3m")


def fill(disk: Path, left: int) -> Path:
    """Fill the disk but for `left` blocks; the file that does it."""
    assert os.path.ismount(disk)
    ballast, stat = disk / "ballast", os.statvfs(disk)
    ballast.write_bytes(bytes((stat.f_bavail - left) * stat.f_bsize))
    return ballast


def told(done: subprocess.CompletedProcess[str]) -> None:
    """It failed, said why, and is no bug."""
    assert done.returncode not in (0, 70), done.stderr
    assert "No space left on device" in done.stderr or "Out of diskspace" in done.stderr  # both are git's words
    assert "Traceback" not in done.stderr


@pytest.fixture
def world(tmp_path: Path, disk: Path) -> World:
    """A clone whose git directory is on the small disk, with a snapshot and its record; the remotes are elsewhere."""
    made = World.make(tmp_path / "world")
    shutil.move(made.clone.path / ".git", disk / "git")
    (made.clone.path / ".git").symlink_to(disk / "git")
    made.clone.write("train.py", "print('changed')\n")
    assert made.clone.rvexp("snapshot", "first").returncode == 0
    return made


def whole(world: World, tags: int) -> None:
    """After there is room again one sync makes the record whole, here and in a fresh clone."""
    assert run(world.clone.path, {}, "sync").returncode == 0
    fresh = world.fresh("fresh")
    assert run(fresh.path, {}, "sync").returncode == 0
    repo = Repo.discover(fresh.path, os.environ)
    oids = fresh.git("for-each-ref", "--format=%(objectname)", "refs/tags").splitlines()
    assert len(oids) == tags
    assert [len(r.of("snapshot")) for r in Ledger(repo).records(oids).values()] == [1] * tags
    world.sound(world.clone, fresh)


def test_a_snapshot_on_a_full_disk(world: World, disk: Path) -> None:
    """With ever more room it fails at ever later steps, until it fits; what was there stays, and a later one works."""
    failures = 0
    for left in range(0, 60, 3):
        world.clone.write("train.py", f"print({left})\n")
        ballast = fill(disk, left)
        done = run(world.clone.path, {}, "snapshot", f"try-{left}")
        ballast.unlink()
        if done.returncode == 0:
            break
        told(done)
        failures += 1
        world.sound(world.clone)
    assert failures >= 2
    tags = len(world.clone.git("tag").splitlines())
    whole(world, tags)


@pytest.fixture
def apart(tmp_path: Path, disk: Path) -> World:
    """A clone whose objects are on the small disk, by a link, and everything else is elsewhere."""
    made = World.make(tmp_path / "world")
    shutil.move(made.clone.path / ".git" / "objects", disk / "objects")
    (made.clone.path / ".git" / "objects").symlink_to(disk / "objects")
    return made


def partials(disk: Path) -> list[Path]:
    """Files that were not copied to their end."""
    return list((disk / "objects").rglob("tmp_*"))


def test_a_snapshot_into_objects_on_another_disk(apart: World, disk: Path) -> None:
    """Loose objects and packs (git makes one of a large file) get there, whole and as git leaves them."""
    apart.clone.git("config", "core.bigFileThreshold", "64k")
    (apart.clone.path / "weights").write_bytes(os.urandom(100_000))
    apart.clone.write("train.py", "print('changed')\n")
    done = apart.clone.rvexp("snapshot", "first")
    assert done.returncode == 0, done.stderr
    assert apart.clone.git("show", f"{done.stdout.strip()}:train.py") == "print('changed')"
    assert list((disk / "objects" / "pack").glob("*.pack"))
    assert apart.clone.git("fsck", "--strict", "--no-dangling") == ""
    assert {path.stat().st_mode & 0o777 for path in (disk / "objects").rglob("*") if path.is_file()} == {0o444}
    assert partials(disk) == []


def test_a_snapshot_into_objects_on_a_full_disk(apart: World, disk: Path) -> None:
    """What does not fit is told, no part of a file is left, and with room the same snapshot succeeds."""
    (apart.clone.path / "weights").write_bytes(os.urandom(100_000))
    ballast = fill(disk, 8)
    done = apart.clone.rvexp("snapshot", "second")
    told(done)
    assert partials(disk) == []
    assert apart.clone.git("tag", "--list", "*second") == ""
    ballast.unlink()
    assert apart.clone.rvexp("snapshot", "second").returncode == 0
    assert apart.clone.git("fsck", "--strict", "--no-dangling") == ""


def test_an_append_on_a_full_disk_keeps_what_was_there(world: World, disk: Path) -> None:
    """The event is written whole or not at all."""
    repo = Repo.discover(world.clone.path, os.environ)
    ledger = Ledger(repo)
    oid = world.snapshot(world.clone).oid
    written, reasons = 0, list[str]()
    for left in range(12):
        ballast = fill(disk, left)
        try:
            ledger.append(oid, ledger.event("test", {"n": left}))
            written += 1
        except GitError as why:
            reasons.append(str(why))
        finally:
            ballast.unlink()
        record = ledger.record(oid)
        assert (len(record.of("test")), len(record.of("snapshot")), record.damaged) == (written, 1, ())
        world.sound(world.clone)
    assert 0 < written < 12
    assert [why for why in reasons if "No space left on device" not in why] == []


def test_a_sync_on_a_full_disk(world: World, disk: Path) -> None:
    """What others wrote does not fit now: told, our record stands, and the next sync has it."""
    other = world.fresh("other")
    assert run(other.path, {}, "sync").returncode == 0
    other.write("big.bin", "".join(chr(33 + n * n % 89) for n in range(30_000)))
    assert run(other.path, {}, "snapshot", "theirs").returncode == 0
    before = world.clone.git("for-each-ref")
    ballast = fill(disk, 0)
    done = run(world.clone.path, {}, "sync")
    ballast.unlink()
    told(done)
    assert world.clone.git("for-each-ref") == before
    whole(world, 2)


def test_a_full_folder_for_scratch_files(tmp_path: Path, disk: Path) -> None:
    """Neither a snapshot nor a sync needs room in TMPDIR."""
    world = World.make(tmp_path / "world")
    world.clone.write("train.py", "print('changed')\n")
    fill(disk, 0)
    for words in (("snapshot", "demo"), ("sync",)):
        done = run(world.clone.path, {"TMPDIR": str(disk)}, *words)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def sealed_git(tmp_path: Path) -> Iterator[World]:
    """A clone with a snapshot whose git directory cannot be written (root minds no modes, but minds mounts)."""
    made = World.make(tmp_path / "world")
    made.clone.write("train.py", "print('changed')\n")
    assert made.clone.rvexp("snapshot", "first").returncode == 0
    made.clone.write("train.py", "print('again')\n")
    git = str(made.clone.path / ".git")
    mount("--bind", git, git)
    mount("-o", "remount,ro,bind", git)
    yield made
    subprocess.run(["umount", "--lazy", git], check=True)


@pytest.mark.parametrize("words", [("snapshot", "second"), ("sync",)])
def test_a_git_directory_that_cannot_be_written(sealed_git: World, words: tuple[str, ...]) -> None:
    """Told in words; reading works all the same."""
    clone = sealed_git.clone
    # Somebody else has gone on, so that a sync has something to write.
    other = sealed_git.fresh("other")
    assert run(other.path, {}, "sync").returncode == 0
    other.write("more", "more")
    assert run(other.path, {}, "snapshot", "theirs").returncode == 0
    before = clone.git("for-each-ref")
    done = run(clone.path, {}, *words)
    assert done.returncode not in (0, 70), done.stderr
    assert "Read-only file system" in done.stderr
    assert clone.git("for-each-ref") == before
    assert run(clone.path, {}, "list").returncode == 0


@pytest.fixture
def sealed_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system that is for reading only."""
    yield from mounted(tmp_path / "sealed", "ro")


RESULTS = [
    ("report", "first"),
    ("export", "first", "--format", "citation"),
    ("export", "first", "--format", "ro-crate"),
    ("export", "first", "--format", "bundle"),
]


@pytest.mark.parametrize("words", RESULTS, ids=" ".join)
def test_a_result_for_a_folder_that_cannot_be_written(tmp_path: Path, sealed_folder: Path, words: list[str]) -> None:
    """The file that was asked for is named, with what the system said; it is no bug."""
    world = World.make(tmp_path / "world")
    assert world.clone.rvexp("snapshot", "first").returncode == 0
    place = sealed_folder / "x"
    done = run(world.clone.path, {}, *words, "-o", str(place))
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert f"error: {place} cannot be written: Read-only file system\nhint: -o with another place\n" in done.stderr


@pytest.mark.parametrize("words", RESULTS[:2], ids=" ".join)
def test_a_result_for_a_full_disk_leaves_nothing(tmp_path: Path, disk: Path, words: list[str]) -> None:
    """Not the half of it either; a name that is too long is told in the same way."""
    world = World.make(tmp_path / "world")
    assert world.clone.rvexp("snapshot", "first").returncode == 0
    fill(disk, 0)
    for name, why in (("x", "No space left on device"), ("x" * 300, "File name too long")):
        done = run(world.clone.path, {}, *words, "-o", str(disk / name))
        assert (done.returncode, f"{name} cannot be written: {why}" in done.stderr) == (1, True), done.stderr
    assert [path.name for path in disk.iterdir()] == ["ballast"]


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["-h"], ["export", "first", "--format", "json"]])
def test_stdout_on_a_full_disk(world: World, words: list[str]) -> None:
    """A failure in words; a story that does not fit stops nothing."""
    command, place, nowhere = [sys.executable, "-m", "git_rvexp", *words], world.clone.path, subprocess.DEVNULL
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, cwd=place, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, "error: stdout cannot be written: No space left on device\n")
        assert subprocess.run(command, cwd=place, stdout=nowhere, stderr=full, check=False).returncode == 0
    assert not [*(world.clone.path / ".git").rglob("crash*")]
