"""A plain clone of a colleague's clone: tags without their record, which is told and never taken for "nothing ran"."""

import shlex
from pathlib import Path

from git_rvexp.git import notes
from tests.conftest import Clone

FETCH = "git fetch origin refs/notes/rvexp:refs/notes/rvexp"
TOLD = f"warning: this clone has no record of its snapshots, so what ran is not known here: {FETCH} brings it\n"


def test_a_clone_without_a_record_says_so_and_how_to_get_it(clone: Clone, tmp_path: Path) -> None:
    """No false alarm, and no all-clear after a sync, which writes nothing of what it does not know."""
    tag = clone.rvexp("snapshot", "demo").stdout.strip()
    clone.git("clone", "-q", ".", str(tmp_path / "copy"))
    copy = Clone(tmp_path / "copy")
    assert copy.rvexp("list").stderr == TOLD
    assert copy.rvexp("show", "demo").stderr == TOLD
    for _ in range(2):
        verified = copy.rvexp("verify", "demo")
        assert verified.returncode == 8
        assert (
            f"? record     this clone has no record, so what ran is not known here\n{'':13}-> {FETCH}\n"
            in verified.stdout
        )
        assert verified.stdout.endswith("\nwhat ran is not known here\n")
        assert TOLD in copy.rvexp("sync").stderr
        assert copy.git("for-each-ref", notes.REF) == ""
    _every_look_warns(copy, tmp_path / "page.html")
    copy.git(*shlex.split(FETCH)[1:])
    assert copy.git("notes", "--ref=rvexp", "show", tag) == clone.git("notes", "show", tag)
    for verb in ("list", "sync"):
        assert "no record" not in copy.rvexp(verb).stderr
    assert copy.rvexp("verify", "demo").returncode == 0


def _every_look_warns(copy: Clone, page: Path) -> None:
    """None of them takes an absent record for an empty one without a word."""
    formats = [("export", "demo", "--format", form) for form in ("json", "ro-crate", "citation")]
    for words in (("status",), ("diff", "demo", "demo"), ("logs", "demo"), *formats):
        assert copy.rvexp(*words).stderr.startswith(TOLD), words
    made = copy.rvexp("report", "demo", "--check", "0", "-o", str(page))
    assert made.stderr.startswith(TOLD)
    assert "what ran is not known" in page.read_text()
    assert "not run yet" not in page.read_text()
    proven = copy.rvexp("verify", "--report", str(page))
    assert (proven.returncode, proven.stderr) == (8, TOLD)
    assert "? record     this clone has no record of it" in proven.stdout


def test_what_the_experiments_remote_has_comes_by_sync(clone: Clone, tmp_path: Path) -> None:
    """A clone that knows that remote is told to sync, and then has the record."""
    remote = tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(remote))
    clone.git("config", "rvexp.experimentsRemote", str(remote))
    clone.rvexp("snapshot", "demo")
    clone.git("update-ref", "-d", notes.REF)
    assert ": git rvexp sync brings it\n" in clone.rvexp("list").stderr
    assert clone.rvexp("sync").returncode == 0
    assert clone.rvexp("list").stderr == ""
