"""Every test runs sealed off: its own home, git configuration, time zone and no AWS; the real git and the real CLI."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.schemas import check_printed

_LONG_KEPT = 2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With RVEXP_DEV_LONG=bounded, as in CI, the first two cases of each test that is marked `long` stand for all."""
    if os.environ.get("RVEXP_DEV_LONG") != "bounded":
        return
    seen: dict[str, int] = {}
    dropped = []
    for item in items:
        if item.get_closest_marker("long"):
            name = item.nodeid.partition("[")[0]
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > _LONG_KEPT:
                dropped.append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]


def plain_environment() -> dict[str, str]:
    """The environment for a program whose loaded modules are looked at: coverage, where it measures, loads its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


@pytest.fixture(autouse=True)
def sealed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own; no system or user configuration, no editor, no prompt, no AWS variables."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("GIT_", "AWS_", "RVEXP_")) and not name.startswith("RVEXP_DEV_"):
            monkeypatch.delenv(name)
    settings = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "DOCKER_CONFIG": str(home / ".docker"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_EDITOR": "false",
        "RVEXP_SECRETS_SCAN": "own",  # whatever scanner this machine has is not asked
        "GIT_TERMINAL_PROMPT": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "aws-credentials"),
        "TZ": "UTC",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
        '[protocol "file"]\n\tallow = always\n'
    )
    return home


@dataclass(frozen=True)
class Clone:
    """A work tree under test, with the real git and the real command line."""

    path: Path

    def git(self, *args: str, check: bool = True, env: Mapping[str, str] | None = None) -> str:
        """What plain git prints, without the last newline."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"git {args} failed: {done.stderr}")
        return done.stdout.removesuffix("\n")

    def rvexp(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line as a process of its own; a document that it prints is what its schema says."""
        done = subprocess.run(
            [sys.executable, "-m", "git_rvexp", *args],
            cwd=cwd or self.path,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        check_printed(done.stdout)
        return done

    def write(self, name: str, text: str) -> Path:
        """Write a file of the work tree."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def commit(self, message: str = "change") -> str:
        """Commit everything; the commit's id."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def new_clone(tmp_path: Path) -> Callable[[str], Clone]:
    """Make repositories by name, each with one commit."""

    def make(name: str) -> Clone:
        clone = Clone(tmp_path / name)
        clone.path.mkdir()
        clone.git("init", "-q")
        clone.write("train.py", "print('hello')\n")
        clone.commit("first")
        return clone

    return make


@pytest.fixture
def clone(new_clone: Callable[[str], Clone]) -> Clone:
    """A repository called `roads` with one commit."""
    return new_clone("roads")
