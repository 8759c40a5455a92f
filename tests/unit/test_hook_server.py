"""The server's hooks: an experiments repository that only grows, whoever pushes with whatever force."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.unit.study import NOTES, TAG, Study, make_study


@pytest.fixture
def study(new_clone: Callable[[str], Clone], tmp_path: Path) -> Study:
    """A study whose experiments repository is guarded, with the snapshot and its record on it."""
    study = make_study(new_clone, tmp_path)
    done = study.clone.rvexp("hook", "install", "--server", str(study.experiments))
    assert done.returncode == 0, done.stderr
    assert _force(study, TAG, NOTES).returncode == 0
    return study


def _force(study: Study, *words: str) -> subprocess.CompletedProcess[str]:
    """A push of somebody who has no guard and uses force."""
    return study.push("--no-verify", "--force", "experiments", *words)


def _note(study: Study, tag: str, text: str) -> None:
    """The note on `tag` replaced by `text`, with plain git."""
    study.clone.git("notes", f"--ref={NOTES}", "add", "-f", "-m", text, tag)


def _flattened(study: Study) -> str:
    """A commit on top of the record in which every note stands without fan-out."""
    git = study.clone.git
    entries = [line.split("\t") for line in git("ls-tree", "-r", NOTES).splitlines()]
    listing = "".join(f"{meta}\t{path.replace('/', '')}\n" for meta, path in entries)
    done = subprocess.run(
        ["git", "mktree"], cwd=study.clone.path, input=listing, capture_output=True, text=True, check=True
    )
    return git("commit-tree", "-p", NOTES, "-m", "flat", done.stdout.strip())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([f":refs/tags/{TAG}"], "never moved or deleted"),
        ([f"moved:refs/tags/{TAG}"], "never moved"),
        (["HEAD:refs/tags/al/roads/2026-01-02/light"], "annotated tag"),
        ([f"{TAG}:refs/tags/al/roads/2026-01-02/renamed"], f"calls itself {TAG}"),
        (["al/roads/2026-01-02/bare"], "a tag of a tree"),
        ([f":{NOTES}"], "never deleted"),
        ([f"HEAD:{NOTES}"], "only grows"),
        ([f"{NOTES}^{{tree}}:{NOTES}"], "commit of notes"),
    ],
)
def test_refused(study: Study, words: list[str], why: str) -> None:
    """Moves, deletions and tags that are no snapshots are refused, and nothing changes."""
    git = study.clone.git
    git("tag", "-a", "-m", "another", "moved")
    git("tag", "-a", "-m", "a tree", "al/roads/2026-01-02/bare", "HEAD^{tree}")
    before = study.refs(study.experiments)
    done = _force(study, *words)
    assert done.returncode == 1
    assert why in done.stderr
    assert study.refs(study.experiments) == before


def test_refs_that_are_not_ours(study: Study) -> None:
    """Other refs pass, moves included, until the repository is for experiments only."""
    git = study.clone.git
    git("tag", "-a", "-m", "five parts", "a/b/2026-01-02/d/e")
    assert _force(study, "HEAD:refs/heads/x", "a/b/2026-01-02/d/e").returncode == 0
    git("commit", "-q", "--amend", "--allow-empty", "-m", "other")
    assert _force(study, "HEAD:refs/heads/x", ":refs/tags/a/b/2026-01-02/d/e").returncode == 0
    git("-C", str(study.experiments), "config", "rvexp.onlyexperiments", "true")
    assert "only snapshots and their record" in _force(study, "HEAD:refs/heads/y").stderr
    assert _force(study, study.snapshot("two"), NOTES).returncode == 0


def test_lines_may_be_added_and_reordered(study: Study) -> None:
    """Appending, reordering, a second note and another fan-out are all a record that grew."""
    shown = study.clone.git("notes", f"--ref={NOTES}", "show", TAG)
    _note(study, TAG, f"a new line\n{shown}\nanother")
    assert _force(study, NOTES).returncode == 0
    _note(study, TAG, f"another\n{shown}\n\na new line")
    _note(study, "HEAD", "a note on a commit")
    assert _force(study, NOTES).returncode == 0
    study.clone.git("update-ref", NOTES, _flattened(study))
    done = _force(study, NOTES)
    assert done.returncode == 0, done.stderr


def test_no_line_may_vanish(study: Study) -> None:
    """A fast-forward that drops or changes a line is refused: edited, removed, or lost while the notes moved."""
    git = study.clone.git
    shown = git("notes", f"--ref={NOTES}", "show", TAG)
    _note(study, TAG, f"{shown}\nkept")
    assert _force(study, NOTES).returncode == 0
    good = git("rev-parse", NOTES)
    for text in ("kept", f"{shown}\nKept", f"{shown}\n kept"):
        _note(study, TAG, text)
        assert "would lose 1 of its lines" in _force(study, NOTES).stderr
        git("update-ref", NOTES, good)
    git("notes", f"--ref={NOTES}", "remove", TAG)
    assert "would lose 2 of its lines" in _force(study, NOTES).stderr
    git("update-ref", NOTES, good)
    _note(study, TAG, "kept")
    git("update-ref", NOTES, _flattened(study))
    assert "would lose 1 of its lines" in _force(study, NOTES).stderr
    assert study.refs(study.experiments)[NOTES] == good


def test_a_foreign_update_hook_still_runs(study: Study) -> None:
    """It is asked after us, with the same arguments, and comes back when ours is taken away."""
    folder = study.experiments / "hooks"
    study.clone.rvexp("hook", "uninstall", "--server", str(study.experiments))
    text = '#!/bin/sh\necho "$@" >>seen\nexit 1\n'
    (folder / "update").write_text(text)
    (folder / "update").chmod(0o750)
    study.clone.rvexp("hook", "install", "--server", str(study.experiments))
    assert _force(study, "HEAD:refs/heads/x").returncode == 1
    assert (study.experiments / "seen").read_text().startswith("refs/heads/x " + "0" * 40)
    study.clone.rvexp("hook", "uninstall", "--server", str(study.experiments))
    assert ((folder / "update").read_text(), (folder / "update").stat().st_mode & 0o777) == (text, 0o750)
    assert sorted(p.name for p in folder.iterdir() if p.suffix != ".sample") == ["update"]


def test_post_receive_publishes(study: Study) -> None:
    """The configured command gets each new snapshot's name and object, in the background; nothing else does."""
    seen = study.experiments / "seen"
    git = study.clone.git
    git("-C", str(study.experiments), "config", "rvexp.publishcommand", f"sleep 0.2; printf '%s\\n' >>'{seen}'")
    two = study.snapshot("two")
    (study.experiments / "hooks" / "update").unlink()
    assert _force(study, f":refs/tags/{TAG}", "HEAD:refs/heads/x").returncode == 0
    assert _force(study, two, NOTES).returncode == 0
    for _ in range(200):
        if seen.exists() and seen.read_text().count("\n") >= 2:
            break
        time.sleep(0.05)
    assert seen.read_text().splitlines() == [two, git("rev-parse", two)]


def test_a_folder_that_is_no_bare_repository(study: Study) -> None:
    """--server on anything else is refused with the reason."""
    done = study.clone.rvexp("hook", "install", "--server", str(study.clone.path))
    assert (done.returncode, "not a bare repository" in done.stderr) == (2, True)
