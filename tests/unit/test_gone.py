"""Snapshots whose tags `git fetch --prune-tags` removed: told as gone, not as "none yet"; sync brings them back."""

from pathlib import Path

from tests.conftest import Clone


def test_pruned_tags_are_told_and_come_back(clone: Clone, tmp_path: Path) -> None:
    """By list and by whoever is asked for one, with some and with none left; afterwards all is as it was."""
    clone.git("init", "-q", "--bare", str(tmp_path / "code.git"))
    clone.git("remote", "add", "origin", str(tmp_path / "code.git"))
    tags = [clone.rvexp("snapshot", nickname).stdout.strip() for nickname in ("one", "two")]
    clone.git("fetch", "-q", "--prune", "--prune-tags", "origin")
    gone = f"the experiments remote has {tags[0]} and 1 more, whose tags are gone from this clone"
    told = f"warning: {gone}: git rvexp sync brings them back\n"
    assert clone.rvexp("list").stderr.startswith(told)
    for what in ("@", "one", tags[1]):
        done = clone.rvexp("show", what)
        assert done.returncode == 2
        assert "whose tags are gone from this clone\n" in done.stderr
        assert "hint: git rvexp sync" in done.stderr
    clone.rvexp("snapshot", "three")
    assert clone.rvexp("list").stderr == told
    assert f"the experiments remote has {tags[0]}, whose tags" in clone.rvexp("show", "one").stderr
    assert "did you mean three?" in clone.rvexp("show", "there").stderr
    assert clone.rvexp("sync").returncode == 0
    assert clone.rvexp("list").stderr == ""
    assert clone.rvexp("show", "one").returncode == 0
