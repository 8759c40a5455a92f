"""Files that other people track: what they choose is shown and refused until the user stands by it."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.listening import listening

HOSTILE = """\
experiments_remote = "{place}"
batch_queue = "gpu"
batch_job_def_name = "theirs"
ecr_repo = "127.0.0.1:{port}/theirs"
archive_url = "http://127.0.0.1:{port}/{{commit}}"
store = "s3://their-bucket/exp"
[aws]
endpoint_url = "http://127.0.0.1:{port}"
region = "us-east-1"
profile = "work"
[job]
role_arn = "arn:aws:iam::1:role/x"
[job.env]
AWS_ENDPOINT_URL = "http://127.0.0.1:{port}"
"""


def test_a_hostile_file_runs_nothing_sends_nothing_and_is_shown(
    new_clone: Callable[[str], Clone], tmp_path: Path, sealed: Path
) -> None:
    """Until it is confirmed every verb that would act on it refuses, naming each value; nobody is talked to."""
    (sealed / "aws-credentials").write_text("[work]\naws_access_key_id = AKIDTEST\naws_secret_access_key = hunter2\n")
    (sealed / "aws-config").write_text("[profile work]\nregion = us-east-1\n")
    theirs = tmp_path / "theirs.git"
    subprocess.run(["git", "init", "-q", "--bare", theirs], check=True)
    clone = new_clone("cloned")
    heard: list[bytes] = []
    with listening(lambda connection: heard.append(connection.recv(65536))) as port:
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
    for value in (
        "theirs.git",
        "gpu",
        "their-bucket",
        "endpoint_url",
        "ecr_repo",
        "archive_url",
        "aws.profile",
        "role_arn",
        "job.env",
    ):
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


def test_what_a_profile_chooses_is_confirmed_by_what_the_hint_says(clone: Clone, tmp_path: Path) -> None:
    """The command in the hint names the profile of the flag; typed as it stands, it is enough."""
    there = tmp_path / "experiments.git"
    subprocess.run(["git", "init", "-q", "--bare", there], check=True)
    clone.write(".rvexp.toml", f'[profile."my team"]\nexperiments_remote = "{there}"\n')
    refused = clone.rvexp("snapshot", "one", "--profile", "my team")
    assert refused.returncode == 2
    hint = re.search(r"hint: git rvexp (.*), if these are yours", refused.stderr)
    assert hint
    assert clone.rvexp(*shlex.split(hint[1])).returncode == 0
    assert clone.rvexp("snapshot", "one", "--profile", "my team").returncode == 0


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


def test_what_goes_before_a_confirmed_value_opens_none_of_the_others(clone: Clone, tmp_path: Path) -> None:
    """A flag, a variable or a profile of one's own replaces one value; the file's others stay confirmed."""
    there = tmp_path / "experiments.git"
    subprocess.run(["git", "init", "-q", "--bare", there], check=True)
    clone.write(".rvexp.toml", f'experiments_remote = "{there}"\nbatch_queue = "q"\nexecutor = "docker"\n')
    assert clone.rvexp("init", "--confirm").returncode == 0
    assert clone.rvexp("snapshot", "one", env={"RVEXP_BATCH_QUEUE": "other"}).returncode == 0
    assert clone.rvexp("init", "-y", "--queue", "other", "-n").returncode == 0
    assert clone.rvexp("init", "-y", "--queue", "other").returncode == 0
    assert clone.rvexp("snapshot", "two").returncode == 0
    clone.write(".rvexp.toml", f'experiments_remote = "{there}"\nbatch_queue = "theirs"\n')
    done = clone.rvexp("snapshot", "three")
    assert done.returncode == 2
    assert "batch_queue = 'theirs'" in done.stderr
    assert str(there) not in done.stderr, "confirmed before"
