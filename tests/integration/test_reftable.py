"""References in tables, with both formats of object names, by the newest git: everything works there."""

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_rvexp.git.catalogue import cards
from git_rvexp.git.newest import dates
from git_rvexp.git.plumbing import Repo
from tests.conftest import Clone
from tests.integration.parts import Stack

NOTES = "refs/notes/rvexp"
HEX = {"sha1": 40, "sha256": 64}


@pytest.fixture(params=HEX)
def names(request: pytest.FixtureRequest, newest_git: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The format of object names of every repository that git makes from here on; its references are in tables."""
    monkeypatch.setenv("PATH", f"{newest_git}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GIT_DEFAULT_REF_FORMAT", "reftable")
    monkeypatch.setenv("GIT_DEFAULT_HASH", request.param)
    return str(request.param)


@pytest.fixture
def clone(names: str, new_clone: Callable[[str], Clone]) -> Clone:
    """A repository of that kind, with one commit."""
    made = new_clone("roads")
    asked = ["--show-ref-format", "--show-object-format"]
    assert made.git("rev-parse", *asked).split() == ["reftable", names]
    assert not (made.path / ".git" / "refs" / "heads" / "main").exists()
    return made


@pytest.fixture
def remote(clone: Clone, tmp_path: Path) -> Path:
    """Its experiments remote, of the same kind."""
    bare = tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(bare))
    clone.git("config", "rvexp.experiments-remote", str(bare))
    return bare


@pytest.fixture
def engine(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """The engine, for every command; the images that are made here are removed."""
    project = f"p{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    monkeypatch.setenv("RVEXP_PROJECT", project)
    yield stack
    label = f"label=io.git-rvexp.project={project}"
    for image in set(stack.run("docker", "images", "-q", "--no-trunc", "--filter", label).stdout.split()):
        stack.run("docker", "rmi", "--force", image, ok=False)


def said(clone: Clone, *words: str, code: int = 0) -> str:
    """What a command of ours prints."""
    done = clone.rvexp(*words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.strip()


def record(clone: Clone, tag: str) -> list[str]:
    """The record's lines, by plain git."""
    return clone.git("notes", "show", tag).splitlines()


def test_from_init_to_a_run_in_two_clones(clone: Clone, names: str, engine: Stack, tmp_path: Path) -> None:
    """From init to a run that has ended; its record by plain git, in both clones, also after a gc."""
    said(clone, "init")
    clone.write("Dockerfile", f"FROM {engine.tiny_image}\nCOPY . /src\nLABEL test={tmp_path}\n")
    tag = said(clone, "snapshot", "one")
    assert len(clone.git("rev-parse", tag)) == HEX[names]
    assert said(clone, "list").startswith(f"{tag}\t")
    said(clone, "publish")
    assert said(clone, "submit", "--wait", "--", "cat", "/src/train.py")
    kinds = [line.split()[1] for line in record(clone, tag)]
    assert kinds[:2] == ["snapshot", "image"]
    assert kinds[-1] == "ended"
    assert json.loads(said(clone, "show", "--json", tag))["runs"][0]["state"] == "ok"
    clone.git("gc", "-q")
    two = Clone(tmp_path / "two")
    clone.git("clone", "-q", str(clone.path), str(two.path))
    place = clone.git("config", "remote.experiments.url")
    two.git("config", "rvexp.experiments-remote", place)
    said(two, "sync")
    assert two.git("notes", f"--ref={NOTES}", "show", tag).splitlines() == record(clone, tag)
    for each in (clone, two):
        said(each, "verify")
        assert each.git("fsck", "--strict", "--no-dangling") == ""


def test_both_clones_write_and_a_moved_tag_is_seen(clone: Clone, remote: Path, tmp_path: Path) -> None:
    """What two clones added to one record is in both after a sync; a tag that was moved there fails verify."""
    tag = said(clone, "snapshot", "one")
    two = Clone(tmp_path / "two")
    clone.git("clone", "-q", str(clone.path), str(two.path))
    two.git("config", "rvexp.experiments-remote", str(remote))
    said(two, "sync")
    for each, line in ((clone, "mine"), (two, "theirs")):
        each.git(
            "notes", f"--ref={NOTES}", "append", "-m", f"2026-01-02T00:00:00.000Z remark text={json.dumps(line)}", tag
        )
    for each in (clone, two, clone):
        said(each, "sync")
    assert record(clone, tag) == two.git("notes", f"--ref={NOTES}", "show", tag).splitlines()
    assert [line for line in record(clone, tag) if '"mine"' in line or '"theirs"' in line][1:]
    said(clone, "verify", tag)
    subprocess.run(["git", "-C", remote, "tag", "-f", "-a", "-m", "moved", tag, tag], check=True, capture_output=True)
    assert "remote" in said(clone, "verify", tag, code=1)


def test_a_layer_is_published_and_made_again(
    clone: Clone, remote: Path, engine: Stack, registry_repo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second snapshot is a layer over the first one's image, and has the same digest when it is made anew."""
    monkeypatch.setenv("RVEXP_ECR_REPO", registry_repo)
    monkeypatch.setenv("RVEXP_IMAGE_CODE", ".=/src")
    clone.write("Dockerfile", f"FROM {engine.tiny_image}\nCOPY . /src\nLABEL test={registry_repo}\n")
    clone.commit()
    said(clone, "snapshot", "one")
    said(clone, "publish")
    clone.write("train.py", "print('changed')\n")
    tag = said(clone, "snapshot", "two")
    digest = said(clone, "publish").partition("@")[2]
    assert said(clone, "build", "--reproduce", tag) == digest
    told = said(clone, "submit", "--wait", tag, "--", "cat", "/src/train.py")
    assert told
    assert "changed" in said(clone, "logs", told.split()[0])


def test_the_newest_are_asked_of_git(clone: Clone) -> None:
    """A file of packed references that lies about is not read: in such a repository it means nothing."""
    tags = {said(clone, "snapshot", name, "--no-push") for name in ("one", "two", "three")}
    stray = clone.path / ".git" / "packed-refs"
    tip, false = clone.git("rev-parse", "HEAD"), "al/roads/2030-01-01/never"
    stray.write_text(f"# pack-refs with: peeled fully-peeled sorted \n{tip} refs/tags/{false}\n")
    repo = Repo.discover(clone.path, os.environ)
    assert dates(repo, "*", "*", 1) is None
    assert {card.snapshot.tag for card in cards(repo, newest=3)} == tags


def test_the_guard_and_the_publication_after_a_push(clone: Clone, remote: Path, tmp_path: Path) -> None:
    """Nothing leaks, by name or by commit; a push to the experiments remote fires what publishes."""
    public = tmp_path / "public.git"
    clone.git("init", "-q", "--bare", str(public))
    clone.git("remote", "add", "public", str(public))
    clone.git("push", "-q", "public", "main")
    said(clone, "hook", "install", "--publish-on-push")
    tag = said(clone, "snapshot", "one", "--no-push")
    for words in ([tag], ["--tags"], ["--mirror"], [f"{tag}^{{}}:refs/heads/innocent"], [f"{NOTES}:refs/heads/x"]):
        with pytest.raises(AssertionError, match="git rvexp: refused to push"):
            clone.git("push", "public", *words)
    clone.commit("more")
    clone.git("push", "-q", "public", "main")
    assert clone.git("ls-remote", str(public), "refs/*").split("\t")[1:] == ["refs/heads/main"]
    pushed = subprocess.run(
        ["git", "push", "experiments", tag], cwd=clone.path, capture_output=True, text=True, check=True
    )
    assert f"git rvexp: publishing {tag}" in pushed.stderr


def test_this_machines_git_reads_it_or_says_what_it_needs(clone: Clone, newest_git: str) -> None:
    """A git that knows no tables is no reason for a traceback or for a wrong answer."""
    tag = said(clone, "snapshot", "one")
    own = os.environ["PATH"].replace(f"{newest_git}{os.pathsep}", "")
    done = clone.rvexp("list", env={"PATH": own})
    if done.returncode:
        assert done.returncode == 2
        assert "unknown repository extension found: refstorage\nhint: install a newer git" in done.stderr
    else:
        assert done.stdout.startswith(tag)
