"""Setting up a clone: what is written, asked and refused, and that doing it twice changes nothing."""

import os
import pty
import select
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Clone

HOSTILE = """\
experiments_remote = "{place}"
batch_queue = "gpu"
batch_job_def_name = "theirs"
ecr_repo = "127.0.0.1:{port}/theirs"
archive_url = "http://127.0.0.1:{port}/{{commit}}"
[aws]
endpoint_url = "http://127.0.0.1:{port}"
region = "us-east-1"
profile = "work"
[job]
role_arn = "arn:aws:iam::1:role/x"
[job.env]
AWS_ENDPOINT_URL = "http://127.0.0.1:{port}"
"""


def state(clone: Clone) -> dict[str, bytes]:
    """Every file of the clone but git's own index and logs, which plain git commands of the test may touch."""
    files = (p for p in clone.path.rglob("*") if p.is_file() and p.name != "index" and "logs" not in p.parts)
    return {str(p.relative_to(clone.path)): p.read_bytes() for p in files}


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """A port on loopback, and what was sent to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(65536))

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)


def on_terminal(clone: Clone, *args: str, answers: list[str]) -> tuple[int, str]:
    """The exit code and what a person saw, answering each question in turn."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "git_rvexp", *args]
    with subprocess.Popen(command, cwd=clone.path, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        os.write(master, "".join(f"{a}\n" for a in answers).encode())
        seen = b""
        while select.select([master], [], [], 60)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
    os.close(master)
    return process.returncode, seen.decode()


def test_without_terminal_and_arguments_it_sets_up_everything_and_asks_nothing(clone: Clone) -> None:
    """The experiments repository inside the clone, the guard, the notes, and a file that chooses nothing."""
    done = clone.rvexp("init")
    assert done.returncode == 0, done.stderr
    assert done.stderr.rstrip().splitlines()[-1] == "next: git rvexp snapshot NICK"
    assert clone.git("config", "remote.experiments.url") == f"{clone.path}/.git/rvexp/experiments.git"
    assert clone.git("config", "core.notesRef") == "refs/notes/rvexp"
    assert (clone.path / ".git/hooks/pre-push").exists() or clone.git("config", "hook.rvexp-pre-push.command")
    content = tomllib.loads((clone.path / ".rvexp.toml").read_text())
    assert all(value == {} for value in content.values())
    assert clone.git("status", "--porcelain") == "?? .rvexp.toml"


def test_doing_it_again_changes_nothing(clone: Clone) -> None:
    """With and without the same answers."""
    words = ["init", "--queue", "gpu", "--job-def", "base", "--ecr-repo", "localhost:5000/x"]
    assert clone.rvexp(*words).returncode == 0
    before = state(clone)
    assert clone.rvexp(*words).returncode == 0
    assert clone.rvexp("init").returncode == 0
    assert state(clone) == before


def test_each_answer_has_an_option_and_the_file_shows_all_other_settings(clone: Clone, tmp_path: Path) -> None:
    """What was answered is in force; everything else stands there commented out."""
    there = tmp_path / "experiments.git"
    subprocess.run(["git", "init", "-q", "--bare", there], check=True)
    clone.rvexp("init", "--remote", str(there), "--queue", "gpu", "--job-def", "base", "--ecr-repo", "r.example/x")
    text = (clone.path / ".rvexp.toml").read_text()
    content = tomllib.loads(text)
    assert {k: v for k, v in content.items() if v != {}} == {
        "experiments_remote": str(there),
        "batch_queue": "gpu",
        "batch_job_def_name": "base",
        "ecr_repo": "r.example/x",
    }
    assert "#memory = 0" in text
    assert clone.rvexp("snapshot", "one").returncode == 0
    assert (
        subprocess.run(["git", "-C", there, "tag"], capture_output=True, text=True, check=True)
        .stdout.strip()
        .endswith("/one")
    )


def test_an_existing_file_keeps_its_comments(clone: Clone) -> None:
    """Only the answered line comes; nothing is rewritten."""
    before = "# the team's\nproject = 'roads'   # short\n\n[job]\nmemory = 512 # enough\n"
    clone.write(".rvexp.toml", before)
    clone.rvexp("init", "--queue", "gpu")
    after = (clone.path / ".rvexp.toml").read_text()
    assert [line for line in after.splitlines() if line not in before.splitlines()] == ['batch_queue = "gpu"']
    assert [line for line in after.splitlines() if line != 'batch_queue = "gpu"'] == before.splitlines()


def test_a_dry_run_shows_the_lines_and_writes_nothing(clone: Clone) -> None:
    """Also not the remote or the notes' name."""
    before = state(clone)
    done = clone.rvexp("init", "-n", "--queue", "gpu")
    assert '+batch_queue = "gpu"' in done.stderr
    assert state(clone) == before


def test_what_the_remote_refuses_leaves_the_clone_as_it_was(clone: Clone, tmp_path: Path) -> None:
    """Origin is no place for snapshots: no file, no remote, no notes."""
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "public.git"], check=True)
    clone.git("remote", "add", "origin", str(tmp_path / "public.git"))
    before = state(clone)
    done = clone.rvexp("init", "--remote", str(tmp_path / "public.git"))
    assert done.returncode == 2
    assert "same place as origin" in done.stderr
    assert state(clone) == before


def test_snapshots_move_out_to_a_real_remote(clone: Clone, tmp_path: Path) -> None:
    """From the repository inside the clone to one elsewhere: init, sync, and tag and record are there."""
    there = tmp_path / "experiments.git"
    subprocess.run(["git", "init", "-q", "--bare", there], check=True)
    clone.rvexp("snapshot", "one")
    assert clone.rvexp("init", "--remote", str(there)).returncode == 0
    done = clone.rvexp("sync")
    assert done.returncode == 0, done.stderr
    refs = subprocess.run(["git", "-C", there, "for-each-ref", "--format=%(refname)"], capture_output=True, check=True)
    assert b"/one\n" in refs.stdout
    assert b"refs/notes/rvexp\n" in refs.stdout


def test_users_with_notes_of_their_own_keep_them_as_the_default(clone: Clone) -> None:
    """core.notesRef is not touched where refs/notes/commits is in use."""
    clone.git("notes", "add", "-m", "mine", "HEAD")
    clone.rvexp("init")
    assert clone.git("config", "--get", "core.notesRef", check=False) == ""


def test_on_a_terminal_it_asks_at_most_four_questions_and_takes_no_for_an_answer(clone: Clone) -> None:
    """Two are enough without a queue; with one, two more. An empty answer keeps everything here."""
    code, seen = on_terminal(clone, "init", answers=["", "", "", ""])
    assert (code, seen.count("(empty:")) == (0, 2)
    assert all(v == {} for v in tomllib.loads((clone.path / ".rvexp.toml").read_text()).values())
    (clone.path / ".rvexp.toml").unlink()
    clone.git("remote", "remove", "experiments")
    code, seen = on_terminal(clone, "init", answers=["", "gpu", "base", "r.example/x"])
    asked = [line for line in seen.splitlines() if line.endswith(":")]
    assert (code, len(asked)) == (0, 4)
    assert tomllib.loads((clone.path / ".rvexp.toml").read_text())["ecr_repo"] == "r.example/x"
    code, seen = on_terminal(clone, "init", answers=[""])
    assert [line for line in seen.splitlines() if line.endswith(":")] == []


def test_a_hostile_file_runs_nothing_sends_nothing_and_is_shown(
    new_clone: Callable[[str], Clone], tmp_path: Path, sealed: Path
) -> None:
    """Until it is confirmed every verb that would act on it refuses, naming each value; nobody is talked to."""
    (sealed / "aws-credentials").write_text("[work]\naws_access_key_id = AKIDTEST\naws_secret_access_key = hunter2\n")
    (sealed / "aws-config").write_text("[profile work]\nregion = us-east-1\n")
    theirs = tmp_path / "theirs.git"
    subprocess.run(["git", "init", "-q", "--bare", theirs], check=True)
    clone = new_clone("cloned")
    with listening() as (port, heard):
        clone.write(".rvexp.toml", HOSTILE.format(place=theirs, port=port))
        clone.commit("hostile")
        for words in (["snapshot", "x"], ["init"], ["init", "--yes"], ["sync"], ["submit", "--", "true"], ["publish"]):
            done = clone.rvexp(*words)
            assert done.returncode != 0, words
        told = clone.rvexp("init").stderr
        report = clone.rvexp("doctor").stdout
        clone.rvexp("list")
        clone.rvexp("status")
        assert heard == []
    for value in ("theirs.git", "gpu", "endpoint_url", "ecr_repo", "archive_url", "aws.profile", "role_arn", "job.env"):
        assert value in told
    assert "git rvexp init --confirm" in report
    assert "hunter2" not in told + report
    assert not list(theirs.rglob("*/refs/**/x"))
    assert clone.git("tag") == clone.git("remote") == ""


@pytest.mark.parametrize(
    "line",
    [
        "experiments_remote = \"ext::sh -c 'touch owned'\"",
        'experiments_remote = "--upload-pack=touch owned"',
        'github_experiment_repo = "-oProxyCommand=touch/owned"',
        "[image]\ndockerfile = '../../owned'",
        "[image]\nplatform = '--output=owned'",
        'batch_queue = "\\u001b[2J"',
    ],
)
def test_values_that_could_run_something_are_refused_even_when_confirmed(clone: Clone, line: str) -> None:
    """--confirm is for places, not for commands; what is shown cannot drive a terminal either."""
    clone.write(".rvexp.toml", line + "\n")
    for words in (["init", "--confirm"], ["snapshot", "x"], ["config", "list"]):
        done = clone.rvexp(*words)
        assert done.returncode == 2
        assert "\x1b" not in done.stdout + done.stderr
    assert not (clone.path / "owned").exists()


def test_a_repository_that_came_with_the_files_is_no_place_for_snapshots(clone: Clone) -> None:
    """Its hooks would run at the first push; not even --confirm takes it."""
    subprocess.run(["git", "init", "-q", "--bare", clone.path / "data" / "store.git"], check=True)
    hook = clone.path / "data/store.git/hooks/pre-receive"
    hook.write_text(f"#!/bin/sh\ntouch {clone.path}/owned\n")
    hook.chmod(0o755)
    clone.write(".rvexp.toml", 'experiments_remote = "data/store.git"\n')
    done = clone.rvexp("init", "--confirm")
    assert done.returncode == 2
    assert "folder of this work tree" in done.stderr
    assert clone.rvexp("snapshot", "x").returncode == 2
    assert not (clone.path / "owned").exists()


def test_confirm_shows_the_values_and_holds_until_one_changes(clone: Clone, tmp_path: Path) -> None:
    """Other branches' values are asked once each."""
    there = tmp_path / "experiments.git"
    subprocess.run(["git", "init", "-q", "--bare", there], check=True)
    clone.write(".rvexp.toml", f'experiments_remote = "{there}"\n')
    done = clone.rvexp("init", "--confirm")
    assert done.returncode == 0
    assert f"experiments_remote = {there}   ({clone.path}/.rvexp.toml:1)" in done.stderr
    assert clone.rvexp("snapshot", "one").returncode == 0
    clone.write(".rvexp.toml", f'experiments_remote = "{there}"\nbatch_queue = "q"\n')
    assert clone.rvexp("snapshot", "two").returncode == 2
    assert clone.rvexp("init", "--confirm").returncode == 0
    clone.write(".rvexp.toml", f'experiments_remote = "{there}"\n')
    assert clone.rvexp("snapshot", "three").returncode == 0


def test_on_a_terminal_a_tracked_choice_is_shown_and_no_is_the_default(clone: Clone) -> None:
    """An empty answer confirms nothing and sets up nothing."""
    clone.write(".rvexp.toml", 'batch_queue = "theirs"\n')
    code, seen = on_terminal(clone, "init", answers=[""])
    assert "batch_queue = theirs" in seen
    assert code == 2
    assert clone.git("remote") == ""
    code, _ = on_terminal(clone, "init", answers=["y", "", "", ""])
    assert code == 0
