"""What every test gets: an environment that is nobody's, and a small repository on demand."""

import os
import sys
from pathlib import Path

import pytest

from tests.cli import git

_KEPT_GIT = ("GIT_EXEC_PATH",)


@pytest.fixture(autouse=True)
def hermetic(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration, identity, credential, clock zone or editor of whoever runs the tests is seen by them."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        ours = name.startswith(("GIT_", "RVEXP_", "XDG_", "AWS_")) and name not in _KEPT_GIT
        if ours or name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "EMAIL", "PAGER", "COLUMNS", "LINES"):
            monkeypatch.delenv(name)
    fixed = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_AUTHOR_NAME": "Ada L.",
        "GIT_AUTHOR_EMAIL": "al@example.org",
        "GIT_COMMITTER_NAME": "Ada L.",
        "GIT_COMMITTER_EMAIL": "al@example.org",
        "GIT_EDITOR": "false",
        "GIT_TERMINAL_PROMPT": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    for name, value in fixed.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository `demo` with one commit of one file."""
    top = tmp_path / "demo"
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=main")
    (top / "train.py").write_text("print('train')\n")
    git(top, "add", "train.py")
    git(top, "commit", "--quiet", "-m", "Begin")
    return top
