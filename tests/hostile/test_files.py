"""Repositories whose files are traps: no verb runs anything that came with them, or shows what drives a terminal."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.git.links import Link
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.worktree import WorkTree
from git_rvexp.quoting import quoted
from git_rvexp.settings import Settings
from git_rvexp.workflow.snapshotting.notices import notices
from tests.conftest import Clone
from tests.hostile.plants import FILES, Trap

VERBS = (("snapshot", "x", "-n"), ("snapshot", "x"), ("show",), ("diff", "@", "@", "-p"), ("doctor",), ("sync",))
PROGRAM = Path(sys.executable).with_name("git-rvexp")


def called(trap: Trap, *words: str) -> subprocess.CompletedProcess[str]:
    """The installed program in the trap, as a person's shell calls it. No engine, no way out."""
    env = {**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "x", **trap.env}
    return subprocess.run(
        [PROGRAM, *words],
        cwd=trap.cwd or trap.clone.path,
        env=env | {"AWS_SECRET_ACCESS_KEY": "hunter2-hunter2"},
        capture_output=True,
        text=True,
        check=False,
        errors="surrogateescape",
        timeout=120,
    )


@pytest.mark.parametrize("name", FILES)
def test_nothing_that_came_with_the_files_is_run(name: str, clone: Clone, tmp_path: Path) -> None:
    """Every verb a newcomer would try; refusals are in words, secrets and control characters stay where they are."""
    outside = tmp_path / "outside"
    outside.mkdir()
    trap = Trap(clone, outside)
    FILES[name](trap)
    if trap.cwd is None:
        clone.git("add", "-A", check=False)
        clone.git("commit", "-q", "--allow-empty", "-m", "theirs")
    assert trap.sprung() == ""
    for words in VERBS:
        done = called(trap, *words)
        told = done.stdout + done.stderr
        assert trap.sprung() == "", words
        assert done.returncode != 70, (words, told)
        assert "Traceback" not in told
        assert "hunter2" not in told
        assert not {c for c in told if not (c.isprintable() or c in "\n\t") and not 0xDC80 <= ord(c) <= 0xDCFF}, words


def test_the_canary_sings(clone: Clone, tmp_path: Path) -> None:
    """The twin: a trap that plain git springs is seen as sprung."""
    (tmp_path / "outside").mkdir()
    trap = Trap(clone, tmp_path / "outside")
    clone.git("config", "core.fsmonitor", str(trap.canary()))
    clone.git("status")
    assert "canary" in trap.sprung()


def test_a_replaced_commit_changes_nothing(clone: Clone, tmp_path: Path) -> None:
    """Replace refs and grafts, which anybody's fetch may have brought: the snapshot stands on the true commit."""
    head = clone.git("rev-parse", "HEAD")
    clone.write("train.py", "print('theirs')\n")
    other = clone.commit("theirs")
    clone.git("reset", "-q", "--hard", head)
    clone.git("replace", head, other)
    clone.git("reset", "-q", "--hard", head, env={"GIT_NO_REPLACE_OBJECTS": "1"})
    (clone.path / ".git/info").mkdir(exist_ok=True)
    (clone.path / ".git/info/grafts").write_text(f"{head} {other}\n")
    tag = clone.rvexp("snapshot", "x").stdout.strip()
    there = {"GIT_NO_REPLACE_OBJECTS": "1"}
    assert clone.git("show", f"{tag}:train.py", env=there) == "print('hello')"
    raw = clone.git("cat-file", "commit", tag, env=there)
    assert f"parent {head}" in raw


def test_links_in_the_tree_stay_links(clone: Clone, tmp_path: Path) -> None:
    """A link to a file outside is recorded as a link; what it points at is not read."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    (clone.path / "data").symlink_to(tmp_path)
    (clone.path / "key").symlink_to(secret)
    tag = clone.rvexp("snapshot", "x").stdout.strip()
    listed = clone.git("ls-tree", "-r", tag)
    assert "120000" in listed
    assert "hunter2" not in clone.git("cat-file", "blob", f"{tag}:key")


@pytest.mark.parametrize("nickname", ["--upload-pack=x", "-x", "../../x", "a/b", "$(id)", "x\n", "\x1b[2J", "a" * 41])
def test_nicknames_that_are_something_else(clone: Clone, nickname: str) -> None:
    """Refused before git sees them; nothing is made."""
    done = clone.rvexp("snapshot", "--", nickname) if nickname.startswith("-") else clone.rvexp("snapshot", nickname)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert clone.git("tag") == ""


@pytest.mark.parametrize("what", ["--upload-pack=x", "-x", "refs/heads/main", "../x", "@{-1}", "HEAD:train.py"])
def test_names_of_snapshots_that_are_something_else(clone: Clone, new_clone: Callable[[str], Clone], what: str) -> None:
    """Looked up among snapshots and nowhere else."""
    clone.rvexp("snapshot", "x")
    for verb in ("show", "diff", "publish", "cancel"):
        words = [verb, "--", what] if what.startswith("-") else [verb, what]
        done = clone.rvexp(*words, *(["@"] if verb == "diff" else []))
        assert done.returncode in (1, 2), (words, done.stderr)


def test_names_of_files_cannot_drive_a_terminal(clone: Clone) -> None:
    """Files that came with an archive, listed before a snapshot is made of them."""
    clone.write("\x1b]0;owned\x07\x1b[8m", "x\n")
    done = clone.rvexp("snapshot", "x", "-n", "--color", "always")
    assert "owned" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_names_of_files_cannot_forge_lines(clone: Clone) -> None:
    """Quoted as git does: what goes in, what is left out, what is too large, what looks secret, what leads out."""
    clone.write("a\nwould tag evil: 0 new", "x\n")
    clone.write("plain ü.txt", "x\n")
    clone.write(".gitignore", "*.log\n")
    clone.write("b\n  new  c.log", "x\n")
    done = clone.rvexp("snapshot", "x", "-n")
    assert '  new       "a\\nwould tag evil: 0 new"  2 B' in done.stdout.splitlines(), done.stdout
    assert '  left out  "b\\n  new  c.log"  ignored by .gitignore:1 (*.log)' in done.stdout.splitlines()
    assert "  new       plain ü.txt  2 B" in done.stdout.splitlines()
    (clone.path / "l\nhint: evil").symlink_to("/e\nhint: worse")
    done = clone.rvexp("snapshot", "x")
    assert '  "l\\nhint: evil" -> "/e\\nhint: worse"' in done.stderr.splitlines(), done.stderr
    clone.write("k\nhint: evil", "AKIA" + "Q3EGRKXDYOWPLNM5" + "\n")
    done = clone.rvexp("snapshot", "y")
    assert '  "k\\nhint: evil":1  ' in done.stderr
    clone.write("big\nhint: evil", "x" * 2000)
    done = clone.rvexp("snapshot", "y", env={"RVEXP_SNAPSHOT_MAX_FILE": "1 kB"})
    assert '  "big\\nhint: evil"  2' in done.stderr
    assert "hint: evil" not in [line.strip() for line in done.stderr.splitlines()]


@pytest.mark.parametrize("name", ["plain ü.txt", 'a"b\\c', "a\x01\x1b\x7f\a\b\t\n\v\f\r"])
def test_names_are_quoted_as_git_does(clone: Clone, name: str) -> None:
    """By the real git, with core.quotePath off."""
    clone.write(name, "x")
    assert clone.git("-c", "core.quotePath=false", "ls-files", "--others") == quoted(name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("\udcff", r'"\377"'), ("x\u202ecod.exe", r'"x\342\200\256cod.exe"'), ("\ud800", r'"\355\240\200"')],
)
def test_names_that_git_does_not_quote(name: str, shown: str) -> None:
    """What is no UTF-8, what turns a text round, and what only JSON can hold."""
    assert quoted(name) == shown


def test_a_bare_repository_among_the_files_is_not_where_we_are(clone: Clone, tmp_path: Path) -> None:
    """Git would take it for the repository once a shell stands in it, and run the filters that it names."""
    (tmp_path / "outside").mkdir()
    trap = Trap(clone, tmp_path / "outside")
    FILES["a bare repository with a work tree"](trap)
    store = clone.path / "data/store"
    clone.git(f"--git-dir={store}", "config", "filter.evil.clean", f"{trap.canary()}; cat")
    clone.write(".gitattributes", "* filter=evil\n")
    done = called(trap, "snapshot", "x")
    assert trap.sprung() == ""
    assert done.returncode == 2
    assert "safe.bareRepository" in done.stderr
    assert "hint: a work tree is needed: git clone " in done.stderr


def test_name_of_a_submodule_is_one_line(clone: Clone) -> None:
    """In the warning that its files stay out, as everywhere."""
    work = WorkTree("0" * 40, "0" * 40, links=(Link("lib\nhint: x", "0" * 40),))
    repo = Repo.discover(clone.path, os.environ)
    (told,) = notices(repo, Settings(), work)
    assert '"lib\\nhint: x/"' in told
    assert "\nhint" not in told
