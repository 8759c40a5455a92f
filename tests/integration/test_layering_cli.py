"""Publish and reproduce as a user does it, and what other programs make of the image."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.imageworld import ImageWorld, exported, folders, listed, pinned
from tests.integration.parts import Stack

ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def world(stack: Stack, tmp_path: Path, registry_repo: str) -> Iterator[ImageWorld]:
    """A clone whose settings opt in, with an environment in the registry."""
    made = ImageWorld(stack, tmp_path)
    made.environ |= {"PYTHONPATH": ROOT, "RVEXP_ECR_REPO": registry_repo, "RVEXP_IMAGE_CODE": ".=/opt/src"}
    made.environ |= {"RVEXP_PROJECT": made.tag.project, "RVEXP_INITIALS": "al"}
    base = made.stack.tiny_image
    files = {"Dockerfile": f"FROM {base}\nCOPY . /opt/src\n", "a.py": "1", "gone/x": "x", "kind/x": "x", "turn": "x"}
    made.write(files | {"unique": made.tag.project})
    made.git("add", "-A")
    made.git("commit", "-qm", "first")
    rvexp(made, "snapshot", "one")
    rvexp(made, "publish")
    yield made
    made.forget()


def rvexp(world: ImageWorld, *words: str, at: Path | None = None, code: int = 0) -> str:
    """The command's stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "git_rvexp", *words],
        cwd=at or world.clone,
        env=world.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.strip()


def change(world: ImageWorld) -> None:
    """Edits of every kind."""
    for name in ("gone/x", "kind/x", "turn"):
        (world.clone / name).unlink()
    (world.clone / "kind").rmdir()
    (world.clone / "kind").symlink_to("a.py")
    world.write({"a.py": "2", "turn/file": "y", "né w": "z", "d" * 90 + "/" + "f" * 90: "long"}, executable=("a.py",))


def test_an_image_over_a_pinned_base_is_made_again(world: ImageWorld, registry_repo: str) -> None:
    """With the folders as they stand in the base, which another clone finds out for itself."""
    base = world.environ["RVEXP_IMAGE_BASE"] = pinned(world.stack, f"{registry_repo}:base", "RUN mkdir -m 700 /opt")
    change(world)
    rvexp(world, "snapshot", "two")
    ref = rvexp(world, "publish", "two")
    assert ref.partition("@")[0] == base.partition("@")[0]
    assert folders(world.stack, ref)["opt"] == (0o700, 0, 0)
    shutil.rmtree(world.clone / ".git" / "rvexp" / "registry")
    assert rvexp(world, "build", "--reproduce", "two") == ref.partition("@")[2]
    world.stack.run("docker", "rmi", "--force", f"{registry_repo}:base")


def test_publish_then_reproduce_in_another_clone(world: ImageWorld, tmp_path: Path) -> None:
    """The digest is the same from a clone at another place that has only the tag and the record; without an engine."""
    change(world)
    world.environ["DOCKER_HOST"] = f"unix://{tmp_path}/nothing.sock"
    rvexp(world, "snapshot", "two")
    ref = rvexp(world, "publish")
    assert rvexp(world, "build", "--reproduce") == ref.partition("@")[2]
    there = tmp_path / "another place"
    shutil.copytree(world.clone, there, symlinks=True)
    subprocess.run(["git", "repack", "-adq"], cwd=there, check=True)
    shutil.rmtree(there / ".git" / "rvexp" / "registry")
    tag = world.git("tag", "--list", "*/two")
    assert rvexp(world, "build", "--reproduce", tag, at=there) == ref.partition("@")[2]
    world.environ["RVEXP_IMAGE_OWNER"] = "7:7"
    rvexp(world, "build", "--reproduce", tag, at=there, code=1)


HOSTILE = {
    "core.autocrlf": "true",
    "core.eol": "crlf",
    "core.safecrlf": "true",
    "core.quotePath": "false",
    "tar.umask": "077",
    "tar.tar.gz.command": "false",
    "filter.evil.smudge": "false",
    "filter.evil.required": "true",
}
OTHER_ZLIB = """
import sys, types, zlib
class Other(types.ModuleType):
    def __getattr__(self, name):
        return getattr(zlib, name)
    def compress(self, data, *args, **more):
        return zlib.compress(data, 1)
    def compressobj(self, level=-1, method=8, wbits=15, *args, **more):
        return zlib.compressobj(1, method, wbits)
sys.modules["zlib"] = Other("zlib")
"""
NOBODY = ("--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_read_search")
# may read what others may not: the interpreter may stand in somebody's home
OTHER_USER = ("setpriv", *NOBODY, "--ambient-caps=+dac_read_search")


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that every user can reach, whatever this one's temporary folders are."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="rvexp an other place ") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_the_same_digest_whoever_makes_it(world: ImageWorld, open_place: Path) -> None:
    """Another place, time, user, umask, locale and git configuration, objects in packs, and another compressor."""
    change(world)
    world.write(
        {".gitattributes": "* text eol=crlf export-subst filter=evil\na.py export-ignore\n", "v": "$Format:%H$\r\n"}
    )
    world.git("add", "-A")
    world.git("commit", "-qm", "attributes")
    rvexp(world, "snapshot", "two")
    digest = rvexp(world, "publish").partition("@")[2]
    home = open_place
    clone, poison = home / "über all", home / "poison"
    subprocess.run(["git", "clone", "-q", "--mirror", str(world.clone), str(clone / ".git")], check=True)
    subprocess.run(["git", "-C", str(clone / ".git"), "config", "core.bare", "false"], check=True)
    subprocess.run(["git", "-C", str(clone), "repack", "-adqf", "--depth=1"], check=True)
    poison.mkdir()
    (poison / "sitecustomize.py").write_text(OTHER_ZLIB)
    for key, value in HOSTILE.items():
        subprocess.run(["git", "config", "--file", str(home / ".gitconfig"), key, value], check=True)
    (home / "attributes").write_text("* ident export-subst\n")
    subprocess.run(
        ["git", "config", "--file", str(home / ".gitconfig"), "core.attributesFile", str(home / "attributes")],
        check=True,
    )
    for path in (home, *home.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    other = {
        **world.environ,
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "PYTHONPATH": f"{poison}:{ROOT}",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C",
        "LANG": "tr_TR.UTF-8",
        "PYTHONHASHSEED": "7",
        "PYTHONUTF8": "0",
        "DOCKER_HOST": f"unix://{home}/nothing.sock",
        "SOURCE_DATE_EPOCH": "1",
        "USER": "nobody",
        "TMPDIR": "/tmp",
    }

    def run(*words: str) -> str:
        done = subprocess.run(
            [*OTHER_USER, sys.executable, *words],
            cwd=clone,
            env=other,
            umask=0o077,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    compressed = "import gzip, os; print(os.getuid(), gzip.compress(b'abcabcabd' * 999, mtime=0).hex())"
    user, other_bytes = run("-c", compressed).split()
    ours = subprocess.run(
        [sys.executable, "-c", compressed], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    assert user == "65534"
    assert other_bytes != ours
    tag = world.git("tag", "--list", "*/two")
    assert run("-m", "git_rvexp", "build", "--reproduce", tag) == digest


ISOLATED = """
{before}
import gzip, sys
sys.path.insert(0, {root!r})
print(".".join(map(str, sys.version_info[:2])), gzip.compress(b"abcabcabd" * 999, mtime=0).hex(), file=sys.stderr)
from git_rvexp.cli import main
sys.exit(main())
"""


def test_the_same_digest_from_every_python(world: ImageWorld, pythons: list[str]) -> None:
    """Each alone with its standard library, with its own compressor and with another; other code has another one."""
    change(world)
    digests = {}
    for nickname, text in (("two", "2"), ("three", "3")):
        world.write({"a.py": text}, executable=("a.py",))
        tag = rvexp(world, "snapshot", nickname)
        digests[tag] = rvexp(world, "publish").partition("@")[2]
    assert len(set(digests.values())) == 2
    made, compressed = set(), set()
    for python in pythons:
        for before in ("", OTHER_ZLIB):
            code = ISOLATED.format(before=before, root=ROOT)
            for tag, digest in digests.items():
                done = subprocess.run(
                    [python, "-I", "-S", "-c", code, "build", "--reproduce", tag],
                    cwd=world.clone,
                    env=world.environ,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert (done.returncode, done.stdout.strip()) == (0, digest), done.stderr
                version, packed = done.stderr.split()[:2]
                made.add(version)
                compressed.add((version, packed))
    assert {"3.13", "3.14"} <= made
    assert len(compressed) == 2 * len(made), "the other compressor was not used"


CONTAINERD = """
version = 2
root = "{home}/root"
state = "{home}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{home}/socket"
[ttrpc]
address = "{home}/ttrpc"
"""


@pytest.fixture
def ctr(stack: Stack) -> Iterator[Callable[..., str]]:
    """Runs containerd's own client against a containerd with nothing in it."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="rvexp-") as home, (Path(home) / "log").open("wb") as log:
        settings = Path(home) / "config.toml"
        settings.write_text(CONTAINERD.format(home=home))
        words = ("ctr", "--address", f"{home}/socket", "--namespace", "rvexp")
        with subprocess.Popen(["containerd", "--config", str(settings)], stdout=log, stderr=log) as running:
            while stack.run(*words, "version", ok=False).returncode:
                assert running.poll() is None, (Path(home) / "log").read_text()
                time.sleep(0.05)
            try:
                yield lambda *more: stack.run(*words, *more).stdout
            finally:
                running.terminate()


def standing(root: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of every file and link below a folder."""
    found = {}
    for path in root.rglob("*"):
        if path.is_symlink():
            found[str(path.relative_to(root))] = (0o120000, str(path.readlink()).encode())
        elif path.is_file():
            found[str(path.relative_to(root))] = (path.stat().st_mode, path.read_bytes())
    return found


def test_containerd_pulls_the_image(world: ImageWorld, tmp_path: Path, ctr: Callable[..., str]) -> None:
    """And unpacks what the tag holds, whiteouts and kinds that changed included."""
    change(world)
    rvexp(world, "snapshot", "two")
    ref = rvexp(world, "publish")
    tree = world.git("rev-parse", world.git("tag", "--list", "*/two") + "^{tree}")
    ctr("images", "pull", "--plain-http", "--snapshotter", "native", ref)
    assert "complete" in ctr("images", "check", "--snapshotter", "native")
    place = tmp_path / "mounted"
    place.mkdir()
    ctr("images", "mount", "--snapshotter", "native", ref, str(place))
    try:
        assert standing(place / "opt" / "src") == listed(world, tree)
    finally:
        world.stack.run("umount", str(place))


def test_other_programs_read_the_image(world: ImageWorld, tmp_path: Path) -> None:
    """Docker runs it; skopeo copies it, to OCI's form too; umoci unpacks what the tag holds."""
    change(world)
    rvexp(world, "snapshot", "two")
    ref = rvexp(world, "publish")
    tree = world.git("rev-parse", world.git("tag", "--list", "*/two") + "^{tree}")
    assert exported(world.stack, ref, "/opt/src") == listed(world, tree)
    layout = tmp_path / "layout"
    world.stack.run("skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{ref}", f"oci:{layout}:x")
    world.stack.run("umoci", "unpack", "--image", f"{layout}:x", str(tmp_path / "bundle"))
    assert standing(tmp_path / "bundle" / "rootfs" / "opt" / "src") == listed(world, tree)
    layers = json.loads((layout / "index.json").read_text())
    assert layers


def test_full_is_built_by_the_engine_and_compared_by_content(world: ImageWorld) -> None:
    """--full asks no environment; such an image is built again, and every path that differs is told."""
    text = (world.clone / "Dockerfile").read_text()
    world.write({"Dockerfile": f"{text}RUN echo fixed > /always\n"})
    rvexp(world, "snapshot", "two")
    rvexp(world, "publish", "--full")
    before = world.stack.run("docker", "images", "-q", "rvexp-rebuilt/*").stdout
    assert rvexp(world, "build", "--reproduce").startswith("sha256:")
    assert world.stack.run("docker", "images", "-q", "rvexp-rebuilt/*").stdout == before
    world.write({"Dockerfile": f"{text}RUN date +%s > /stamp; cat /proc/sys/kernel/random/uuid >> /stamp\n"})
    rvexp(world, "snapshot", "three")
    rvexp(world, "publish", "--full")
    told = subprocess.run(
        [sys.executable, "-m", "git_rvexp", "build", "--reproduce"],
        cwd=world.clone,
        env=world.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1
    assert "/stamp: other bytes" in told.stderr
    assert "/always" not in told.stderr


def test_image_of_the_engine_is_reproduced(world: ImageWorld) -> None:
    """Without a registry the id is computed again from the tag and the image below."""
    del world.environ["RVEXP_ECR_REPO"]
    change(world)
    rvexp(world, "snapshot", "two")
    rvexp(world, "build")
    world.write({"a.py": "3"})
    rvexp(world, "snapshot", "three")
    image = rvexp(world, "build")
    assert rvexp(world, "build", "--reproduce") == image
    world.environ["RVEXP_IMAGE_OWNER"] = "7:7"
    rvexp(world, "build", "--reproduce", code=1)
