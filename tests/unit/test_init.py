"""Setting up a clone: what is written, asked and refused, and that doing it twice changes nothing."""

import os
import pty
import select
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.conftest import Clone


def state(clone: Clone) -> dict[str, bytes]:
    """Every file of the clone but git's own index and logs, which plain git commands of the test may touch."""
    files = (p for p in clone.path.rglob("*") if p.is_file() and p.name != "index" and "logs" not in p.parts)
    return {str(p.relative_to(clone.path)): p.read_bytes() for p in files}


QUESTIONS = ("private git URL for", "AWS Batch job queue", "job definition to start from", "registry/repository for")


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


def test_a_remote_that_does_not_answer_is_warned_of_at_once(clone: Clone, tmp_path: Path) -> None:
    """With what git says and what to do; the clone is set up all the same, and an answer is not spoken of."""
    place = tmp_path / "experiments.git"
    done = clone.rvexp("init", "--remote", str(place))
    assert done.returncode == 0, done.stderr
    assert f"warning: the experiments remote cannot be reached: {place}\n" in done.stderr
    assert f"fatal: '{place}' does not appear to be a git repository" in done.stderr
    assert "git ls-remote experiments asks again" in done.stderr
    assert done.stderr.endswith("next: git rvexp snapshot NICK\n")
    assert clone.git("config", "remote.experiments.url") == str(place)
    subprocess.run(["git", "init", "-q", "--bare", place], check=True)
    assert "warning" not in clone.rvexp("init").stderr


def test_a_remote_that_keeps_silent_holds_nobody_up(clone: Clone) -> None:
    """It takes the connection and never says a word: git is stopped, with its helper, and that is told."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = clone.rvexp("init", "--remote", f"http://127.0.0.1:{silent.getsockname()[1]}/x.git")
        with silent.accept()[0] as link:
            link.settimeout(20)
            while link.recv(4096):  # what the helper had asked, and then its end
                pass
    assert done.returncode == 0, done.stderr
    assert "git ls-remote got no answer within 5 s" in done.stderr


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
    assert (code, sum(text in seen for text in QUESTIONS)) == (0, 4)
    assert "job queue (empty: run on this machine): " in seen, "the answer is typed on the question's line"
    assert tomllib.loads((clone.path / ".rvexp.toml").read_text())["ecr_repo"] == "r.example/x"
    code, seen = on_terminal(clone, "init", answers=[""])
    assert (code, [text for text in QUESTIONS if text in seen]) == (0, [])


def test_on_a_terminal_a_tracked_choice_is_shown_and_no_is_the_default(clone: Clone) -> None:
    """An empty answer confirms nothing and sets up nothing."""
    clone.write(".rvexp.toml", 'batch_queue = "theirs"\n')
    code, seen = on_terminal(clone, "init", answers=[""])
    assert "batch_queue = theirs" in seen
    assert code == 2
    assert clone.git("remote") == ""
    code, _ = on_terminal(clone, "init", answers=["y", "", "", ""])
    assert code == 0
