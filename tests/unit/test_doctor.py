"""What doctor finds, what it repairs, and what it never says."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from git_rvexp.workflow.preparing.mending import SHARED, link
from tests.conftest import Clone


def checks(clone: Clone, *args: str, **env: str) -> tuple[int, dict[str, tuple[str, str, str]]]:
    """The exit code, and kind, text and remedy by name (the last of a name wins)."""
    done = clone.rvexp("doctor", "--json", *args, env=env)
    document = json.loads(done.stdout)
    assert document["schema"] == "rvexp.doctor/1"
    return done.returncode, {c["name"]: (c["kind"], c["text"], c["remedy"]) for c in document["checks"]}


def test_a_clone_that_is_set_up_is_told_so(clone: Clone) -> None:
    """Remote, notes, hooks, settings: each its own line, all fine."""
    clone.rvexp("init")
    _, found = checks(clone)
    kinds = {name: found[name][0] for name in ("git", "repository", "settings", "remote", "notes", "hooks")}
    assert set(kinds.values()) == {"ok"}, found


def test_no_engine_is_wrong_and_the_exit_code_says_it(clone: Clone, tmp_path: Path) -> None:
    """With the place that was asked and a remedy."""
    code, found = checks(clone, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert code == 1
    assert found["engine"][0] == "bad"
    assert "none.sock" in found["engine"][1]
    assert "DOCKER_HOST" in found["engine"][2]


def test_every_line_has_a_sign_and_what_is_wrong_a_remedy(clone: Clone, tmp_path: Path) -> None:
    """For people: sign, name, text, and the remedy below."""
    out = clone.rvexp("doctor", env={"DOCKER_HOST": f"unix://{tmp_path}/none.sock", "PYTHONIOENCODING": "utf8"}).stdout
    lines = out.splitlines()
    bad = [i for i, line in enumerate(lines) if line.startswith("✗ engine")]
    assert bad
    assert lines[bad[0] + 1].strip().startswith("-> ")
    assert all(line[0] in "✓!✗? " for line in lines)


def test_nothing_is_written_without_fix(clone: Clone) -> None:
    """Looking changes neither the clone nor the home."""
    before = {p: p.stat().st_mtime_ns for p in clone.path.rglob("*")}
    checks(clone)
    assert {p: p.stat().st_mtime_ns for p in clone.path.rglob("*")} == before


def test_fix_sets_notes_and_hooks(clone: Clone) -> None:
    """What it can repair without a question, and afterwards it is fine."""
    _, before = checks(clone)
    _, after = checks(clone, "--fix")
    assert (before["notes"][0], before["hooks"][0]) == ("warn", "warn")
    assert (after["notes"][0], after["hooks"][0]) == ("ok", "ok")


def test_fix_links_what_the_package_ships_and_leaves_what_is_there(tmp_path: Path) -> None:
    """A dead link is made anew; a file of the user's stays; a second time there is nothing to do."""
    source, target = tmp_path / "share", tmp_path / "home"
    for name in SHARED:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    dead, mine = target / SHARED[0], target / SHARED[1]
    for place in (dead, mine):
        place.parent.mkdir(parents=True)
    dead.symlink_to(tmp_path / "gone")
    mine.write_text("mine")
    assert len(list(link(source, target))) == len(SHARED) - 1
    assert dead.read_text() == SHARED[0]
    assert mine.read_text() == "mine"
    assert list(link(source, target)) == []


def test_outside_a_clone_the_machine_is_still_looked_at(clone: Clone, tmp_path: Path) -> None:
    """And that there is no clone is one error among the checks."""
    (tmp_path / "bare").mkdir()
    done = clone.rvexp("doctor", cwd=tmp_path / "bare")
    assert done.returncode == 1
    assert "not in a git repository" in done.stdout
    assert " git " in done.stdout


def test_a_broken_settings_file_is_one_check_with_its_line(clone: Clone) -> None:
    """The rest is still told."""
    clone.write(".rvexp.toml", "\nbatch_queue = \n")
    code, found = checks(clone)
    assert code == 1
    assert f"{clone.path}/.rvexp.toml:2" in found["settings"][1]
    assert found["git"][0] == "ok"


def test_an_unreachable_or_doubtful_remote_is_told_without_its_password(clone: Clone, tmp_path: Path) -> None:
    """A password in the address is a warning of its own, and is not repeated."""
    there = tmp_path / "experiments.git"
    subprocess.run(["git", "init", "-q", "--bare", there], check=True)
    clone.rvexp("init", "--remote", str(there))
    there.rename(tmp_path / "moved.git")
    assert checks(clone)[1]["remote"][0] == "bad"
    done = clone.rvexp("doctor", env={"RVEXP_EXPERIMENTS_REMOTE": "https://al:hunter2@127.0.0.1:1/x.git"})
    assert "holds a password" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_origin_as_experiments_remote_is_wrong(clone: Clone, tmp_path: Path) -> None:
    """Snapshots would be public."""
    there = tmp_path / "public.git"
    subprocess.run(["git", "init", "-q", "--bare", there], check=True)
    clone.rvexp("init", "--remote", str(there))
    clone.git("remote", "add", "origin", str(there))
    kind, text, _ = checks(clone)[1]["remote"]
    assert kind == "bad"
    assert "same place as origin" in text


def test_an_unconfirmed_choice_is_wrong_and_nothing_there_is_asked(clone: Clone) -> None:
    """Remote, registry, AWS and queue are "?" until the user has confirmed them."""
    clone.write(".rvexp.toml", 'batch_queue = "q"\naws.endpoint_url = "http://127.0.0.1:1"\n')
    code, found = checks(clone)
    assert code == 1
    assert found["confirmation"][0] == "bad"
    assert {found[n][0] for n in ("remote", "registry", "aws", "queue", "definition")} == {"unknown"}


def test_the_shortest_way_onto_batch_is_no_fault(clone: Clone, tmp_path: Path) -> None:
    """A queue and a definition alone run that definition as it is; with a remote there are snapshots, and no image."""
    settings = {"batch-queue": "q", "batch-job-def-name": "base", "aws.endpoint-url": "http://127.0.0.1:1"}
    for key, value in {**settings, "aws.region": "us-east-1"}.items():
        clone.git("config", f"rvexp.{key}", value)
    kind, text, _ = checks(clone)[1]["registry"]
    assert (kind, text) == ("warn", "ecr_repo is not set: submit runs base as it is, and no snapshot")
    clone.git("config", "rvexp.experiments-remote", str(tmp_path / "experiments.git"))
    assert checks(clone)[1]["registry"][0] == "bad"


def test_the_kind_of_repository_is_told(clone: Clone, tmp_path: Path) -> None:
    """Which hash names its objects, and where its references are."""
    other = Clone(tmp_path / "other")
    subprocess.run(["git", "init", "-q", "--object-format=sha256", other.path], check=True)
    assert checks(other)[1]["repository"][:2] == ("ok", "sha256 names, references in files")
    assert checks(clone)[1]["repository"][:2] == ("ok", "sha1 names, references in files")


def test_a_variable_with_a_typing_error_is_told(clone: Clone) -> None:
    """Variables that jobs and tests have are no settings and no mistake."""
    found = checks(clone, RVEXP_BATCH_QEUE="gpu", RVEXP_TAG="x")[1]
    assert found["settings"] == (
        "warn",
        "the variable RVEXP_BATCH_QEUE is no setting",
        "did you mean RVEXP_BATCH_QUEUE?",
    )
    assert checks(clone, RVEXP_TAG="x", RVEXP_STEP="train", RVEXP_SHARED="/x")[1]["settings"][0] == "ok"


def test_a_git_that_is_too_old_is_said(clone: Clone, tmp_path: Path) -> None:
    """Before 2.31 `git rev-parse` gives back the options that it does not know, and the names as they are."""
    old = tmp_path / "old" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nprintf '%s\\n' --path-format=absolute sha1 .git .git \"$PWD\"\n")
    old.chmod(0o755)
    done = clone.rvexp("list", env={"PATH": f"{old.parent}{os.pathsep}{os.environ['PATH']}"})
    assert (done.returncode, done.stdout) == (128, "")
    assert done.stderr == "error: this git is too old\nhint: install git 2.34 or newer\n"


@pytest.mark.parametrize(
    ("version", "kind"), [("2.33.8", "bad"), ("2.34.1", "warn"), ("2.38.9", "warn"), ("2.39.0", "ok")]
)
def test_what_is_known_of_a_git_is_told(clone: Clone, tmp_path: Path, version: str, kind: str) -> None:
    """Too old, old enough but never tried, and tried: by the version it tells; all else is done by the real one."""
    told = tmp_path / "told" / "git"
    told.parent.mkdir()
    real = shutil.which("git")
    told.write_text(f'#!/bin/sh\n[ "$1" != --version ] || exec echo git version {version}\nexec {real} "$@"\n')
    told.chmod(0o755)
    found = checks(clone, PATH=f"{told.parent}{os.pathsep}{os.environ['PATH']}")[1]["git"]
    assert found[0] == kind
    assert version in found[1]
