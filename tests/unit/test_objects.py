"""Raw objects: what git wrote is what is read, whatever the repository's configuration says."""

import fcntl
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.errors import GitError
from git_rvexp.git.catfile import CatFile
from git_rvexp.git.objects import Objects
from git_rvexp.git.plumbing import environment
from git_rvexp.tree import Entry, below, blob_id

ENV = {
    "PATH": "/usr/bin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "HOME": "/nonexistent",
    **{f"GIT_{r}_{k}": v for r in ("AUTHOR", "COMMITTER") for k, v in (("NAME", "Ada"), ("EMAIL", "a@example.org"))},
    "GIT_AUTHOR_DATE": "1700000000 +0100",
    "GIT_COMMITTER_DATE": "1700000000 +0100",
}
Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Plain git in a new repository at tmp_path."""

    def run(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=tmp_path, env=ENV, capture_output=True, check=True)
        return done.stdout.decode().strip()

    run("init", "-q", ".")
    return run


def committed(git: Git) -> str:
    """Commit everything; the tree's id."""
    git("add", "-A")
    git("commit", "-q", "-m", "x")
    return git("rev-parse", "HEAD^{tree}")


def test_tree_is_listed_whole_and_sorted(git: Git, tmp_path: Path) -> None:
    """Paths as bytes, modes, ids and sizes as `git ls-tree -r` tells them; submodules too."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.sh").write_bytes(b"#!\n")
    (tmp_path / "b" / "x.sh").chmod(0o755)
    (tmp_path / "b.txt").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("b.txt")
    (tmp_path / os.fsdecode(b"\xff")).write_bytes(b"")
    committed(git)
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD')},sub")
    tree = git("write-tree")
    told = [line.split() for line in git("ls-tree", "-r", "-l", tree).replace('"\\377"', "\udcff").splitlines()]
    expected = sorted(
        Entry(path.encode("utf-8", "surrogateescape"), int(mode, 8), oid, 0 if size == "-" else int(size))
        for mode, _, oid, size, path in told
    )
    entries = Objects(tmp_path / ".git").tree(tree)
    assert entries == expected
    assert [e.path for e in entries] == [b"b.txt", b"b/x.sh", b"link", b"sub", b"\xff"]


def test_bytes_are_the_blobs(git: Git, tmp_path: Path) -> None:
    """Neither filters, nor line ends, nor replace refs change what is read; nothing is run."""
    (tmp_path / "a").write_bytes(b"one\ntwo\n")
    tree = committed(git)
    git("config", "core.autocrlf", "true")
    git("config", "filter.evil.smudge", f"touch {tmp_path}/ran")
    (tmp_path / ".gitattributes").write_text("a filter=evil text eol=crlf\n")
    (tmp_path / "other").write_bytes(b"replaced\n")
    git("replace", git("rev-parse", f"{tree}:a"), git("hash-object", "-w", "other"))
    objects = Objects(tmp_path / ".git")
    assert [objects.blob(e) for e in objects.tree(tree)] == [b"one\ntwo\n"]
    assert not (tmp_path / "ran").exists()


def test_damaged_object_never_passes(git: Git, tmp_path: Path) -> None:
    """A loose object with other content than its name says is an error."""
    (tmp_path / "a").write_bytes(b"one\n")
    tree = committed(git)
    (entry,) = Objects(tmp_path / ".git").tree(tree)
    (tmp_path / "b").write_bytes(b"two\n")
    other = git("hash-object", "-w", "b")
    folder = tmp_path / ".git" / "objects"
    target = folder / entry.oid[:2] / entry.oid[2:]
    target.chmod(0o644)
    target.write_bytes((folder / other[:2] / other[2:]).read_bytes())
    with pytest.raises(GitError, match=f"the object {entry.oid} cannot be read: .*mismatch"):
        Objects(tmp_path / ".git").blob(entry)


def test_pack_that_lies_never_passes(git: Git, tmp_path: Path) -> None:
    """An object that a pack's index files under another's name is an error."""
    (tmp_path / "a").write_bytes(b"one\n")
    tree = committed(git)
    (entry,) = Objects(tmp_path / ".git").tree(tree)
    (tmp_path / "b").write_bytes(b"two\n")
    listed = git("hash-object", "-w", "b").encode() + b"\n"
    folder = tmp_path / ".git" / "objects"
    subprocess.run(
        ["git", "pack-objects", "-q", str(folder / "pack" / "pack")], cwd=tmp_path, env=ENV, input=listed, check=True
    )
    (index,) = (folder / "pack").glob("*.idx")
    # version 2: 8 bytes of head, 256 counts of names up to each first byte, then the only name
    counts = b"".join((int(first >= int(entry.oid[:2], 16))).to_bytes(4, "big") for first in range(256))
    data = index.read_bytes()
    index.chmod(0o644)
    index.write_bytes(data[:8] + counts + bytes.fromhex(entry.oid) + data[8 + 1024 + 20 :])
    (folder / entry.oid[:2] / entry.oid[2:]).unlink()
    with pytest.raises(GitError, match=f"the object {entry.oid} cannot be read: .*mismatch"):
        Objects(tmp_path / ".git").blob(entry)


def test_missing_object_is_named(git: Git, tmp_path: Path) -> None:
    """An object that is not there, as in a partial clone, is an error with its name."""
    (tmp_path / "a").write_bytes(b"one\n")
    tree = committed(git)
    (entry,) = Objects(tmp_path / ".git").tree(tree)
    (tmp_path / ".git" / "objects" / entry.oid[:2] / entry.oid[2:]).unlink()
    with pytest.raises(GitError, match=f"the object {entry.oid} is not in"):
        Objects(tmp_path / ".git").tree(tree)


def test_commit_time_is_utc_seconds(git: Git, tmp_path: Path) -> None:
    """The committer's time, whatever its zone."""
    (tmp_path / "a").write_bytes(b"")
    committed(git)
    assert Objects(tmp_path / ".git").commit_time(git("rev-parse", "HEAD")) == 1700000000


@pytest.fixture
def dated(git: Git, tmp_path: Path) -> Callable[[int], str]:
    """Make a commit of this time, in seconds since 1970, whether git would or not; its name."""

    def make(seconds: int) -> str:
        body = git("cat-file", "commit", git("commit-tree", "-m", "x", git("write-tree"))) + "\n"
        (tmp_path / "forged").write_text(re.sub(r"(?m)^(committer .*) \d+ ", rf"\1 {seconds} ", body))
        return git("hash-object", "-t", "commit", "-w", "--literally", str(tmp_path / "forged"))

    return make


@pytest.mark.parametrize("seconds", [-(10**12), -1, 8**11, 10**12])
def test_a_commit_of_a_time_that_no_file_can_bear(seconds: int, dated: Callable[[int], str], tmp_path: Path) -> None:
    """Whoever may push a commit may date it as they like, in the year 33658 too."""
    oid = dated(seconds)
    with pytest.raises(GitError, match=f"{oid} is dated {seconds} seconds after 1970"):
        Objects(tmp_path / ".git").commit_time(oid)


@pytest.mark.parametrize("seconds", [0, 8**11 - 1])
def test_the_first_and_the_last_commit_time(seconds: int, dated: Callable[[int], str], tmp_path: Path) -> None:
    """What the eleven octal digits of a tar can say."""
    assert Objects(tmp_path / ".git").commit_time(dated(seconds)) == seconds


def test_unreadable_repository_is_a_clear_error(tmp_path: Path) -> None:
    """What is no repository is named, with git's own words."""
    with pytest.raises(GitError, match=r"cannot be read: (?s:.*)not a git repository"):
        Objects(tmp_path).tree("0" * 40)


def test_a_repository_with_longer_names(tmp_path: Path, git: Git) -> None:
    """SHA-256 names are read, and held against the bytes, as SHA-1 names are."""
    shutil.rmtree(tmp_path / ".git")
    git("init", "-q", "--object-format=sha256", ".")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"one\n")
    tree = committed(git)
    objects = Objects(tmp_path / ".git")
    (entry,) = objects.tree(tree)
    assert (entry.path, entry.size, objects.blob(entry)) == (b"a/b", 4, b"one\n")
    assert entry.oid == blob_id([b"one\n"], 4, width=64)
    assert objects.commit_time(git("rev-parse", "HEAD")) == 1700000000


def test_large_files_come_in_pieces_and_damaged_ones_never_whole(git: Git, tmp_path: Path) -> None:
    """Whoever takes as much as the size says meets the error before the end; reading on afterwards works."""
    (tmp_path / "a").write_bytes(os.urandom(9 << 20))
    (tmp_path / "b").write_bytes(b"two\n")
    tree = committed(git)
    objects = Objects(tmp_path / ".git")
    large, small = objects.tree(tree)
    pieces = list(objects.pieces(large))
    assert len(pieces) > 10
    assert b"".join(pieces) == (tmp_path / "a").read_bytes()
    begun = objects.pieces(large)
    next(begun)
    assert objects.blob(small) == b"two\n"
    (tmp_path / "c").write_bytes(os.urandom(9 << 20))
    other = git("hash-object", "-w", "c")
    folder = tmp_path / ".git" / "objects"
    target = folder / large.oid[:2] / large.oid[2:]
    target.chmod(0o644)
    target.write_bytes((folder / other[:2] / other[2:]).read_bytes())
    got: list[bytes] = []
    with pytest.raises(GitError, match=f"the object {large.oid} cannot be read: .*mismatch"):
        got.extend(objects.pieces(large))
    assert sum(map(len, got)) < large.size


def test_many_questions_at_once_are_all_answered(git: Git, tmp_path: Path) -> None:
    """More names than the pipes between us and git hold."""
    for number in range(3000):
        folder = tmp_path / f"d{number % 300}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number:0>60}").write_bytes(b"%d" % number)
    entries = Objects(tmp_path / ".git").tree(committed(git))
    assert sorted(e.size for e in entries) == sorted(len(str(n)) for n in range(3000))


def test_small_pipes_make_nobody_wait(git: Git, tmp_path: Path) -> None:
    """Questions and answers of many objects pass where a pipe holds one page, as a user with very many of them has."""
    (tmp_path / "f").write_bytes(b"x" * 3000)
    oid = git("hash-object", "-w", "f").strip()
    reading = CatFile(tmp_path / ".git", environment(os.environ))
    assert len(list(reading.contents([oid]))) == 1
    (running,) = reading._gits.values()
    for pipe in (running.stdin, running.stdout):
        assert pipe
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    answers: list[bytes] = []
    asking = threading.Thread(
        target=lambda: answers.extend(found.content for found in reading.contents([oid] * 1000)), daemon=True
    )
    asking.start()
    asking.join(60)
    waiting = asking.is_alive()
    running.kill()  # before anything else, or the test would wait too
    assert (waiting, len(answers)) == (False, 1000)


def test_old_modes_read_as_git_reads_them(git: Git, tmp_path: Path) -> None:
    """Early versions of git stored group write permission."""
    (tmp_path / "a").write_bytes(b"")
    oid = git("hash-object", "-w", "a")
    raw = b"".join(head + b"\0" + bytes.fromhex(oid) for head in (b"100664 a", b"100775 b"))
    words = ["git", "hash-object", "-w", "-t", "tree", "--literally", "--stdin"]
    done = subprocess.run(words, cwd=tmp_path, env=ENV, input=raw, capture_output=True, check=True)
    entries = Objects(tmp_path / ".git").names(done.stdout.decode().strip())
    assert [e.mode for e in entries] == [0o100644, 0o100755]


def test_a_tree_that_is_none_is_an_error(git: Git, tmp_path: Path) -> None:
    """Bytes that cannot be parsed, and an object of another kind."""
    words = ["git", "hash-object", "-w", "-t", "tree", "--literally", "--stdin"]
    done = subprocess.run(words, cwd=tmp_path, env=ENV, input=b"100644 a", capture_output=True, check=True)
    objects = Objects(tmp_path / ".git")
    with pytest.raises(GitError, match=r"the tree .* cannot be read"):
        objects.names(done.stdout.decode().strip())
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(GitError, match="is not a tree"):
        objects.names(git("hash-object", "-w", "a"))


def test_linked_worktree_shares_its_objects(git: Git, tmp_path: Path) -> None:
    """The common git directory gives the objects of every linked worktree."""
    (tmp_path / "a").write_bytes(b"one\n")
    committed(git)
    git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    tree = git("-C", str(tmp_path / "linked"), "rev-parse", "HEAD^{tree}")
    assert len(Objects(tmp_path / ".git").tree(tree)) == 1


def test_blob_id_is_gits(git: Git, tmp_path: Path) -> None:
    """Both hash functions agree with git hash-object, however the bytes are cut."""
    (tmp_path / "a").write_bytes(b"some bytes")
    assert blob_id([b"some ", b"bytes"], 10) == git("hash-object", "a")
    subprocess.run(["git", "init", "-q", "--object-format=sha256", "n"], cwd=tmp_path, env=ENV, check=True)
    assert blob_id([b"some bytes"], 10, width=64) == git("-C", "n", "hash-object", "../a")


@pytest.mark.parametrize("folder", ["a/b", "./a/b/", "a//b"])
def test_below_is_relative(folder: str) -> None:
    """Entries of a folder, and only those, with shortened paths."""
    entries = [Entry(p, 0o100644, "0" * 40) for p in (b"a/b/c", b"a/bc", b"a/b/d/e", b"x")]
    assert [e.path for e in below(entries, folder)] == [b"c", b"d/e"]
    assert list(below(entries, ".")) == entries
