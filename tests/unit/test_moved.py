"""A snapshot's tag that somebody moved in this clone: told everywhere, run nowhere, put back by what the hint says."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.git import notes
from tests.conftest import Clone

MOVES = {
    "plain": "git tag -f {tag} HEAD",
    "annotated": "git tag -f -a -m x {tag} HEAD",
    "another": "git update-ref refs/tags/{tag} $(git rev-parse {other})",
}
VERBS = (
    "sync",
    "submit one -- true",
    "submit one --offline -- true",
    "submit one --dry-run -- true",
    "run one -- true",
    "build one",
    "publish one",
    "repeat one",
)


def typed(clone: Clone, line: str) -> None:
    """A command line typed in the clone."""
    subprocess.run(["sh", "-c", line], cwd=clone.path, check=True, capture_output=True)


@pytest.fixture
def tag(clone: Clone, tmp_path: Path) -> str:
    """The tag of snapshot `one`, which is on the experiments remote with another one."""
    remote = tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(remote))
    clone.git("config", "rvexp.experimentsRemote", str(remote))
    clone.rvexp("snapshot", "two")
    return clone.rvexp("snapshot", "one").stdout.strip()


@pytest.fixture(params=MOVES)
def moved(clone: Clone, tag: str, request: pytest.FixtureRequest) -> tuple[str, str]:
    """The object of the tag, and the one it was moved to."""
    before = clone.git("rev-parse", tag)
    typed(clone, MOVES[request.param].format(tag=tag, other=clone.git("tag", "-l", "*/two")))
    return before, clone.git("rev-parse", f"refs/tags/{tag}")


def test_a_tag_moved_here_is_an_alarm_and_the_hint_mends_it(clone: Clone, tag: str, moved: tuple[str, str]) -> None:
    """Whatever would run or share it names the tag and both objects, and writes nothing; the hint's command works."""
    before, here = moved
    record = clone.git("rev-parse", notes.REF)
    for verb in VERBS:
        alarmed = clone.rvexp(*verb.split())
        assert alarmed.returncode == 1, (verb, alarmed.stderr)
        assert f"refs/tags/{tag} moved in this clone: recorded {before}, here {here}\n" in alarmed.stderr, verb
    assert clone.git("rev-parse", f"refs/tags/{tag}", notes.REF).split() == [here, record]
    typed(clone, clone.rvexp("sync").stderr.rpartition("hint: ")[2])
    assert clone.git("rev-parse", tag) == before
    assert clone.rvexp("sync").stderr == "everything is up to date\n"


def test_verify_names_both_objects_and_what_mends_it(clone: Clone, tag: str, moved: tuple[str, str]) -> None:
    """Of all, a plain tag too, which is no snapshot's any more."""
    before, here = moved
    told = clone.rvexp("verify", "--all")
    assert told.returncode == 1
    assert f"moved in this clone: recorded {before}, here {here}\n" in told.stdout
    assert f"-> git update-ref refs/tags/{tag} {before} {here}\n" in told.stdout


def test_a_plain_tag_is_not_left_out_in_silence(clone: Clone, tag: str) -> None:
    """`list` says so and names the command that tells what it was; so does `@`, which means another one now."""
    before = clone.git("rev-parse", tag)
    clone.git("tag", "-f", tag, "HEAD")
    listed = clone.rvexp("list")
    assert "/two" in listed.stdout
    warning = f"warning: {tag} is not an annotated tag of a commit, so it is left out: "
    assert listed.stderr.startswith(warning)
    assert warning in clone.rvexp("show").stderr
    typed(clone, "! " + listed.stderr.removeprefix(warning).replace("git rvexp", "python3 -m git_rvexp"))
    for name in ("one", tag):
        assert f"recorded {before}, here {clone.git('rev-parse', 'HEAD')}" in clone.rvexp("show", name).stderr


def test_what_was_never_shared_is_known_from_the_record(clone: Clone, tag: str) -> None:
    """A tag that is in this clone only, and one that was forced onto a remote without hooks: the record still tells."""
    mine = clone.rvexp("snapshot", "mine", "--no-push").stdout.strip()
    for name in (mine, tag):
        before = clone.git("rev-parse", name)
        clone.git("tag", "-f", "-a", "-m", "x", name, "HEAD")
        here = clone.git("rev-parse", name)
        if name == tag:
            clone.git("push", "-q", "--force", "--no-verify", "experiments", name)
        alarmed = clone.rvexp("sync")
        assert alarmed.returncode == 1
        assert f"refs/tags/{name} moved in this clone: recorded {before}, here {here}\n" in alarmed.stderr
        assert clone.git("notes", "show", name, check=False) == ""
        typed(clone, alarmed.stderr.rpartition("hint: ")[2])


def test_a_tag_with_a_snapshot_s_name_that_never_was_one_is_told(clone: Clone, tag: str) -> None:
    """Nothing is known of it, so nothing is claimed: it is no snapshot, and `sync` leaves it alone."""
    other = tag.replace("/one", "/mark")
    clone.git("tag", other, "HEAD")
    shown = clone.rvexp("show", other)
    assert shown.returncode == 2
    assert (
        shown.stderr == f"error: {other} is no snapshot: it is not an annotated tag of a commit\nhint: git rvexp list\n"
    )
    assert clone.rvexp("sync").returncode == 0


def test_a_clash_with_the_remote_is_named(
    new_clone: Callable[[str], Clone], clone: Clone, tag: str, tmp_path: Path
) -> None:
    """A clone that has a plain tag of a snapshot's name, and knows of it what it fetched: both objects are told."""
    other = new_clone("other")
    other.git("config", "rvexp.experimentsRemote", str(tmp_path / "experiments.git"))
    other.git("tag", tag, "HEAD")
    alarmed = other.rvexp("sync")
    assert alarmed.returncode == 1
    assert f"here {other.git('rev-parse', 'HEAD')}, remote {clone.git('rev-parse', tag)}" in alarmed.stderr
    assert other.rvexp("sync", "--accept").returncode == 0
    other.git("update-ref", "-d", f"refs/rvexp/published/{tag}")
    other.git("gc", "-q", "--prune=now")
    known = other.rvexp("sync")  # by the record, which came meanwhile
    assert f"recorded {clone.git('rev-parse', tag)}, here {other.git('rev-parse', 'HEAD')}" in known.stderr
    typed(other, known.stderr.rpartition("hint: ")[2].replace("git rvexp", "python3 -m git_rvexp"))
    assert other.git("rev-parse", tag) == clone.git("rev-parse", tag)
