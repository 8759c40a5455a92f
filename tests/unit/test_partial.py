"""A partial clone's gaps filled from elsewhere: what is asked of whom, and trees made from an archive alone."""

import gzip
import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.errors import GitError
from git_rvexp.git.catfile import CatFile
from git_rvexp.git.objects import Objects
from git_rvexp.git.partial import Lent, Partial, lacking
from git_rvexp.git.plumbing import Repo
from git_rvexp.images import archive
from git_rvexp.images.spool import Spool
from git_rvexp.images.unpacking import Different
from git_rvexp.tree import EXECUTABLE, FILE, GITLINK, SYMLINK, Entry, blob_id, trees
from tests.unit.test_objects import ENV

Git = Callable[..., str]
Change = Callable[[dict[str, tuple[int, bytes]]], object]
FILES = {
    "a.txt": (FILE, b"text\n"),
    "a/b": (FILE, b"sorted after a.txt, as a/ is\n"),
    "a0": (FILE, b""),
    "bin/run": (EXECUTABLE, b"#!/bin/sh\n"),
    "bin/link": (SYMLINK, b"../a.txt"),
    "deep/er/still/" + "n" * 150: (FILE, bytes(70000)),
    "ünï code": (FILE, b"x"),
}
MOST = 1 << 20


def run(at: Path, *arguments: str) -> str:
    """Plain git."""
    done = subprocess.run(["git", *arguments], cwd=at, env=ENV, capture_output=True, check=True)
    return done.stdout.decode().strip()


def origin(at: Path, kind: str = "sha1", *, module: bool = False) -> str:
    """A repository with one commit of FILES, that gives out objects by name; the commit."""
    at.mkdir()
    run(at, "init", "-q", f"--object-format={kind}", ".")
    for name, (mode, content) in FILES.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if mode == SYMLINK:
            path.symlink_to(content.decode())
        else:
            path.write_bytes(content)
            path.chmod(mode & 0o777)
    run(at, "add", "-A")
    run(at, "commit", "-q", "-m", "x")
    if module:
        run(at, "update-index", "--add", "--cacheinfo", f"160000,{run(at, 'rev-parse', 'HEAD')},lib")
        run(at, "commit", "-q", "-m", "with a submodule")
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        run(at, "config", key, "true")
    return run(at, "rev-parse", "HEAD")


def partial(at: Path, wanted: str) -> Repo:
    """A clone of what is beside it that has no more than the filter leaves, and no way to get it."""
    run(at, "clone", "-q", "--no-checkout", f"--filter={wanted}", f"file://{at}/origin", "clone")
    run(at / "clone", "remote", "set-url", "origin", f"file://{at}/nowhere")
    return Repo.discover(at / "clone", ENV)


def packed(change: Change | None = None, *, prefix: str = "exp-1/", more: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    """A forge's archive of FILES, after `change`."""
    files = dict(FILES)
    if change:
        change(files)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, (mode, content) in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.mode = 0o775 if mode == EXECUTABLE else 0o664
            if mode == SYMLINK:
                info.type, info.linkname = tarfile.SYMTYPE, content.decode()
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        for info in more:
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    return gzip.compress(out.getvalue(), mtime=0)  # the tests' names are made of it


def special(name: str, kind: bytes, size: int = 0) -> tarfile.TarInfo:
    """A member of another kind."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_trees_are_gits_own(tmp_path: Path, kind: str) -> None:
    """Every folder's object name and content, for both hashes, whatever the order of the files."""
    commit = origin(tmp_path / "origin", kind)
    width = len(commit)
    files = {n.encode(): (m, blob_id([c], len(c), width=width)) for n, (m, c) in reversed(FILES.items())}
    made = {path: oid for path, oid, _ in trees(files, width=width)}
    assert made[b""] == run(tmp_path / "origin", "rev-parse", "HEAD^{tree}")
    told = run(tmp_path / "origin", "-c", "core.quotePath=false", "ls-tree", "-r", "-d", "HEAD").splitlines()
    assert {p.decode(): oid for p, oid in made.items() if p} == {
        line.partition("\t")[2]: line.split()[2] for line in told
    }


@pytest.mark.parametrize("prefix", ["exp-1/", "exp-al/p/2026-01-02/n/", "", "./exp/"])
@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_a_tree_is_made_from_the_archive_alone(tmp_path: Path, kind: str, prefix: str) -> None:
    """Known by its name only, below whatever prefix; each tree and file can be read from it afterwards."""
    commit = origin(tmp_path / "origin", kind)
    tree = run(tmp_path / "origin", "rev-parse", f"{commit}^{{tree}}")
    with Spool() as spool:
        archive.rebuilt([packed(prefix=prefix)], tree, spool, MOST)
        for line in run(tmp_path / "origin", "rev-list", "--objects", "--no-object-names", commit).splitlines()[1:]:
            what = run(tmp_path / "origin", "cat-file", "-t", line)
            shown = subprocess.run(
                ["git", "cat-file", what, line], cwd=tmp_path / "origin", env=ENV, capture_output=True, check=True
            ).stdout
            held = (spool.kind(line), spool.size(line), b"".join(spool.chunks(line)))
            assert held == (what, len(shown), shown)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (packed(lambda f: f.update({"a.txt": (FILE, b"tExt\n")})), "do not make the tree"),
        (packed(lambda f: f.pop("a0")), "do not make the tree"),
        (packed(lambda f: f.update({"more": (FILE, b"")})), "do not make the tree"),
        (packed(lambda f: f.update({"bin/run": (FILE, b"#!/bin/sh\n")})), "do not make the tree"),
        (packed(lambda f: f.update({"a0/x": (FILE, b"")})), "a0 as a file and as a folder"),
        (packed(more=(special("exp-1/lib", tarfile.DIRTYPE),)), None),
        (packed(lambda f: f.pop("a0"), more=(special("exp-1/lib", tarfile.DIRTYPE),)), "exp-1/lib in it is empty: a"),
        (packed(more=(special("beside", tarfile.REGTYPE),)), "do not make the tree"),
        (packed(more=(special("exp-1/tty", tarfile.CHRTYPE),)), "tty is neither a file nor a link"),
        (packed(more=(special("exp-1/hard", tarfile.LNKTYPE),)), "hard is neither a file nor a link"),
        (packed(more=(special("exp-1/../../x", tarfile.REGTYPE),)), "unsafe path"),
        (packed(more=(special("/x", tarfile.DIRTYPE),)), "unsafe path"),
        (packed(more=(special("x/" * 2500, tarfile.REGTYPE),)), "a path of 4999 bytes"),
        (packed(more=(special("exp-1/bomb", tarfile.REGTYPE, 2 << 20),)), "unpacks to more than"),
        (packed(more=(special("x", tarfile.XHDTYPE, 3 << 19),)), "endless header"),
        (packed(more=(special("x", tarfile.GNUTYPE_LONGNAME, 3 << 19),)), "endless header"),
        (packed()[:-400], "cannot be unpacked"),
        (gzip.compress(b"", mtime=0), "do not make the tree|cannot be unpacked"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, data: bytes, why: str | None) -> None:
    """Another byte, a file less or more, another mode, and everything hostile; an empty folder is no difference."""
    commit = origin(tmp_path / "origin")
    tree = run(tmp_path / "origin", "rev-parse", f"{commit}^{{tree}}")
    with Spool() as spool:
        if why is None:
            archive.rebuilt([data], tree, spool, MOST)
            return
        with pytest.raises(Different, match=why):
            archive.rebuilt([data], tree, spool, 4 << 20 if "endless" in why else MOST)


def test_endless_folders_are_refused(tmp_path: Path) -> None:
    """Few bytes of names can stand for very many folders: they are counted before any is made."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number in range(300):
            tar.addfile(special(f"{number}/" + "a/" * 1900 + "f", tarfile.REGTYPE))
    with Spool() as spool, pytest.raises(Different, match="too many folders"):
        archive.rebuilt([out.getvalue()], "1" * 40, spool, 64 << 20)
    assert list(tmp_path.iterdir()) == []


def test_what_a_partial_clone_lacks_is_found_without_fetching(tmp_path: Path) -> None:
    """All files with blob:none, the top's tree with tree:0, nothing of a commit that is not here."""
    commit = origin(tmp_path / "origin")
    tree = run(tmp_path / "origin", "rev-parse", f"{commit}^{{tree}}")
    files = {blob_id([c], len(c)) for _, c in FILES.values()}
    repo = partial(tmp_path, "blob:none")
    assert lacking(repo, commit) == files
    assert lacking(repo, "1" * 40) == frozenset()
    (tmp_path / "clone").rename(tmp_path / "first")
    assert lacking(partial(tmp_path, "tree:0"), commit) == {tree}
    assert lacking(Repo.discover(tmp_path / "origin", ENV), commit) == frozenset()


def lent(asked: list[frozenset[str]], *contents: bytes) -> Callable[[frozenset[str]], Lent]:
    """Somebody who has these files, and writes down what he was asked for."""

    def give(missing: frozenset[str]) -> Spool:
        asked.append(missing)
        spool = Spool()
        for content in contents:
            spool.add(blob_id([content], len(content)), [content])
        return spool

    return give


def test_gaps_are_filled_once_and_only_when_they_are_met(tmp_path: Path) -> None:
    """Names and trees ask nobody; the first missing file asks once for all; what is not lent is still git's matter."""
    commit = origin(tmp_path / "origin")
    repo, asked = partial(tmp_path, "blob:none"), list[frozenset[str]]()
    whole = Partial(repo, CatFile(repo.common_dir, repo.env))
    given = [content for name, (_, content) in FILES.items() if name != "a.txt"]
    whole.take(commit, lent(asked, *given))
    objects = Objects(repo.common_dir, read=whole)
    names = {e.shown: e for e in objects.names(run(tmp_path / "clone", "rev-parse", "HEAD^{tree}"))}
    assert asked == []
    assert objects.blob(names["bin/run"]) == b"#!/bin/sh\n"
    assert objects.size(names["ünï code"]) == 1
    large = next(e for e in names.values() if e.path.startswith(b"deep"))
    assert b"".join(objects.pieces(Entry(large.path, large.mode, large.oid, 5 << 20))) == bytes(70000)
    assert len(asked) == 1
    with pytest.raises(GitError):
        objects.blob(names["a.txt"])
    assert len(asked) == 1


def test_a_folder_that_is_closed_is_listed_itself(tmp_path: Path) -> None:
    """Nothing below a tree that is missing is asked for; a missing top is one entry."""
    commit = origin(tmp_path / "origin", module=True)
    at = tmp_path / "origin"
    top, deep = (run(at, "rev-parse", f"{commit}{what}") for what in ("^{tree}", ":deep/er"))
    objects = Objects(at / ".git")
    modes = {e.shown: oct(e.mode) for e in objects.names(top, closed={deep})}
    assert (modes["deep/er"], modes["lib"]) == ("0o40000", oct(GITLINK))
    assert [e.path for e in objects.names(top, closed={top})] == [b""]
