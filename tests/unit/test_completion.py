"""TAB: what is offered, and that nothing but git is started for it."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from git_rvexp.commands import VERBS
from git_rvexp.settings import keys
from tests.conftest import Clone

BASH = Path(__file__).parents[2] / "completions" / "git-rvexp.bash"
_ASK = """
source "$SCRIPT"
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_git_rvexp
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def offered(clone: Clone, tmp_path: Path) -> "Offered":
    """What bash offers for the words so far (the last one is being typed)."""
    return Offered(clone, tmp_path)


class Offered:
    """Runs the script with a PATH on which only git is real and every Python leaves a trace."""

    def __init__(self, clone: Clone, tmp_path: Path) -> None:
        self.clone = clone
        self.trace = tmp_path / "python-was-started"
        self.path = tmp_path / "bin"
        self.path.mkdir()
        for name in ("python", "python3", "git-rvexp"):
            shim = self.path / name
            shim.write_text(f"#!/bin/sh\n: > '{self.trace}'\n")
            shim.chmod(shim.stat().st_mode | stat.S_IXUSR)

    def __call__(self, *words: str) -> list[str]:
        """The words offered."""
        env = {**os.environ, "SCRIPT": str(BASH), "PATH": f"{self.path}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "--norc", "-c", _ASK, "bash", *words],
            cwd=self.clone.path,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        assert not self.trace.exists(), "TAB started Python"
        return [line for line in done.stdout.splitlines() if line]


def test_verbs_are_offered_as_git_calls_us_and_as_the_program(offered: Offered) -> None:
    """Behind git's own options, too."""
    assert offered("git", "rvexp", "") == list(VERBS)
    assert offered("git", "-C", "x", "rvexp", "sn") == ["snapshot"]
    assert offered("git-rvexp", "doc") == ["doctor"]


def test_snapshots_are_offered_by_nickname_and_by_parts(offered: Offered, clone: Clone) -> None:
    """A nickname first; with a beginning the full names; other tags never."""
    clone.git("tag", "v1.0")
    for tag in ("al/roads/2026-01-02/unet-512", "al/roads/2026-01-03/tiny", "bo/water/2026-01-02/unet-1"):
        clone.git("tag", "-a", "-m", "x", tag)
    assert sorted(offered("git", "rvexp", "show", "")) == ["tiny", "unet-1", "unet-512"]
    assert sorted(offered("git", "rvexp", "show", "unet")) == ["unet-1", "unet-512"]
    assert offered("git", "rvexp", "show", "b") == ["bo/water/2026-01-02/unet-1"]
    assert sorted(offered("git", "rvexp", "show", "al/r")) == [
        "al/roads/2026-01-02/unet-512",
        "al/roads/2026-01-03/tiny",
    ]
    assert offered("git", "rvexp", "show", "al/roads/2026-01-02/u") == ["al/roads/2026-01-02/unet-512"]
    assert offered("git", "rvexp", "show", "v") == []


def test_options_choices_and_settings_are_offered(offered: Offered) -> None:
    """Of the verb at hand."""
    assert "--dry-run" in offered("git", "rvexp", "snapshot", "--")
    assert "--queue" not in offered("git", "rvexp", "snapshot", "--")
    assert offered("git", "rvexp", "submit", "--executor", "") == ["docker", "batch"]
    assert offered("git", "rvexp", "list", "--color", "al") == ["always"]
    assert [w for w in offered("git", "rvexp", "config", "get", "job.") if w.startswith("job.")] == [
        key.name for key in keys() if key.name.startswith("job.")
    ]
    assert offered("git", "rvexp", "help", "snap") == ["snapshot"]


def test_the_users_own_command_is_left_to_the_shell(offered: Offered) -> None:
    """Behind -- nothing of ours is offered."""
    assert offered("git", "rvexp", "submit", "--", "s") == []
    assert offered("git", "rvexp", "submit", "--queue", "") == []


def test_files_are_left_to_the_shell(offered: Offered, clone: Clone) -> None:
    """The first word of import and chain, and what options take; behind a chain's file stands a snapshot."""
    clone.git("tag", "-a", "-m", "x", "al/roads/2026-01-03/tiny")
    assert offered("git", "rvexp", "import", "") == []
    assert offered("git", "rvexp", "chain", "") == []
    assert offered("git", "rvexp", "chain", "--wait", "t") == []
    assert offered("git", "rvexp", "chain", "chain.toml", "") == ["tiny"]
    assert offered("git", "rvexp", "verify", "--report", "") == []


@pytest.mark.parametrize(
    "line",
    [
        "'__rvexp_at import; and not __rvexp_word' -F",
        "'__rvexp_at chain; and not __rvexp_word' -F",
        "'__rvexp_at chain; and __rvexp_word' -f -a '(__rvexp_tags)'",
        "'__rvexp_at export' -F -s o -l output -r",
        "'__rvexp_at report' -F -s o -l output -r",
        "'__rvexp_at verify' -F -l report -r",
        "'__rvexp_at hook' -F -l server -r",
        "'__rvexp_at run' -F -s v -l volume -r",
    ],
)
def test_fish_offers_files_where_one_belongs(line: str) -> None:
    """It keeps them back wherever it is not told to."""
    script = (BASH.parent / "git-rvexp.fish").read_text()
    assert f"\n__rvexp_complete {line}" in script


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_verb_prints_the_script_that_is_shipped(clone: Clone, shell: str) -> None:
    """So that it can be redirected to where the shell looks."""
    name = {"bash": "git-rvexp.bash", "zsh": "_git-rvexp", "fish": "git-rvexp.fish"}[shell]
    assert clone.rvexp("completion", shell, cwd=Path("/")).stdout == (BASH.parent / name).read_text()
