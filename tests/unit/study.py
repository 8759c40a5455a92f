"""A clone with a public and an experiments remote, both bare, and one snapshot: what the hook tests start from."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.commands.session import Session
from git_rvexp.output import Speaker
from git_rvexp.workflow.snapshotting import take as snapshot
from git_rvexp.workflow.snapshotting.naming import Request
from tests.conftest import Clone

TAG = "al/roads/2026-01-02/one"
NOTES = "refs/notes/rvexp"


@dataclass(frozen=True)
class Study:
    """The clone, where its remotes are, and its snapshot's tag."""

    clone: Clone
    public: Path
    experiments: Path

    @property
    def common(self) -> Path:
        """The clone's git directory."""
        return self.clone.path / ".git"

    def push(self, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A user's `git push`, with its hooks."""
        return subprocess.run(
            ["git", "push", *args], cwd=cwd or self.clone.path, capture_output=True, text=True, check=False
        )

    def refs(self, where: Path) -> dict[str, str]:
        """Ref -> object in a bare repository."""
        lines = self.clone.git("ls-remote", str(where)).splitlines()
        return {ref: oid for oid, ref in (line.split("\t") for line in lines) if ref != "HEAD" and "^{}" not in ref}

    def snapshot(self, nickname: str) -> str:
        """Another snapshot, kept here; its tag."""
        request = Request(nickname, initials="al", project="roads", date="2026-01-02", push=False)
        session = Session(os.environ, self.clone.path, Speaker.make(os.environ))
        return snapshot.take(session.context, request).snapshot.tag


def make_study(new_clone: Callable[[str], Clone], tmp_path: Path) -> Study:
    """Public has the first commit, the experiments remote nothing; the snapshot is kept here."""
    clone = new_clone("roads")
    public, experiments = tmp_path / "public.git", tmp_path / "experiments.git"
    for bare in (public, experiments):
        clone.git("init", "-q", "--bare", str(bare))
    clone.git("remote", "add", "public", str(public))
    clone.git("push", "-q", "-u", "public", "main")
    clone.git("config", "rvexp.experiments-remote", str(experiments))
    study = Study(clone, public, experiments)
    clone.write("train.py", "print('unpublished')\n")
    assert study.snapshot("one") == TAG
    return study
