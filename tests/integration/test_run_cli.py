"""`git rvexp run` from the command line: which code runs, and what is refused."""

import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Clone
from tests.integration.parts import Stack

Verb = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def study(clone: Clone, stack: Stack) -> Iterator[Clone]:
    """A repository whose image prints its code; its snapshot `demo` says one, its work tree two."""
    clone.write("Dockerfile", f"FROM {stack.tiny_image}\nWORKDIR /opt/src\nCOPY . /opt/src\n")
    clone.write("code", "one\n")
    clone.commit()
    taken = clone.rvexp("snapshot", "demo")
    assert taken.returncode == 0, taken.stderr
    clone.write("code", "two\n")
    yield clone
    commit = clone.git("rev-parse", f"{taken.stdout.strip()}^{{commit}}")
    for image in stack.run("docker", "images", "-q", "--filter", f"label=io.git-rvexp.commit={commit}").stdout.split():
        stack.run("docker", "rmi", "--force", image)


@pytest.fixture
def verb(study: Clone, stack: Stack) -> Verb:
    """Runs the command line against the stack."""
    return lambda *words: study.rvexp(*words, env={"DOCKER_HOST": stack.docker_host})


def test_the_snapshot_runs_and_not_the_work_tree(verb: Verb, study: Clone) -> None:
    """The named snapshot's code runs, knows what it is, and the run is not recorded."""
    script = 'cat code; echo "$RVEXP_TAG $RVEXP_COMMIT"; exit 7'
    done = verb("run", "demo", "--", "sh", "-c", script)
    tag = study.git("tag", "--list", "*/demo")
    assert done.stdout == f"one\n{tag} {study.git('rev-parse', tag + '^{commit}')}\n"
    assert done.returncode == 7
    assert "planned" not in study.git("notes", "show", tag)


def test_a_work_tree_without_a_snapshot_does_not_run(verb: Verb) -> None:
    """Nobody named what should run, and the work tree is in no snapshot."""
    done = verb("run", "--", "cat", "code")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no snapshot holds this work tree" in done.stderr


def test_the_work_tree_is_never_mounted_over_the_code(verb: Verb) -> None:
    """The old habit of mounting the work tree is refused with the way out."""
    done = verb("run", "demo", "-v", ".:/opt/src", "--", "cat", "code")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: -v .:/opt/src would hide the snapshot's code in /opt/src" in done.stderr
    assert "hint: mount it elsewhere" in done.stderr


def test_without_a_tag_the_newest_is_built_and_the_work_tree_is_told_apart(verb: Verb, study: Clone) -> None:
    """What is built is never a surprise; with a tag, or of a work tree that it holds, there is no warning."""
    tag = study.git("tag", "--list", "*/demo")
    for name, done in (("build", "built"), ("publish", "published")):
        warned = f"warning: the work tree is not what {tag} holds, and that is {done}\n"
        assert warned in verb(name).stderr
        assert "warning" not in verb(name, "demo").stderr
    study.write("code", "one\n")
    assert "warning" not in verb("publish").stderr


def test_publishing_without_a_registry_says_what_it_did(verb: Verb) -> None:
    """Built here; the second time not even that; never published."""
    told = "no registry is set (ecr_repo): {}; the image is in this machine's engine, not pushed\n"
    first = verb("publish", "demo")
    assert (first.returncode, told.format("built") in first.stderr) == (0, True), first.stderr
    again = verb("publish", "demo")
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert told.format("nothing new was built") in again.stderr
    assert "published" not in again.stderr


def test_a_preview_of_what_nobody_built_names_the_snapshot(verb: Verb, study: Clone) -> None:
    """Without its name another one might be meant."""
    done = verb("submit", "demo", "-n", "--", "true")
    assert (done.returncode, done.stderr) == (
        0,
        f"{study.git('tag', '--list', '*/demo')} has no image yet: submit builds it\n",
    )
