"""The git that is asked again and again: what others write is seen, and an answer is never taken for another one's."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo
from tests.conftest import Clone


def gits(folder: Path) -> list[int]:
    """The processes of ours that read objects in `folder`."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            here = words[1:3] == [b"cat-file", b"--batch"] and (place / "cwd").resolve() == folder.resolve()
        except OSError:
            continue
        found += [int(place.name)] if here else []
    return found


def test_one_process_sees_what_others_write(clone: Clone) -> None:
    """A ref that moves, loose and packed, and objects that come in a new pack."""
    repo = Repo.discover(clone.path, os.environ)
    for number in range(6):
        commit = clone.git("commit-tree", "-m", f"{number}", "HEAD^{tree}")
        clone.git("update-ref", "refs/notes/rvexp", commit)
        if number:
            clone.git("pack-refs", "--all")
            clone.git("gc", "--quiet", "--prune=now")
        (there,) = repo.reader.read(["refs/notes/rvexp^{commit}"]).values()
        assert there is not None
        assert (there.oid, there.kind) == (commit, "commit")
        assert there.content.endswith(b"\n\n%d\n" % number)
        assert len(gits(clone.path)) == 1
    clone.git("update-ref", "-d", "refs/notes/rvexp")
    assert repo.reader.read(["refs/notes/rvexp^{commit}"]) == {"refs/notes/rvexp^{commit}": None}


def test_a_git_that_was_ended_is_replaced(clone: Clone) -> None:
    """As by Ctrl-C, which reaches it too."""
    repo = Repo.discover(clone.path, os.environ)
    first = repo.reader.read(["HEAD"])
    (git,) = gits(clone.path)
    os.kill(git, signal.SIGINT)
    assert repo.reader.read(["HEAD"]) == first
    assert gits(clone.path) != [git]


def test_an_answer_that_broke_off_is_not_the_next_ones(clone: Clone) -> None:
    """An error in the midst of the answers leaves nothing behind that the next question would get."""
    repo = Repo.discover(clone.path, os.environ)
    whole = repo.reader.read(["HEAD", "HEAD^{tree}"])

    def interrupted(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupted)
    (git,) = gits(clone.path)
    try:
        os.kill(git, signal.SIGSTOP)  # so that the signal comes while we wait for it
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            repo.reader.read(["HEAD^{tree}"])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert repo.reader.read(["HEAD", "HEAD^{tree}"]) == whole


def test_any_number_of_names_may_be_asked(clone: Clone) -> None:
    """More than a pipe holds."""
    repo = Repo.discover(clone.path, os.environ)
    names = [f"refs/heads/{number:060}" for number in range(3000)]
    found = repo.reader.read([*names, "HEAD"])
    assert [name for name, there in found.items() if there] == ["HEAD"]
    assert len(found) == 3001


def test_what_git_says_when_it_cannot_read_is_told(clone: Clone) -> None:
    """And it is not asked for ever."""
    repo = Repo.discover(clone.path, os.environ)
    (clone.path / ".git").rename(clone.path / "gone")
    with pytest.raises(GitError, match=r"(?s)could not be read.*not a git repository"):
        repo.reader.read(["HEAD"])


def test_the_process_ends_with_the_repository(clone: Clone) -> None:
    """Nothing is left running by what is not held any more."""
    repo = Repo.discover(clone.path, os.environ)
    repo.reader.read(["HEAD"])
    assert len(gits(clone.path)) == 1
    del repo
    assert gits(clone.path) == []


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_pack_is_written_as_it_was_named(tmp_path: Path, object_format: str) -> None:
    """Git gives the same names as we do; a tree that names what is not there is not written."""
    from git_rvexp.git.packing import Pack  # noqa: PLC0415  beside what it is about

    subprocess.run(["git", "init", "-q", f"--object-format={object_format}", tmp_path], check=True)
    repo = Repo.discover(tmp_path, os.environ)
    pack = Pack(repo)
    contents = [b"", b"x", b"y" * 15, b"z" * 16, os.urandom(3000), b"long\n" * 100_000]
    names = [pack.add("blob", content) for content in [*contents, b"x"]]
    tree = pack.add("tree", b"100644 file\0" + bytes.fromhex(names[1]))
    pack.store()
    assert [repo.git("cat-file", "blob", name).out for name in names] == [*contents, b"x"]
    assert repo.git("fsck", "--strict").code == 0
    assert repo.git("ls-tree", tree).text == f"100644 blob {names[1]}\tfile"
    lost = pack.add("tree", b"100644 gone\0" + b"\1" * (len(tree) // 2))
    with pytest.raises(GitError):
        pack.store()
    assert repo.resolve(lost) == [""]
