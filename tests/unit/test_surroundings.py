"""Surroundings that git itself would refuse, or that cannot be read: a clear word and never a traceback."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp import crash
from tests.conftest import Clone


@pytest.mark.parametrize("count", ["abc", "-1", "1e3", "9" * 30])
def test_a_count_of_settings_that_is_none_is_told(clone: Clone, count: str) -> None:
    """GIT_CONFIG_COUNT comes from whoever called us."""
    done = clone.rvexp("list", env={"GIT_CONFIG_COUNT": count})
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: GIT_CONFIG_COUNT is '{count}'")
    assert done.stderr.endswith("hint: unset GIT_CONFIG_COUNT\n")


@pytest.mark.parametrize("verb", [["list"], ["init"], ["snapshot", "demo"]])
def test_a_folder_with_a_line_break_in_its_name_is_told(new_clone: Callable[[str], Clone], verb: list[str]) -> None:
    """Git's answer cannot be taken apart."""
    done = new_clone("new\nline").rvexp(*verb)
    assert done.returncode == 2, done.stderr
    assert "the path of this repository holds a line break: " in done.stderr
    assert "new\\nline" in done.stderr


def test_the_log_of_a_bug_fails_silently(clone: Clone) -> None:
    """Whatever stops it from being written, the bug itself is told."""
    assert crash.write(RuntimeError("a bug"), clone.path, {**os.environ, "ODD": "\0"}) is None


def test_a_repository_named_by_its_folders_is_one_like_any(clone: Clone, tmp_path: Path) -> None:
    """`git --git-dir=… --work-tree=…`, as people keep their dotfiles, and both may be relative to where they stand."""
    (clone.path / ".git").rename(tmp_path / "kept.git")
    (clone.path / "src").mkdir()
    far = {"GIT_DIR": str(tmp_path / "kept.git"), "GIT_WORK_TREE": str(clone.path)}
    near = {"GIT_DIR": "../../kept.git", "GIT_WORK_TREE": ".."}
    assert (clone.path / "src" / "../../kept.git").resolve() == (tmp_path / "kept.git").resolve()
    done = clone.rvexp("snapshot", "first", env=far)
    assert done.returncode == 0, done.stderr
    listed = clone.rvexp("list", env=near, cwd=clone.path / "src")
    assert "first" in listed.stdout, listed.stderr
    again = clone.rvexp("sync", env=near, cwd=clone.path / "src")
    assert again.returncode == 0, again.stderr
