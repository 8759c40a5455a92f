"""Two commands of one clone, of which one waits between the remote's answer and the look at it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from tests.conftest import Clone

# git answers, and the program gets the answer to `ls-remote` when the test is done with what it does meanwhile.
_WAITING = """\
#!/bin/sh
{git} "$@"
code=$?
case " $* " in *" ls-remote "*) : >"{folder}/asked"; while [ ! -e "{folder}/go" ]; do sleep 0.02; done;; esac
exit $code
"""


@pytest.fixture
def shared(new_clone: Callable[[str], Clone], tmp_path: Path) -> Clone:
    """A clone with an experiments remote that is empty so far."""
    clone, remote = new_clone("roads"), tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(remote))
    clone.git("config", "rvexp.experimentsRemote", str(remote))
    return clone


@dataclass(frozen=True)
class Asking:
    """A `git rvexp` that has the remote's first answer on the way, until it is told to go on."""

    process: subprocess.Popen[bytes]
    folder: Path

    @classmethod
    def start(cls, clone: Clone, folder: Path, *words: str) -> Self:
        """Start `git rvexp WORDS`, and wait until the remote has answered."""
        folder.mkdir()
        (folder / "git").write_text(_WAITING.format(git=shutil.which("git"), folder=folder))
        (folder / "git").chmod(0o755)
        env = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        with (folder / "told").open("wb") as told:
            command = [sys.executable, "-m", "git_rvexp", *words]
            process = subprocess.Popen(command, cwd=clone.path, env=env, stdout=told, stderr=told)
        while not (folder / "asked").exists():
            assert process.poll() is None, (folder / "told").read_text()
            time.sleep(0.02)
        return cls(process, folder)

    def end(self) -> tuple[int, str]:
        """Let it go on to its end: exit code and all that was printed."""
        (self.folder / "go").touch()
        return self.process.wait(), (self.folder / "told").read_text()


@pytest.mark.parametrize("before", [0, 1])
def test_a_snapshot_beside_a_sync_is_no_alarm(shared: Clone, tmp_path: Path, before: int) -> None:
    """What another command pushed after the remote was asked was not deleted there: neither its tag nor the record."""
    for number in range(before):
        assert shared.rvexp("snapshot", f"n{number}").returncode == 0
    sync = Asking.start(shared, tmp_path / "bin", "sync")
    tag = shared.rvexp("snapshot", "meanwhile").stdout.strip()
    code, told = sync.end()
    assert code == 0, told
    assert shared.git("rev-parse", f"refs/rvexp/published/{tag}") == shared.git("rev-parse", tag)
    assert shared.rvexp("sync").stdout == ""


def test_a_publish_beside_a_sync_is_no_alarm(shared: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tag that went to the remote after it was asked was not deleted from it: what stops this one is no engine."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    shared.write("Dockerfile", "FROM scratch\nCOPY . /\n")
    tag = shared.rvexp("snapshot", "demo", "--no-push").stdout.strip()
    publish = Asking.start(shared, tmp_path / "bin", "publish", tag)
    assert shared.rvexp("sync").stdout == f"pushed\t{tag}\n"
    code, told = publish.end()
    assert (code, told.splitlines()[0]) == (1, "error: no Docker engine answers at tcp://127.0.0.1:1")
    assert shared.rvexp("sync").stdout == ""


def test_a_sync_beside_a_verify_is_no_alarm(shared: Clone, tmp_path: Path) -> None:
    """A tag and a record that went to the remote after it was asked were not deleted from it."""
    tag = shared.rvexp("snapshot", "demo", "--no-push").stdout.strip()
    verify = Asking.start(shared, tmp_path / "bin", "verify", tag)
    assert shared.rvexp("sync").stdout == f"pushed\t{tag}\n"
    code, told = verify.end()
    assert "does not have the tag yet" in told, (code, told)
    assert "deleted" not in told
    assert "rewritten" not in told


def test_syncs_at_the_same_time_agree(shared: Clone, tmp_path: Path) -> None:
    """The first syncs of a new clone, side by side: each goes well."""
    assert shared.rvexp("snapshot", "demo", "--no-push").returncode == 0
    syncs = [Asking.start(shared, tmp_path / name, "sync") for name in ("one", "two")]
    assert shared.rvexp("sync").returncode == 0
    for sync in syncs:
        code, told = sync.end()
        assert code == 0, told
    assert shared.rvexp("sync").stdout == ""
