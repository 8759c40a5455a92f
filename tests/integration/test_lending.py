"""Partial clones: what they lack of a tag comes from the forge's archive, proven, and nothing from where they came."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.settings import Settings
from git_rvexp.workflow.building.engine import Ensured
from tests.integration.imageworld import DOCKERFILE, ImageWorld, exported, listed, raw_manifest
from tests.integration.parts import Stack
from tests.integration.test_layering_cli import ROOT
from tests.unit.serving import Asked, Reply, Serving

CODE = {".": "/opt/src"}
FILTERS = ("blob:none", "tree:0")


@pytest.fixture
def world(stack: Stack, tmp_path: Path) -> Iterator[ImageWorld]:
    """A clone of this test's own, whole; its images are removed afterwards."""
    made = ImageWorld(stack, tmp_path / "whole")
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        made.git("config", key, "true")
    yield made
    made.forget()


Change = Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]


@dataclass
class Forge:
    """Serves `git archive` of any commit of a clone, each member as `change` leaves it, and counts."""

    world: ImageWorld
    change: Change = lambda info, content: (info, content)
    asked: int = 0

    def answer(self, asked: Asked) -> Reply:
        """The archive of the commit in the path."""
        self.asked += 1
        commit = asked.path.rpartition("/")[2]
        made = subprocess.run(
            ["git", "archive", "--prefix=exp-1/", commit], cwd=self.world.clone, capture_output=True, check=True
        )
        out = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(made.stdout)) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
            for member in old:
                content = old.extractfile(member) if member.isreg() else None
                left = self.change(member, content.read() if content else b"")
                if left:
                    left[0].size = len(left[1])
                    new.addfile(left[0], io.BytesIO(left[1]))
        return Reply(body=out.getvalue())


def partial(world: ImageWorld, wanted: str, *, away: bool = True) -> ImageWorld:
    """A world of the same tag in a partial clone; with `away` where that came from is out of reach."""
    made = ImageWorld(world.stack, world.home.parent / wanted.replace(":", "-"), tag=world.tag)
    (made.clone / ".git").rename(made.home / "unused")
    url = f"file://{world.clone}"
    made.git("clone", "-q", "--no-checkout", f"--filter={wanted}", url, ".")
    if away:
        made.git("remote", "set-url", "origin", f"{url}-away")
    made.environ["DOCKER_HOST"] = f"unix://{made.home}/nothing.sock"
    return made


def missing(world: ImageWorld, commit: str) -> int:
    """How many objects of the commit the clone lacks, by git."""
    told = world.git("rev-list", "--objects", "--missing=print", "--no-walk", commit)
    return sum(line.startswith("?") for line in told.splitlines())


def laid(repo: str, url: str = "", **more: object) -> Settings:
    """Settings that opt in, with an archive at `url` or none."""
    where = f"{url}/{{commit}}" if url else "none"
    return Settings(**{"archive_url": where, "ecr_repo": repo, "image_code": CODE, **more})  # type: ignore[arg-type]


def two(world: ImageWorld, registry_repo: str) -> tuple[Ensured, Callable[[], Ensured]]:
    """An environment in the registry, and a second snapshot as the whole clone would publish it elsewhere."""
    (world.clone / "link").symlink_to("a.py")
    world.write({"a.py": "print(1)\n", "sub/gone.py": "x", "sub/deep/file": "y"}, executable=("sub/deep/file",))
    first = world.ensure(world.simple(), laid(registry_repo))
    (world.clone / "sub" / "gone.py").unlink()
    world.write({"a.py": "print(2)\n", "new/ünï code": bytes(range(256)) * 3000, "sub/deep/file": "y"})
    snapshot = world.snapshot("two")
    return first, lambda: world.ensure(snapshot, laid(registry_repo))


def unpublished(world: ImageWorld, repo: str) -> None:
    """Drop the tag's name in the registry, so that the next publish sends all of it again."""
    digest = world.stack.run(
        "skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", f"docker://{repo}:{world.tag.mapped}"
    ).stdout.strip()
    world.stack.run("skopeo", "delete", "--tls-verify=false", f"docker://{repo}@{digest}")


@pytest.mark.parametrize("wanted", FILTERS)
def test_the_same_image_and_nothing_from_where_the_clone_came(
    world: ImageWorld, registry_repo: str, wanted: str
) -> None:
    """Which is out of reach: the archive alone gives the digest that a whole clone's publish has."""
    _, publish = two(world, registry_repo)
    clone = partial(world, wanted)
    snapshot = clone.snapshot_of_tag() if wanted == "blob:none" else world.snapshot_of_tag()
    lacking = missing(clone, snapshot.commit)
    forge = Forge(world)
    with Serving(forge.answer) as server:
        made = clone.ensure(snapshot, laid(registry_repo, server.url))
    assert (made.built, made.pushed) == (False, True)
    assert [
        line for line in clone.story if line.startswith(f"partial clone: taking what is missing of {world.tag} from")
    ]
    assert missing(clone, snapshot.commit) == lacking > 0
    manifest = raw_manifest(world.stack, made.image.ref)
    assert exported(world.stack, made.image.ref, "/opt/src") == listed(world, snapshot.tree)
    unpublished(world, registry_repo)
    own = publish()
    assert (own.image, raw_manifest(world.stack, own.image.ref)) == (made.image, manifest)
    assert forge.asked == {"blob:none": 1, "tree:0": 2}[wanted]  # of trees, the environment's are needed too


def test_nothing_that_is_needed_is_missing_so_nothing_is_asked(world: ImageWorld, registry_repo: str) -> None:
    """A partial clone that holds the change itself, as the one where the snapshot was taken, reads its own objects."""
    two(world, registry_repo)
    clone = partial(world, "blob:none", away=False)
    for name in ("Dockerfile", "a.py", "new/ünï code", "sub/deep/file"):
        clone.git("cat-file", "-e", f"{world.tag}:{name}")
    clone.git("remote", "set-url", "origin", "/nowhere")
    forge = Forge(world)
    with Serving(forge.answer) as server:
        made = clone.ensure(clone.snapshot_of_tag(), laid(registry_repo, server.url))
    assert (made.pushed, forge.asked) == (True, 0)
    assert missing(clone, f"{world.tag}^{{commit}}") > 0


def one_byte(info: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    """A file's first byte is another."""
    return info, b"Print(2)\n" if info.name.endswith("a.py") else content


def one_less(info: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes] | None:
    """A file is left out."""
    return None if info.name.endswith("a.py") else (info, content)


def other_mode(info: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    """A file may be run."""
    info.mode |= 0o111 * info.name.endswith("a.py")
    return info, content


def outside(info: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    """A file that leads out."""
    info.name = "exp-1/../../a.py" if info.name.endswith("a.py") else info.name
    return info, content


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (one_byte, "a.py has other content"),
        (one_less, "a.py is not in it"),
        (other_mode, "a.py has another mode"),
        (outside, "unsafe path"),
    ],
)
def test_an_archive_that_is_another_tree_is_not_used(
    world: ImageWorld, registry_repo: str, wanted: str, change: Change, why: str
) -> None:
    """It is said, and git fetches from where the clone came; where that is out of reach nothing is published."""
    _, publish = two(world, registry_repo)
    snapshot = world.snapshot_of_tag()
    why = why if wanted == "blob:none" or change is outside else "do not make the tree"
    clone = partial(world, wanted)
    with Serving(Forge(world, change).answer) as server:
        with pytest.raises(GitError, match="cannot be read"):
            clone.ensure(snapshot, laid(registry_repo, server.url))
        clone.git("remote", "set-url", "origin", f"file://{world.clone}")
        made = clone.ensure(snapshot, laid(registry_repo, server.url))
    told = [line for line in clone.story if line.startswith("git fetches what is missing from where the clone came")]
    assert told
    assert why in told[0]
    unpublished(world, registry_repo)
    assert publish().image == made.image


def test_without_an_archive_git_fetches_as_ever(world: ImageWorld, registry_repo: str) -> None:
    """A remote that serves none, and a clone that reaches where it came from: no word, the same image."""
    _, publish = two(world, registry_repo)
    clone = partial(world, "blob:none", away=False)
    made = clone.ensure(clone.snapshot_of_tag(), laid(registry_repo))
    assert not [line for line in clone.story if "partial" in line]
    unpublished(world, registry_repo)
    assert publish().image == made.image


@pytest.mark.parametrize("wanted", FILTERS)
def test_a_submodule_counts_where_the_trees_are_here(world: ImageWorld, registry_repo: str, wanted: str) -> None:
    """Its commit stands in no archive: with the trees it is known, without them the archive proves nothing."""
    two(world, registry_repo)
    world.git("update-index", "--add", "--cacheinfo", f"160000,{world.git('rev-parse', 'HEAD')},lib")
    world.git("commit", "-qm", "with lib")
    world.git("tag", "-f", "-a", "-m", "x", str(world.tag))
    snapshot = world.snapshot_of_tag()
    clone = partial(world, wanted)
    with Serving(Forge(world).answer) as server:
        if wanted == "blob:none":
            assert clone.ensure(snapshot, laid(registry_repo, server.url)).pushed
            return
        with pytest.raises(RvexpError):
            clone.ensure(snapshot, laid(registry_repo, server.url))
    assert [line for line in clone.story if "exp-1/lib in it is empty: a submodule?" in line]


def rvexp(world: ImageWorld, *words: str) -> str:
    """The command's result."""
    done = subprocess.run(
        [sys.executable, "-m", "git_rvexp", *words],
        cwd=world.clone,
        env=world.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("wanted", FILTERS)
def test_the_whole_command_fetches_nothing_either(world: ImageWorld, registry_repo: str, wanted: str) -> None:
    """Publish, and reproduce, in a clone that has the tags; a whole clone computes the same digest from the record."""
    bare = world.home / "experiments.git"
    world.git("init", "-q", "--bare", str(bare))
    given = {"PYTHONPATH": ROOT, "RVEXP_ECR_REPO": registry_repo, "RVEXP_IMAGE_CODE": ".=/opt/src"}
    given |= {"RVEXP_PROJECT": world.tag.project, "RVEXP_INITIALS": "al", "RVEXP_EXPERIMENTS_REMOTE": str(bare)}
    world.environ |= given
    base = world.stack.tiny_image
    world.write({"Dockerfile": DOCKERFILE.format(base=base), "a.py": "1", "sub/x": "x", "unique": world.tag.project})
    world.git("add", "-A")
    world.git("commit", "-qm", "first")
    rvexp(world, "snapshot", "one")
    rvexp(world, "publish")
    world.write({"a.py": "2", "sub/y": "y"})
    rvexp(world, "snapshot", "two")
    tag = world.git("tag", "--list", "*/two")
    clone, forge = partial(world, wanted), Forge(world)
    with Serving(forge.answer) as server:
        clone.environ |= given | {"RVEXP_ARCHIVE_URL": f"{server.url}/{{commit}}"}
        lacking = missing(clone, f"{tag}^0")
        digest = rvexp(clone, "publish", tag).partition("@")[2]
        assert rvexp(clone, "build", "--reproduce", tag) == digest
    assert missing(clone, f"{tag}^0") == lacking > 0
    rvexp(world, "sync")
    assert rvexp(world, "build", "--reproduce", tag) == digest


@pytest.mark.parametrize("wanted", FILTERS)
def test_the_engine_builds_from_what_is_lent(world: ImageWorld, wanted: str) -> None:
    """One archive for all that the build reads, which is where the context came from; and nothing else is asked."""
    two_files: dict[str, str | bytes] = {"a.py": "print(1)\n", "sub/b": bytes(5 << 20)}
    snapshot = world.simple(**two_files)
    clone, forge = partial(world, wanted), Forge(world)
    clone.environ["DOCKER_HOST"] = world.environ["DOCKER_HOST"]
    with Serving(forge.answer) as server:
        made = clone.ensure(snapshot, Settings(archive_url=f"{server.url}/{{commit}}"))
        assert made.source == f"{server.url}/{snapshot.commit}"
    assert forge.asked == 1
    assert exported(world.stack, made.image.ref, "/opt/src") == listed(world, snapshot.tree)
