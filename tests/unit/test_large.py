"""Large blobs: the same bytes as git has, held against their names, and never in memory as a whole."""

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_rvexp.errors import GitError
from git_rvexp.git import largeblobs
from git_rvexp.git.objects import Objects
from git_rvexp.tree import FILE, Entry

ROOT = str(Path(__file__).parents[2])
MEGABYTE = 1 << 20
LARGE = 9 * MEGABYTE
LOOSE = 120 * MEGABYTE
SMALL = 100_000
MOST = 110  # MB of memory, for this process and for each that it starts; less than any part of the trees below
MEASURED = """
import json, re, resource, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from git_rvexp.git.objects import Objects
from git_rvexp.images import layer
from git_rvexp.images.delta import plan
objects = Objects(Path(sys.argv[2]))
delta = plan(objects, None, sys.argv[3], {".": "/opt/src"}, lambda _: False)
made = layer.make(objects, delta, time=5, owner=(0, 0))
sent = sum(map(len, made.open()))
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"sent": sent, "size": made.size, "peak": [peak // 1000, started // 1000]}))
"""


def content(size: int) -> Iterator[bytes]:
    """Bytes that no compressor makes smaller, a megabyte at a time, each other than the one before."""
    noise = os.urandom(MEGABYTE)
    for number in range(-(-size // MEGABYTE)):
        yield (number.to_bytes(8, "big") + noise[8:])[: size - number * MEGABYTE]


def stored(folder: Path, size: int, *, small: int = 0) -> str:
    """A packed tree with one file of `size` bytes and `small` others, by git fast-import; its object name."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    git = ("git", "-C", str(folder))
    subprocess.run(["git", "init", "-q", str(folder)], env=env, check=True)
    wanted = ("-c", "core.compression=0", "-c", "core.bigFileThreshold=1m", "-c", "fastimport.unpackLimit=0")
    with subprocess.Popen([*git, *wanted, "fast-import", "--quiet"], env=env, stdin=subprocess.PIPE) as running:
        assert running.stdin
        running.stdin.write(b"commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 0\n")
        running.stdin.write(b"M 100644 inline large\ndata %d\n" % size)
        for piece in content(size):
            running.stdin.write(piece)
        for number in range(small):
            running.stdin.write(b"\nM 100644 inline d/%d\ndata %d\n" % (number, SMALL))
            running.stdin.write(os.urandom(SMALL))
        running.stdin.write(b"\n")
    assert not running.returncode
    told = subprocess.run([*git, "rev-parse", "main^{tree}"], env=env, capture_output=True, check=True)
    return told.stdout.decode().strip()


def layered(folder: Path, tree: str) -> int:
    """Have the tree made a layer; its bytes. No process that takes part holds more than the bound."""
    words = [sys.executable, "-c", MEASURED, ROOT, str(folder / ".git"), tree]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["sent"] == told["size"]
    assert max(told["peak"]) <= MOST, told
    return int(told["size"])


@pytest.mark.parametrize("loose", [True, False])
def test_large_blob_is_read_whole(tmp_path: Path, *, loose: bool) -> None:
    """Piece by piece, as git gives it, from a pack and from a file of its own; and it may be read again."""
    tree = stored(tmp_path, LARGE + 12345)
    if loose:
        (pack,) = (tmp_path / ".git" / "objects" / "pack").glob("*.pack")
        away = pack.rename(tmp_path / "pack")
        pack.with_suffix(".idx").unlink()
        subprocess.run(["git", "unpack-objects", "-q"], cwd=tmp_path, input=away.read_bytes(), check=True)
    objects = Objects(tmp_path / ".git")
    (entry,) = objects.tree(tree)
    theirs = subprocess.run(["git", "cat-file", "blob", entry.oid], cwd=tmp_path, capture_output=True, check=True)
    pieces = list(objects.pieces(entry))
    assert entry.size == LARGE + 12345
    assert max(map(len, pieces)) <= LARGE // 8
    assert b"".join(pieces) == theirs.stdout == b"".join(objects.pieces(entry))


def test_replaced_large_blob_is_not_what_is_read(tmp_path: Path) -> None:
    """What stands in its place for other commands of git does not count."""
    tree = stored(tmp_path, LARGE)
    objects = Objects(tmp_path / ".git")
    (entry,) = objects.tree(tree)
    before = b"".join(objects.pieces(entry))
    (tmp_path / "other").write_bytes(b"replaced\n" * LARGE)
    made = subprocess.run(["git", "hash-object", "-w", "other"], cwd=tmp_path, capture_output=True, check=True)
    subprocess.run(["git", "replace", entry.oid, made.stdout.decode().strip()], cwd=tmp_path, check=True)
    assert b"".join(objects.pieces(entry)) == before


@pytest.mark.parametrize("how", ["another", "cut"])
def test_damaged_large_blob_never_passes(tmp_path: Path, how: str) -> None:
    """A loose object that is another, or shorter, than its name says ends in an error, and not in its last bytes."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    names = []
    for fill in (b"a", b"b"):
        (tmp_path / "file").write_bytes(fill * LARGE)
        told = subprocess.run(["git", "hash-object", "-w", "file"], cwd=tmp_path, capture_output=True, check=True)
        names.append(told.stdout.decode().strip())
    own, other = (tmp_path / ".git" / "objects" / name[:2] / name[2:] for name in names)
    own.chmod(0o644)
    own.write_bytes(other.read_bytes() if how == "another" else own.read_bytes()[:-2000])
    had: list[bytes] = []
    with pytest.raises(GitError, match=f"the object {names[0]} cannot be read"):
        had.extend(Objects(tmp_path / ".git").pieces(Entry(b"file", FILE, names[0], LARGE)))
    assert sum(map(len, had)) < LARGE


@pytest.mark.parametrize("content", [b"", b"not zlib", zlib.compress(b"no head"), zlib.compress(b"blob 9\0a")[:-7]])
def test_loose_object_of_another_form_is_an_error(tmp_path: Path, content: bytes) -> None:
    """Whatever stands in the file's place, all that comes of it is the error that names the object."""
    name = "ab" * 20
    place = tmp_path / "objects" / name[:2] / name[2:]
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    with pytest.raises(GitError, match=f"the object {name} cannot be read"):
        list(largeblobs.pieces(tmp_path, {}, name, LARGE))


def test_empty_loose_object_does_not_hide_the_packed_one(tmp_path: Path) -> None:
    """As a machine that lost its power leaves it: git takes the pack's, and so do we."""
    tree = stored(tmp_path, LARGE)
    objects = Objects(tmp_path / ".git")
    (entry,) = objects.tree(tree)
    place = tmp_path / ".git" / "objects" / entry.oid[:2] / entry.oid[2:]
    place.parent.mkdir(exist_ok=True)
    place.touch()
    assert sum(map(len, objects.pieces(entry))) == LARGE


def test_large_loose_object_is_not_held_in_memory(tmp_path: Path) -> None:
    """A file that is an object of its own, as git has what was just added: no process maps all of it."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with (tmp_path / "file").open("wb") as file:
        file.writelines(content(LOOSE))
    own = ["git", "-c", "core.compression=0", "-c", "core.bigFileThreshold=1g"]
    subprocess.run([*own, "add", "file"], cwd=tmp_path, check=True)
    told = subprocess.run(["git", "write-tree"], cwd=tmp_path, capture_output=True, check=True)
    assert not list((tmp_path / ".git" / "objects" / "pack").iterdir())
    assert layered(tmp_path, told.stdout.decode().strip()) > LOOSE


SIZES = [120, *(pytest.param(size, marks=pytest.mark.long) for size in (150, 200, 3000))]
"""Megabytes; with the last one a tree of five gigabytes is made."""


@pytest.mark.parametrize("megabytes", SIZES)
def test_memory_does_not_grow_with_the_tree(tmp_path: Path, megabytes: int) -> None:
    """One file of this size and others of as much together are one layer: no process holds more than the bound."""
    small = min(megabytes * MEGABYTE // SMALL, 20_000)
    tree = stored(tmp_path, megabytes * MEGABYTE, small=small)
    assert layered(tmp_path, tree) > megabytes * MEGABYTE + small * SMALL
