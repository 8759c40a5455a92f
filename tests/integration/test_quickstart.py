"""The two quick starts of the README, as a newcomer types them: what they leave behind, seen by other programs."""

import json
import os
import re
import subprocess
from pathlib import Path

from tests.integration.parts import PROJECT, Stack

LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?P<kind>[a-z]+) (?P<rest>.*)$")


def quickstart(into: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dev/quickstart; it has to succeed."""
    env = {k: v for k, v in os.environ.items() if k != "DOCKER_HOST"}
    command = [str(PROJECT / "dev" / "quickstart"), "--into", str(into), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def git(folder: Path, *arguments: str) -> str:
    """What plain git prints in the copy of the example."""
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def record(folder: Path) -> list[tuple[str, str]]:
    """The kinds and the rest of the lines that `git notes show` prints for the only tag there is."""
    lines = git(folder, "notes", "show", git(folder, "tag", "--list")).splitlines()
    found = [LINE.match(line) for line in lines]
    assert all(found), lines
    return [(match["kind"], match["rest"]) for match in found if match]


def value(rest: str, key: str) -> str:
    """A text value of an event's line."""
    found = re.search(rf'\b{key}="([^"]*)"', rest)
    assert found, (key, rest)
    return found[1]


def test_quickstart_records_one_whole_experiment(stack: Stack, tmp_path: Path) -> None:
    """The main job on this machine's engine: snapshot, image, planned, submitted, ended; and what to type next."""
    done = quickstart(tmp_path)
    kinds = [kind for kind, _ in record(tmp_path / "digits")]
    assert kinds == ["snapshot", "image", "planned", "submitted", "ended", "metrics"]
    assert value(dict(record(tmp_path / "digits"))["ended"], "state") == "SUCCEEDED"
    assert done.stderr.rstrip().endswith("git rvexp submit --wait -- python3 train.py")


def test_quickstart_again_leaves_the_first_copy_alone(stack: Stack, tmp_path: Path) -> None:
    """A second run goes to a copy of its own."""
    quickstart(tmp_path)
    before = git(tmp_path / "digits", "for-each-ref")
    quickstart(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits", "digits-2"]
    assert git(tmp_path / "digits", "for-each-ref") == before


def test_quickstart_through_batch_is_seen_from_outside(stack: Stack, tmp_path: Path) -> None:
    """With --batch the aws CLI knows the job as SUCCEEDED and skopeo finds the definition's image by digest."""
    done = quickstart(tmp_path, "--batch")
    events = dict(record(tmp_path / "digits"))
    assert list(events) == ["snapshot", "image", "definition", "planned", "submitted", "ended", "metrics"]
    job = stack.aws("batch", "describe-jobs", "--jobs", value(events["submitted"], "job"))["jobs"][0]
    assert job["status"] == "SUCCEEDED"
    arn = f"--job-definitions={job['jobDefinition']}"
    definition = stack.aws("batch", "describe-job-definitions", arn)["jobDefinitions"][0]
    image = definition["containerProperties"]["image"]
    seen = stack.run("skopeo", "inspect", "--tls-verify=false", f"docker://{image}").stdout
    assert image.endswith("@" + json.loads(seen)["Digest"])
    assert stack.forge_password not in done.stdout + done.stderr


def test_quickstart_pushes_tag_and_record_to_the_forge(stack: Stack, tmp_path: Path) -> None:
    """A stranger's clone of the forge's repository, with its notes, shows the same record."""
    quickstart(tmp_path, "--batch")
    copy = tmp_path / "digits"
    remote = git(copy, "config", "rvexp.experiments-remote")
    helper = git(copy, "config", "credential.helper")
    git(tmp_path, "init", "--quiet", "stranger")
    stranger = tmp_path / "stranger"
    git(stranger, "-c", f"credential.helper={helper}", "fetch", "--quiet", remote, "refs/*:refs/*")
    tag = git(stranger, "tag", "--list")
    assert git(stranger, "notes", "--ref=rvexp", "show", tag) == git(copy, "notes", "show", tag)
