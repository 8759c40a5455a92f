"""The first snapshot of a clone sets the guard."""

from collections.abc import Callable
from pathlib import Path

from tests.conftest import Clone
from tests.unit.study import TAG, make_study


def test_the_first_snapshot_sets_it_and_says_so(clone: Clone) -> None:
    """One line tells what was set and how to undo it; the second snapshot says nothing of it."""
    first = clone.rvexp("snapshot", "one")
    assert first.stderr.count("pre-push hook set") == 1
    assert "git rvexp hook uninstall" in first.stderr
    assert "pre-push" not in clone.rvexp("snapshot", "two").stderr


def test_declined_hooks_stay_away(clone: Clone) -> None:
    """After uninstall no snapshot brings them back; install does."""
    clone.rvexp("hook", "uninstall")
    assert "pre-push" not in clone.rvexp("snapshot", "one").stderr
    assert clone.rvexp("hook", "status").returncode == 1
    assert clone.rvexp("hook", "install").returncode == 0
    for path in (clone.path / ".git").glob("**/hooks/pre-push"):
        path.unlink()
    assert "pre-push hook set" in clone.rvexp("snapshot", "two").stderr


def test_a_snapshot_never_fails_for_it(clone: Clone) -> None:
    """Where the hooks folder cannot be written the snapshot stands, and the danger is told."""
    (clone.path / ".git" / "rvexp").mkdir()
    (clone.path / ".git" / "rvexp" / "hooks").write_text("a file in the way\n")
    done = clone.rvexp("snapshot", "one")
    assert done.returncode == 0, done.stderr
    assert "git push --tags" in done.stderr


def test_a_missing_hook_comes_back(new_clone: Callable[[str], Clone], tmp_path: Path) -> None:
    """When another tool threw the hook away, the next snapshot puts it back."""
    study = make_study(new_clone, tmp_path)
    for path in study.common.glob("**/hooks/pre-push"):
        path.unlink()
    assert study.push("public", TAG, "--dry-run").returncode == 0
    study.snapshot("two")
    assert study.push("public", TAG, "--dry-run").returncode == 1
