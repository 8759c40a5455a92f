"""Git LFS: pointers in the tree, content where the snapshot goes, and nothing raw."""

import hashlib
import shutil
import uuid
from pathlib import Path

import pytest

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git import lfs
from git_rvexp.git.lfs import Pointer
from tests.conftest import Clone
from tests.unit.shapes import Shape, Site, prove

CONTENT = b"weights\0" * 2_000_000  # 16 MB: over the limit for files
OID = hashlib.sha256(CONTENT).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(CONTENT)}\n"


def _tracked(site: Site) -> None:
    site.clone.git("lfs", "install", "--local")
    site.clone.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")


def _weights(site: Site) -> None:
    _tracked(site)
    (site.clone.path / "weights.bin").write_bytes(CONTENT)


def _pointer_only(site: Site) -> None:
    site.clone.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    site.clone.write("weights.bin", POINTER)


def _not_installed(site: Site) -> None:
    site.clone.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    site.clone.write("weights.bin", "raw\n")


def _committed_config(site: Site) -> None:
    _weights(site)
    site.clone.git("init", "-q", "--bare", str(site.beside / "public.git"))
    site.clone.write(".lfsconfig", f"[lfs]\n\turl = file://{site.beside / 'public.git'}\n")


def _weights_in_a_submodule(site: Site) -> None:
    _weights(Site(site.submodule(), site.beside))


def _not_installed_in_a_submodule(site: Site) -> None:
    _not_installed(Site(site.submodule(), site.beside))


def _as_committed_in_a_submodule(site: Site) -> None:
    inner = site.submodule()
    inner.write("raw.bin", "raw\n")
    (inner.path / "link.bin").symlink_to("raw.bin")
    inner.write("gone.bin", "raw\n")
    inner.commit()
    _pointer_only(Site(inner, site.beside))
    (inner.path / "gone.bin").unlink()


EMBED = ("--submodules=embed",)
SHAPES = (
    Shape(
        "a large file through Git LFS",
        "captured as its pointer; its content is sent",
        _weights,
        {"weights.bin": POINTER},
    ),
    Shape(
        "Git LFS pointers without their content",
        "captured; named, since nobody can send it from here",
        _pointer_only,
        {"weights.bin": POINTER},
        ("weights.bin", "git lfs fetch"),
    ),
    Shape(
        "a large file through Git LFS in a submodule, with `--submodules=embed`",
        "captured as its pointer; its content is sent",
        _weights_in_a_submodule,
        {"lib/weights.bin": POINTER},
        args=EMBED,
    ),
    Shape(
        "Git LFS attributes in a submodule without Git LFS set up there, with `--submodules=embed`",
        "refused",
        _not_installed_in_a_submodule,
        says=("weights.bin", "git lfs install"),
        args=EMBED,
    ),
    Shape(
        "the same where its files are as committed, or pointers, with `--submodules=embed`",
        "captured as they are",
        _as_committed_in_a_submodule,
        {"lib/weights.bin": POINTER, "lib/raw.bin": "raw\n", "lib/link.bin": "raw.bin", "lib/gone.bin": None},
        args=EMBED,
    ),
    Shape(
        "Git LFS attributes without Git LFS set up", "refused", _not_installed, says=("weights.bin", "git lfs install")
    ),
    Shape(
        "a committed `.lfsconfig` that names another server",
        "captured; nothing is sent there",
        _committed_config,
        {"weights.bin": POINTER},
    ),
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s.title)
def test_a_shape_of_large_files(shape: Shape, clone: Clone, tmp_path: Path) -> None:
    """What docs/snapshots.md says of it is what happens."""
    prove(shape, Site(clone, tmp_path))


def stored(bare: Path) -> bytes | None:
    """The content as a bare repository keeps it."""
    place = bare / "lfs" / "objects" / OID[:2] / OID[2:4] / OID
    return place.read_bytes() if place.exists() else None


def test_content_goes_where_the_snapshot_goes_and_nowhere_else(clone: Clone, tmp_path: Path) -> None:
    """The experiments remote gets it; the server that a committed .lfsconfig names does not."""
    experiments = tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(experiments))
    clone.git("config", "rvexp.experimentsRemote", str(experiments))
    _committed_config(Site(clone, tmp_path))
    done = clone.rvexp("snapshot", "demo")
    assert done.returncode == 0, done.stderr
    assert stored(experiments) == CONTENT
    assert stored(tmp_path / "public.git") is None


def test_content_that_could_not_be_sent_is_sent_later(clone: Clone, tmp_path: Path) -> None:
    """The tag waits for its content: it is pushed by sync, after it."""
    experiments = tmp_path / "experiments.git"
    clone.git("config", "rvexp.experimentsRemote", str(experiments))
    _weights(Site(clone, tmp_path))
    assert clone.rvexp("snapshot", "demo").returncode == 8
    clone.git("init", "-q", "--bare", str(experiments))
    assert clone.rvexp("sync").returncode == 0
    assert stored(experiments) == CONTENT


@pytest.mark.parametrize("storage", ["", "elsewhere", "/"])
def test_content_is_where_git_lfs_keeps_it(clone: Clone, tmp_path: Path, storage: str) -> None:
    """The setting `lfs.storage` names a folder, from the git directory where it is relative."""
    experiments = tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(experiments))
    clone.git("config", "rvexp.experimentsRemote", str(experiments))
    if storage:
        clone.git("config", "lfs.storage", storage.replace("/", str(tmp_path / "shared")))
    _weights(Site(clone, tmp_path))
    done = clone.rvexp("snapshot", "demo")
    assert (done.returncode, "lacks" in done.stderr) == (0, False), done.stderr
    assert stored(experiments) == CONTENT


@pytest.mark.parametrize("deep", [False, True])
def test_content_of_an_embedded_submodule_goes_along(clone: Clone, tmp_path: Path, deep: bool) -> None:  # noqa: FBT001  parametrised
    """Its own git directory keeps it, and may be gone when an image is built."""
    experiments = tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(experiments))
    clone.git("config", "rvexp.experimentsRemote", str(experiments))
    site = Site(clone, tmp_path)
    inner = site.submodule()
    if deep:
        inner = Site(inner, tmp_path).submodule("deep")
    _weights(Site(inner, tmp_path))
    done = clone.rvexp("snapshot", "demo", *EMBED)
    assert (done.returncode, "lacks" in done.stderr) == (0, False), done.stderr
    assert stored(experiments) == stored(clone.path / ".git") == CONTENT
    fetched = Clone(tmp_path / "colleague")
    clone.git("clone", "-q", "--no-checkout", str(experiments), str(fetched.path))
    fetched.git("lfs", "install", "--local")
    fetched.git("checkout", "-q", done.stdout.strip())
    folder = fetched.path / "lib" / ("deep" if deep else "")
    assert (folder / "weights.bin").read_bytes() == CONTENT


def test_the_command_that_is_named_fetches_what_a_colleague_lacks(clone: Clone, tmp_path: Path) -> None:
    """From the experiments remote: the clone's own has nothing that was never committed."""
    experiments = tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(experiments))
    clone.git("config", "rvexp.experimentsRemote", str(experiments))
    colleague = Clone(tmp_path / "colleague")
    clone.git("clone", "-q", str(clone.path), str(colleague.path))
    colleague.git("config", "rvexp.experimentsRemote", str(experiments))
    _weights(Site(clone, tmp_path))
    assert clone.rvexp("snapshot", "demo").returncode == 0
    assert colleague.rvexp("sync").returncode == 0
    store, pointer = colleague.path / ".git" / "lfs", Pointer(OID, len(CONTENT))
    with pytest.raises(RvexpError) as lacking:
        lfs.require(store, pointer, "weights.bin")
    colleague.git(*str(lacking.value.hint).split()[1:])
    lfs.require(store, pointer, "weights.bin")


def test_content_goes_to_another_file_system(tmp_path: Path) -> None:
    """It is copied there; what was begun and is not whole has another name."""
    pointer, here, there = Pointer(OID, len(CONTENT)), Path("/dev/shm") / f"rvexp-{uuid.uuid4().hex}", tmp_path
    place = lfs.place(there, pointer)
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    try:
        for _ in range(2):
            lfs.bring([pointer, Pointer("0" * 64, 1)], there, here)
        assert {p.name: p.read_bytes() for p in here.rglob("*") if p.is_file()} == {OID: CONTENT}
    finally:
        shutil.rmtree(here, ignore_errors=True)


def test_a_tag_that_submit_sends_has_its_content_before_it(clone: Clone, tmp_path: Path) -> None:
    """As one that snapshot or sync sends: once the tag is there, neither looks for content that is not."""
    experiments = tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(experiments))
    clone.git("config", "rvexp.experimentsRemote", str(experiments))
    _weights(Site(clone, tmp_path))
    tag = clone.rvexp("snapshot", "--no-push", "demo").stdout.strip()
    assert stored(experiments) is None
    done = clone.rvexp("publish", "demo", env={"DOCKER_HOST": f"unix://{tmp_path}/nothing.sock"})
    assert "no Docker engine answers" in done.stderr, done.stderr
    assert tag in clone.git("ls-remote", "experiments")
    assert stored(experiments) == CONTENT


def test_a_dry_run_tells_what_goes_through_git_lfs(clone: Clone, tmp_path: Path) -> None:
    """With the size of the content."""
    _weights(Site(clone, tmp_path))
    assert "new       weights.bin  16 MB through Git LFS" in clone.rvexp("snapshot", "-n", "demo").stdout


def test_damaged_content_is_no_content(tmp_path: Path) -> None:
    """What is read is held against the pointer; what is missing is said with the path."""
    pointer = Pointer.parse(POINTER.encode())
    assert pointer == Pointer(OID, len(CONTENT))
    place = lfs.place(tmp_path, pointer)
    with pytest.raises(RvexpError, match=r"weights\.bin is not in this clone"):
        lfs.require(tmp_path, pointer, "weights.bin")
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert b"".join(lfs.chunks(tmp_path, pointer)) == CONTENT
    place.write_bytes(b"x" * len(CONTENT))
    with pytest.raises(GitError, match="damaged"):
        list(lfs.chunks(tmp_path, pointer))


@pytest.mark.parametrize(
    "text", ["", "version https://git-lfs.github.com/spec/v1\n", POINTER + "more\n", POINTER.replace("size", "size -")]
)
def test_what_is_no_pointer(text: str) -> None:
    """Only the whole form counts."""
    assert Pointer.parse(text.encode()) is None
