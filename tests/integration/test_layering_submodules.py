"""Submodules in a publish of only the change: left out and told, or, embedded, in the layer as other files are."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.imageworld import ImageWorld, exported, listed
from tests.integration.parts import Stack
from tests.integration.test_layering_cli import ROOT

FILES = ("-c", "protocol.file.allow=always")


@pytest.fixture
def world(stack: Stack, tmp_path: Path, registry_repo: str) -> Iterator[ImageWorld]:
    """A clone with a submodule `lib` at the first of its two commits, and its environment in the registry."""
    made = ImageWorld(stack, tmp_path / "world")
    made.environ |= {"PYTHONPATH": ROOT, "RVEXP_ECR_REPO": registry_repo, "RVEXP_IMAGE_CODE": ".=/opt/src"}
    made.environ |= {"RVEXP_PROJECT": made.tag.project, "RVEXP_INITIALS": "al"}
    library = tmp_path / "library"
    library.mkdir()
    run(made, library, "init", "-q", "-b", "main", ".")
    for content in ("first", "second"):
        (library / "inner.py").write_text(content)
        run(made, library, "add", "-A")
        run(made, library, "commit", "-qm", content)
    made.git(*FILES, "submodule", "--quiet", "add", str(library), "lib")
    run(made, made.clone / "lib", "checkout", "-q", "HEAD^")
    made.write({"Dockerfile": f"FROM {stack.tiny_image}\nCOPY . /opt/src\n", "a.py": "1", "unique": made.tag.project})
    made.git("add", "-A")
    made.git("commit", "-qm", "first")
    published(made, "one")
    made.environ["DOCKER_HOST"] = f"unix://{tmp_path}/nothing.sock"
    yield made
    made.environ["DOCKER_HOST"] = stack.docker_host
    made.forget()


def run(world: ImageWorld, at: Path, *words: str) -> str:
    """Plain git in some folder."""
    done = subprocess.run(["git", *words], cwd=at, env=world.environ, capture_output=True, check=True)
    return done.stdout.decode().strip()


def rvexp(world: ImageWorld, *words: str, at: Path | None = None) -> tuple[str, str]:
    """The command's result, and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "git_rvexp", *words],
        cwd=at or world.clone,
        env=world.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip(), done.stderr


def published(world: ImageWorld, nickname: str, *options: str) -> tuple[str, str]:
    """Take a snapshot and publish it: the image, and what was said."""
    rvexp(world, "snapshot", nickname, *options)
    return rvexp(world, "publish")


def tree(world: ImageWorld, nickname: str) -> str:
    """The tree of a snapshot."""
    return world.git("rev-parse", world.git("tag", "--list", f"*/{nickname}") + "^{tree}")


def test_a_changed_submodule_is_left_out_told_and_part_of_no_digest(world: ImageWorld, tmp_path: Path) -> None:
    """The layer holds the other files; a clone where it is not checked out makes the same image."""
    run(world, world.clone / "lib", "checkout", "-q", "main")
    world.write({"a.py": "2"})
    ref, said = published(world, "two")
    assert "not in the image: 1 changed submodule(s), lib" in said
    entries = listed_files(world, "two")
    assert exported(world.stack, ref, "/opt/src") == entries
    assert entries["a.py"][1] == b"2"
    there = tmp_path / "bare of submodules"
    shutil.copytree(world.clone, there, symlinks=True)
    run(world, there, "submodule", "--quiet", "deinit", "-f", "lib")
    shutil.rmtree(there / ".git" / "modules")
    shutil.rmtree(there / ".git" / "rvexp" / "registry")
    assert list((there / "lib").iterdir()) == []
    digests = {rvexp(world, "build", "--reproduce", "two", at=at)[0] for at in (world.clone, there)}
    assert digests == {ref.partition("@")[2]}


def listed_files(world: ImageWorld, nickname: str) -> dict[str, tuple[int, bytes]]:
    """The snapshot's files by plain git, without the submodule: its commit is no object of this repository."""
    world.environ["GIT_INDEX_FILE"] = str(world.home / "index")
    world.git("read-tree", tree(world, nickname))
    world.git("update-index", "--force-remove", "lib")
    without = world.git("write-tree")
    del world.environ["GIT_INDEX_FILE"]
    return listed(world, without)


def test_an_unchanged_submodule_is_not_spoken_of_again(world: ImageWorld) -> None:
    """Only what changed is told of a change."""
    world.write({"a.py": "2"})
    assert "submodule" not in published(world, "two")[1]


def test_embedded_files_are_in_the_layer_and_go_with_it(world: ImageWorld) -> None:
    """Changed and untracked ones too; when the submodule is a commit again, nothing of them stays."""
    world.write({"lib/inner.py": "changed", "lib/new.txt": "untracked"})
    ref, said = published(world, "two", "--submodules=embed")
    assert "not in the image" not in said
    held = exported(world.stack, ref, "/opt/src")
    assert held == listed(world, tree(world, "two"))
    assert (held["lib/inner.py"][1], held["lib/new.txt"][1]) == (b"changed", b"untracked")
    assert rvexp(world, "build", "--reproduce", "two")[0] == ref.partition("@")[2]
    run(world, world.clone / "lib", "checkout", "-q", "--force", "main")
    (world.clone / "lib" / "new.txt").unlink()
    ref, said = published(world, "three")
    assert "not in the image: 1 changed submodule(s), lib" in said
    assert not [name for name in exported(world.stack, ref, "/opt/src") if name.startswith("lib")]
