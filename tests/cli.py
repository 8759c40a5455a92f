"""Running the real programs in tests: git, and git rvexp as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def git(cwd: Path, *args: str, text: str = "") -> str:
    """What `git <args>` prints, without its last newline; the test fails when git does."""
    done = subprocess.run(["git", *args], cwd=cwd, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
    return done.stdout.removesuffix("\n")


def rvexp(
    *args: str, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """`git rvexp <args>` run to its end; `env` comes on top of this process's environment."""
    return subprocess.run(
        [sys.executable, "-m", "git_rvexp", *args],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
