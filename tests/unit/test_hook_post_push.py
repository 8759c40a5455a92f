"""The post-push: what a plain `git push experiments TAG` starts, and what starts nothing."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.unit.study import NOTES, TAG, Study, make_study

_TRACKED = f"refs/rvexp/pushed/{TAG}"


@pytest.fixture
def study(new_clone: Callable[[str], Clone], tmp_path: Path) -> Study:
    """A study that publishes on push, by a program that only writes down how it was called."""
    study = make_study(new_clone, tmp_path)
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$@" >>"{study.common}/called"\n')
    program.chmod(0o755)
    assert study.clone.rvexp("hook", "install", "--publish-on-push").returncode == 0
    study.clone.git("config", "rvexp.local.program", str(program))
    return study


def _called(study: Study, expected: int = 0) -> list[str]:
    """What the program was called with, once `expected` calls were seen (or 10 s went by)."""
    path = study.common / "called"
    lines: list[str] = []
    for _ in range(200):
        lines = path.read_text().splitlines() if path.exists() else []
        if expected and len(lines) >= expected:
            break
        if not expected and not list(study.common.glob("rvexp/pushed/**/one")):
            time.sleep(0.2)  # long enough for a background call that should not be there
            return path.read_text().splitlines() if path.exists() else []
        time.sleep(0.05)
    return lines


def _refuse_all(study: Study) -> None:
    """Let the experiments repository take nothing."""
    refuser = study.experiments / "hooks" / "update"
    refuser.write_text("#!/bin/sh\nexit 1\n")
    refuser.chmod(0o755)


def _put_foreign(study: Study, text: str) -> None:
    """A transaction hook of the user's own, and then ours beside it."""
    study.clone.rvexp("hook", "uninstall")
    hook = study.common / "hooks" / "reference-transaction"
    hook.write_text(f"#!/bin/sh\n{text}\n")
    hook.chmod(0o755)
    assert study.clone.rvexp("hook", "install").returncode == 0


def test_a_plain_push_publishes(study: Study) -> None:
    """The hook calls the program with the tag, after the push, and says where the log is."""
    done = study.push("experiments", TAG)
    assert done.returncode == 0
    assert f"publishing {TAG}; see" in done.stderr
    assert _called(study, 1) == [f"hook post-push {TAG}"]
    assert (study.common / "rvexp" / "logs" / "post-push.log").exists()


def test_once_for_a_push_of_several(study: Study) -> None:
    """Every snapshot of a push is published, the record and other refs start nothing."""
    other = study.snapshot("two")
    assert study.push("experiments", TAG, other, NOTES, "main").returncode == 0
    assert sorted(_called(study, 2)) == [f"hook post-push {TAG}", f"hook post-push {other}"]


@pytest.mark.parametrize("foreign", [False, True])
def test_what_moves_the_same_refs_publishes_nothing(study: Study, *, foreign: bool) -> None:
    """After the push: a second push, pack-refs, gc and a fetch start nothing, also where our hook is always there."""
    git = study.clone.git
    if foreign:
        _put_foreign(study, "exit 0")
    assert (study.common / "hooks" / "reference-transaction").exists() == foreign
    study.push("experiments", TAG)
    assert len(_called(study, 1)) == 1
    for words in (
        ["push", "experiments", TAG],
        ["pack-refs", "--all"],
        ["gc"],
        ["update-ref", "-d", _TRACKED],
        ["fetch", "experiments"],
    ):
        done = subprocess.run(["git", *words], cwd=study.clone.path, capture_output=True, text=True, check=True)
        assert "hooks/" not in done.stderr
    assert git("rev-parse", _TRACKED) == git("rev-parse", TAG)
    assert len(_called(study)) == 1


def test_only_what_was_pushed_is_published(study: Study) -> None:
    """After a refused push, a fetch that brings another object under the same name publishes nothing."""
    _refuse_all(study)
    assert study.push("experiments", TAG).returncode == 1
    study.clone.git("fetch", "-q", str(study.clone.path), f"main:{_TRACKED}")
    assert study.clone.git("rev-parse", _TRACKED) == study.clone.git("rev-parse", "main")
    time.sleep(0.3)  # long enough for a background call that should not be there
    assert not (study.common / "called").exists()


def test_our_own_push_publishes_nothing(study: Study) -> None:
    """A snapshot pushed by git rvexp itself is published when its user says so, not by the hook."""
    done = study.clone.rvexp("snapshot", "two")
    assert done.returncode == 0, done.stderr
    assert _called(study) == []


def test_the_hook_is_there_for_one_push_only(study: Study) -> None:
    """Between pushes there is no transaction hook that would slow down every commit and fetch."""
    hook = study.common / "hooks" / "reference-transaction"
    assert not hook.exists()
    study.push("experiments", TAG, study.snapshot("two"))
    assert len(_called(study, 2)) == 2
    assert not hook.exists()
    assert not (study.common / "rvexp" / "armed").exists()
    assert study.clone.rvexp("hook", "status").stdout.count("installed") == 2


def test_what_a_refused_push_left_goes_with_the_next(study: Study) -> None:
    """A hook that was put in place for a push which then failed is removed by the next push of anything."""
    _refuse_all(study)
    assert study.push("experiments", TAG).returncode == 1
    hook = study.common / "hooks" / "reference-transaction"
    assert hook.exists()
    assert study.push("public", "HEAD:refs/heads/x").returncode == 0
    assert not hook.exists()
    assert _called(study) == []


def test_a_refused_push_publishes_nothing(study: Study) -> None:
    """When the server says no, nothing is published."""
    _refuse_all(study)
    assert study.push("experiments", TAG).returncode == 1
    assert not (study.common / "called").exists()


def test_a_push_elsewhere_publishes_nothing(study: Study) -> None:
    """Neither a push to the public remote nor other transactions call the program."""
    assert study.push("public", "HEAD:refs/heads/x").returncode == 0
    study.clone.git("tag", "v1")
    assert _called(study) == []


def test_off_again(study: Study) -> None:
    """--no-publish-on-push takes the hook away; the guard stays."""
    study.clone.rvexp("hook", "install", "--no-publish-on-push")
    assert study.push("experiments", TAG).returncode == 0
    assert _called(study) == []
    assert not (study.common / "hooks" / "reference-transaction").exists()
    assert study.push("public", TAG).returncode == 1


def test_a_missing_program_is_told(study: Study) -> None:
    """Where git-rvexp cannot be found the push goes through and says that nothing was published."""
    study.clone.git("config", "rvexp.local.program", "/nowhere/git-rvexp")
    tools = study.clone.path.parent / "bin"
    tools.mkdir()
    for name in ("git", "sh", "rm", "mkdir", "nohup", "cp", "mv", "find", "wc"):
        (tools / name).symlink_to(subprocess.getoutput(f"command -v {name}"))
    done = subprocess.run(
        ["git", "push", "experiments", TAG],
        cwd=study.clone.path,
        env={"PATH": str(tools), "HOME": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "pushed but not published" in done.stderr


def test_a_foreign_transaction_hook_keeps_its_say(study: Study) -> None:
    """A hook that was there is called in every state with its input, and may refuse."""
    words = f'read -r old new ref; echo "$1 $ref" >>"{study.common}/seen"'
    _put_foreign(study, f"{words}; case $1:$ref in prepared:refs/tags/no) exit 1 ;; esac")
    study.clone.git("tag", "yes")
    assert "refs/tags/no" not in study.clone.git("tag", "no", check=False)
    seen = [line for line in (study.common / "seen").read_text().splitlines() if "preparing" not in line]
    assert seen == [
        "prepared refs/tags/yes",
        "committed refs/tags/yes",
        "prepared refs/tags/no",
        "aborted refs/tags/no",
    ]
    assert study.clone.git("tag", "--list", "yes", "no") == "yes"
