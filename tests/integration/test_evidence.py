"""What is kept of runs when S3 could not be read, cannot be, or holds what the run itself has left there."""

import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from git_rvexp import aws
from git_rvexp.settings import Settings
from tests.conftest import Clone
from tests.integration.parts import Stack, make_digits, reach_aws
from tests.integration.test_repeat import NOT_COMPARABLE, SAME, field, ran


@pytest.fixture
def digits(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """The example with a snapshot, an engine, S3, and a record of its own."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    clone = make_digits(stack, tmp_path / "digits")
    clone.git("init", "-q", "--bare", str(tmp_path / "experiments.git"))
    clone.git("config", "rvexp.experiments-remote", str(tmp_path / "experiments.git"))
    reach_aws(clone, stack)
    clone.rvexp("snapshot", "first")
    return clone


@pytest.fixture
def bucket() -> str:
    """The name of a bucket that does not exist yet."""
    return f"late-{uuid.uuid4().hex[:12]}"


def put(bucket: str, key: str, text: str, kind: str = "STANDARD") -> Any:
    """Write an object of a storage class, into a bucket that is made when it is not there; the client that did it."""
    s3: Any = aws.client("s3", Settings())
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), StorageClass=kind)
    return s3


def test_outputs_that_nobody_could_read_are_read_by_a_later_look(digits: Clone, bucket: str) -> None:
    """Until then verify cannot tell; then the list is whole, and so is what was said of repeats meanwhile."""
    tag = digits.git("tag")
    first = ran(digits, "--output", f"s3://{bucket}/out/", "--", "true")
    again = digits.rvexp("repeat", first, "--wait")
    assert again.returncode == NOT_COMPARABLE, again.stderr
    second = again.stdout.split()[0]
    put(bucket, "out/a.csv", "1,2\n")
    told = digits.rvexp("verify", first).stdout
    assert f"? outputs    not read when the run ended: s3://{bucket}/out/: " in told, told
    assert f"git rvexp status -r {first}" in told
    assert digits.rvexp("status", "-r", second).returncode == 0
    assert field(digits, tag, "verdict", "result") == "not-comparable"
    done = digits.rvexp("repeat", first, "--wait")
    assert (done.returncode, done.stdout.splitlines()[1]) == (SAME, "identical; 1 file"), done.stderr
    assert re.search("verdict +identical; 1 file", digits.rvexp("show", second).stdout)
    checked = digits.rvexp("verify", first)
    assert (checked.returncode, "outputs    1 file(s) are as the run left them" in checked.stdout) == (0, True), checked
    lines = digits.git("notes", "show", tag)
    assert digits.rvexp("status", "-r").returncode == 0
    assert digits.git("notes", "show", tag) == lines


def test_what_the_original_left_is_no_input_of_its_repeat(digits: Clone, bucket: str) -> None:
    """A place in the command that was empty is where the run writes, in a repeat of a repeat too."""
    put(bucket, "other", "")
    tag = digits.git("tag")
    first = ran(digits, "--output", "out", "--", "sh", "-c", f"mkdir -p out; echo s3://{bucket}/results/ > out/x")
    put(bucket, "results/a.csv", "1,2\n")
    second = ran_again(digits, first)
    assert f'"uri":"s3://{bucket}/results/","manifest":"sha256:' in digits.git("notes", "show", tag)
    put(bucket, "results/a.csv", "3,4\n")
    put(bucket, "results/b.csv", "5,6\n")
    ran_again(digits, second)
    for run in (first, second):
        assert "repeatable now: yes" in digits.rvexp("verify", run).stdout


def ran_again(clone: Clone, run: str) -> str:
    """Repeat a run; the repeat's id."""
    done = clone.rvexp("repeat", run, "--wait")
    assert done.returncode == SAME, done.stdout + done.stderr
    return done.stdout.split()[0]


def test_archived_inputs_stop_a_repeat_until_they_are_restored(digits: Clone, bucket: str) -> None:
    """They are what they were, and no job could read them."""
    put(bucket, "in/a b.csv", "1,2\n")
    tag = digits.git("tag")
    place = f"s3://{bucket}/in/a b.csv"
    first = ran(digits, "--output", "out", "--input", place, "--", "sh", "-c", "mkdir out; echo > out/x")
    s3 = put(bucket, "in/a b.csv", "1,2\n", "GLACIER")
    told = digits.rvexp("verify", first)
    assert f"✗ inputs     {place}: archived in Glacier" in told.stdout, told.stdout
    assert f"aws s3api restore-object --bucket {bucket} --key 'in/a b.csv' --restore-request Days=7" in told.stdout
    assert (told.returncode, "repeatable now: no: inputs" in told.stdout) == (1, True)
    refused = digits.rvexp("repeat", first)
    assert refused.returncode == 1
    assert f"{place}: 1 object(s) archived in Glacier" in refused.stderr
    assert f"hint: git rvexp verify {first} tells how to restore them; --allow-data-drift" in refused.stderr
    assert digits.rvexp("repeat", first, "--allow-data-drift").returncode == 0
    assert f'drift=["{place}: 1 object(s) archived in Glacier' in digits.git("notes", "show", tag)
    s3.restore_object(Bucket=bucket, Key="in/a b.csv", RestoreRequest={"Days": 1})
    assert "repeatable now: yes" in digits.rvexp("verify", first).stdout
    ran_again(digits, first)


def test_outputs_in_s3_can_be_looked_at_from_any_engine(
    digits: Clone, stack: Stack, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is in a container is another engine's alone."""
    put(bucket, "out/a.csv", "1,2\n")
    first = ran(digits, "--output", f"s3://{bucket}/out/", "--", "true")
    monkeypatch.setenv("DOCKER_HOST", stack.second_engine)
    assert "✓ outputs    1 file(s) are as the run left them" in digits.rvexp("verify", first).stdout
    put(bucket, "out/a.csv", "1,3\n")
    assert "! outputs    1 changed" in digits.rvexp("verify", first).stdout
