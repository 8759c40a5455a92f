"""Repeating for real: on an engine, on Batch, from a fresh clone of the experiments remote, over S3 inputs."""

import json
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import BatchWorld, ForgeRepo, Stack, make_digits, reach, use_batch

QUICK = ["python3", "train.py", "--epochs", "1"]
SAME, DIFFERS, NOT_COMPARABLE = 0, 1, 3


@pytest.fixture
def digits(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """The example with its outputs declared, its record in a bare repository beside it, and the engine at hand."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = make_digits(stack, tmp_path / "digits")
    clone.git("init", "-q", "--bare", str(tmp_path / "experiments.git"))
    clone.git("config", "rvexp.experiments-remote", str(tmp_path / "experiments.git"))
    clone.git("config", "rvexp.run.outputs", "out")
    return clone


@pytest.fixture
def on_batch(
    digits: Clone,
    stack: Stack,
    registry_repo: str,
    batch_world: BatchWorld,
    forge_repo: Callable[[], ForgeRepo],
    monkeypatch: pytest.MonkeyPatch,
) -> Clone:
    """The same with a forge, a registry and a queue."""
    reach(digits, stack, forge_repo().url)
    use_batch(digits, batch_world, registry_repo)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", stack.aws_access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", stack.aws_secret_access_key)
    return digits


def ran(clone: Clone, *words: str) -> str:
    """Submit and wait; the run's id."""
    done = clone.rvexp("submit", "--wait", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def field(clone: Clone, tag: str, kind: str, key: str) -> str:
    """A text field of the last event of a kind, by plain git."""
    line = [n for n in clone.git("notes", "show", tag).splitlines() if n.split(" ")[1] == kind][-1]
    found = re.search(rf' {key}="([^"]*)"', line)
    assert found, line
    return found[1]


def test_the_same_again_is_identical(digits: Clone) -> None:
    """The example, repeated with its recorded seed after the work tree has gone elsewhere, writes the same bytes."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    first = ran(digits, "--", *QUICK)
    for name in ("Dockerfile", "train.py"):
        (digits.path / name).unlink()
    digits.git("config", "rvexp.image.buildArgs", "BASE=nowhere")
    digits.git("config", "--unset", "rvexp.run.outputs")
    done = digits.rvexp("repeat", first, "--wait")
    assert done.returncode == SAME, done.stderr
    assert done.stdout.splitlines()[1] == "identical; 2 files"
    assert field(digits, tag, "verdict", "of") == first
    assert field(digits, tag, "verdict", "result") == "identical"


def test_a_repeat_is_previewed(digits: Clone, stack: Stack) -> None:
    """The plan, and what would have to be made for it: nothing is started, built or recorded."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    first = ran(digits, "--", *QUICK)
    before = digits.git("for-each-ref")
    done = digits.rvexp("repeat", first, "-n")
    plan = json.loads(done.stdout)
    assert (plan["snapshot"], plan["repeats"], plan["command"]) == (tag, first, QUICK)
    remove_image(stack, plan["image"])
    gone = digits.rvexp("repeat", first, "-n")
    assert (gone.returncode, f"the image of run {first} is gone" in gone.stderr) == (1, True)
    rebuilt = digits.rvexp("repeat", first, "-n", "--rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert json.loads(rebuilt.stdout)["image"] is None
    assert "would be built again" in rebuilt.stderr
    assert stack.run("docker", "image", "inspect", plan["image"], ok=False).returncode
    started = stack.run("docker", "ps", "-aq", "--filter", f"label=io.git-rvexp.run={plan['run']}")
    assert started.stdout.strip() == ""
    assert digits.git("for-each-ref") == before


def test_another_engine_repeats_identically(
    digits: Clone, stack: Stack, registry_repo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that has never seen the image pulls it by its digest from the registry and writes the same bytes."""
    digits.git("config", "rvexp.ecr-repo", registry_repo)
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    first = ran(digits, "--", *QUICK)
    image = field(digits, tag, "image", "ref")
    second = ["docker", "--host", stack.second_engine]
    assert stack.run(*second, "image", "inspect", image, ok=False).returncode
    monkeypatch.setenv("DOCKER_HOST", stack.second_engine)
    done = digits.rvexp("repeat", first, "--wait")
    assert done.returncode == SAME, done.stderr
    assert done.stdout.splitlines()[1] == "identical; 2 files"
    assert "engine: " in next(n for n in digits.git("notes", "show", tag).splitlines() if " verdict " in n)
    assert stack.run(*second, "image", "inspect", image).returncode == 0
    job = field(digits, tag, "submitted", "job")
    assert stack.run(*second, "inspect", job).returncode == 0
    assert stack.run("docker", "inspect", job, ok=False).returncode


def test_another_seed_differs(digits: Clone) -> None:
    """A verdict can say no: the same request but for its seed is told as two changed files."""
    digits.rvexp("snapshot", "first")
    first = ran(digits, "--", "python3", "train.py", "--epochs", "1", "--seed", "7")
    other = ran(digits, "--", "sh", "-c", "python3 train.py --epochs 1 --seed $(date +%s%N | tail -c 8)")
    assert digits.rvexp("repeat", first, "--wait").returncode == SAME
    done = digits.rvexp("repeat", other, "--wait")
    assert done.returncode == DIFFERS, done.stderr
    assert "2 changed (out/metrics.json, out/model.json)" in done.stdout


def test_chance_is_told(digits: Clone) -> None:
    """Repeats that differ among themselves are called nondeterminism, in the record too."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    chance = ran(digits, "--", "sh", "-c", "mkdir -p out; date +%s%N > out/when")
    done = digits.rvexp("repeat", chance, "--times", "2")
    assert done.returncode == DIFFERS
    assert done.stdout.splitlines()[-1].startswith("nondeterminism\t")
    assert field(digits, tag, "series", "cause") == "nondeterminism"


@pytest.mark.parametrize("inject", [True, False])
def test_an_unseeded_script_repeats_with_the_hook_only(digits: Clone, stack: Stack, *, inject: bool) -> None:
    """A script that draws from an unseeded generator is not touched; the hook in its image makes it repeatable."""
    digits.git("config", "rvexp.seed.inject", str(inject).lower())
    digits.write("draw.py", "import random\nopen('draw.txt', 'w').write(str([random.random() for _ in range(9)]))\n")
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    first = ran(digits, "--output", "draw.txt", "--", "python3", "draw.py")
    done = digits.rvexp("repeat", first, "--wait")
    assert done.returncode == (SAME if inject else DIFFERS), done.stdout + done.stderr
    image = field(digits, tag, "image", "id")
    held = stack.run("docker", "run", "--rm", image, "sh", "-c", "echo $PYTHONPATH; ls; ls /opt").stdout
    assert ("rvexp-seed" in held) == inject
    assert "sitecustomize.py" not in held


def test_numbers_within_a_tolerance_are_equal(digits: Clone) -> None:
    """The tolerance and the largest difference are in the verdict; without one the same run differs."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    script = 'mkdir -p out; echo "{\\"loss\\": 0.5000$(date +%N)}" > out/loss.json'
    first = ran(digits, "--", "sh", "-c", script)
    done = digits.rvexp("repeat", first, "--wait", "--tolerance", "0.001")
    assert (done.returncode, field(digits, tag, "verdict", "result")) == (SAME, "equal-within-tolerance"), done.stdout
    assert " tolerance=0.001" in digits.git("notes", "show", tag)
    assert digits.rvexp("repeat", first, "--wait").returncode == DIFFERS


def test_a_tolerance_of_zero_counts_as_much_as_any_other(digits: Clone) -> None:
    """It stands instead of the one that the original was submitted with; what the setting refuses, the option does."""
    digits.git("config", "rvexp.run.tolerance", "0.1")
    digits.rvexp("snapshot", "first")
    first = ran(digits, "--", "sh", "-c", 'mkdir -p out; echo "{\\"loss\\": 0.5000$(date +%N)}" > out/loss.json')
    for wrong in ("-1", "nan", "inf", "much"):
        refused = digits.rvexp("repeat", first, "--tolerance", wrong)
        assert (refused.returncode, f"--tolerance: must be 0 or more, not {wrong}" in refused.stderr) == (2, True)
    done = digits.rvexp("repeat", first, "--wait")
    assert (done.returncode, done.stdout.splitlines()[1].split(";")[0]) == (SAME, "equal within tolerance")
    exact = digits.rvexp("repeat", first, "--wait", "--tolerance", "0")
    assert (exact.returncode, exact.stdout.splitlines()[1].split(";")[0]) == (DIFFERS, "differs"), exact.stderr


def test_a_missing_image_stops_and_a_rebuilt_one_is_named(digits: Clone, stack: Stack) -> None:
    """Nothing is built behind the user's back; what was built instead is in the record and in the verdict."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    first = ran(digits, "--", *QUICK)
    gone = field(digits, tag, "image", "id")
    for container in stack.run("docker", "ps", "-aq", "--filter", f"ancestor={gone}").stdout.split():
        stack.run("docker", "rm", "-f", container)
    stack.run("docker", "rmi", "-f", gone)
    refused = digits.rvexp("repeat", first)
    assert refused.returncode == 1
    assert gone in refused.stderr
    assert "--rebuild" in refused.stderr
    assert digits.git("notes", "show", tag).count(" planned ") == 1
    done = digits.rvexp("repeat", first, "--rebuild", "--wait")
    assert done.returncode == SAME, done.stderr
    assert field(digits, tag, "planned", "environment") == "rebuilt"
    assert "although another image" in done.stdout


def test_a_fresh_clone_of_the_experiments_alone_repeats(
    on_batch: Clone, stack: Stack, batch_world: BatchWorld, tmp_path: Path
) -> None:
    """The clone, its settings and its Dockerfile are gone, and both definitions are: on Batch and here, identical."""
    tag = on_batch.rvexp("snapshot", "first").stdout.strip()
    script = "python3 train.py --epochs 1 && python3 -c \"print(open('out/metrics.json').read())\""
    first = ran(on_batch, "--", "sh", "-c", script)
    arn = field(on_batch, tag, "definition", "arn")
    url = on_batch.git("config", "rvexp.experiments-remote")
    for name in (arn, batch_world.job_definition):
        for found in stack.aws("batch", "describe-job-definitions", "--status", "ACTIVE")["jobDefinitions"]:
            if name in (found["jobDefinitionArn"], found["jobDefinitionName"]):
                stack.aws("batch", "deregister-job-definition", "--job-definition", found["jobDefinitionArn"])
    shutil.rmtree(on_batch.path)
    fresh = Clone(tmp_path / "fresh")
    fresh.path.mkdir()
    fresh.git("init", "-q")
    reach(fresh, stack, url)
    assert fresh.rvexp("sync").returncode == 0
    refused = fresh.rvexp("repeat", first)
    assert refused.returncode == 2
    assert f"queue {batch_world.queue}" in refused.stderr  # no settings of this clone name it
    shown = fresh.rvexp("repeat", first, "-n", "--trust-record")
    assert shown.returncode == 0, shown.stderr
    assert "would be registered, with the recorded body" in shown.stderr
    assert "definition" not in json.loads(shown.stdout)
    assert "instead_of" not in fresh.git("notes", "show", tag)
    done = fresh.rvexp("repeat", first, "--wait", "--trust-record")
    assert done.returncode == NOT_COMPARABLE, done.stderr
    assert "cannot be read after a job on Batch" in done.stdout
    assert field(fresh, tag, "definition", "instead_of") == arn
    here = fresh.rvexp("repeat", first, "--executor", "docker", "--wait", "--trust-record")
    assert here.returncode == NOT_COMPARABLE, here.stderr
    last = here.stdout.splitlines()[0]
    again = fresh.rvexp("repeat", last, "--wait")
    assert (again.returncode, again.stdout.splitlines()[1]) == (SAME, "identical; 2 files"), again.stderr


@pytest.mark.parametrize("versioned", [True, False])
def test_a_changed_input_stops_a_repeat(on_batch: Clone, stack: Stack, versioned: bool) -> None:  # noqa: FBT001
    """Nothing is submitted over other data, with versions or without; drift that is allowed is told and recorded."""
    for key in ("batch-queue", "batch-job-def-name", "ecr-repo"):
        on_batch.git("config", "--unset", f"rvexp.{key}")
    bucket = f"data-{uuid.uuid4().hex[:12]}"
    stack.aws("s3api", "create-bucket", "--bucket", bucket)
    if versioned:
        status = "Status=Enabled"
        stack.aws("s3api", "put-bucket-versioning", "--bucket", bucket, "--versioning-configuration", status)
    put(stack, on_batch, bucket, "train/a.csv", "1,2\n")
    put(stack, on_batch, bucket, "train/b.csv", "3,4\n")
    tag = on_batch.rvexp("snapshot", "first").stdout.strip()
    first = ran(on_batch, "--", "sh", "-c", f"mkdir -p out; echo s3://{bucket}/train > out/read")
    assert f'"level":"{"version" if versioned else "content"}"' in on_batch.git("notes", "show", tag)
    assert on_batch.rvexp("repeat", first, "--wait").returncode == SAME
    put(stack, on_batch, bucket, "train/b.csv", "3,5\n")
    put(stack, on_batch, bucket, "train/c.csv", "")
    before = on_batch.git("notes", "show", tag).count(" planned ")
    refused = on_batch.rvexp("repeat", first)
    assert refused.returncode == 1
    assert f"1 changed (s3://{bucket}/train/b.csv)" in refused.stderr
    assert f"1 extra (s3://{bucket}/train/c.csv)" in refused.stderr
    back = f"git rvexp repeat {first} --pin-inputs reads the recorded versions"
    checked = on_batch.rvexp("verify", first).stdout
    assert ("repeatable now: no: inputs" in checked, back in checked) == (True, versioned), checked
    assert (back in refused.stderr) == versioned, refused.stderr
    assert on_batch.git("notes", "show", tag).count(" planned ") == before
    allowed = on_batch.rvexp("repeat", first, "--allow-data-drift", "--wait")
    assert allowed.returncode == SAME, allowed.stderr
    assert "although changed input" in allowed.stdout
    assert ' drift=["s3://' in on_batch.git("notes", "show", tag)
    if versioned:
        stack.aws("s3api", "create-bucket", "--bucket", f"{bucket}-store")
        on_batch.git("config", "rvexp.store", f"s3://{bucket}-store")
        assert on_batch.rvexp("repeat", first, "--pin-inputs").returncode == 0


def test_an_input_in_a_bucket_that_does_not_exist_stops_a_submission(on_batch: Clone) -> None:
    """A slip in a declared input is an error; an address that a command merely mentions may be one it writes to."""
    for key in ("batch-queue", "batch-job-def-name", "ecr-repo"):
        on_batch.git("config", "--unset", f"rvexp.{key}")
    tag = on_batch.rvexp("snapshot", "first").stdout.strip()
    place = f"s3://none-{uuid.uuid4().hex[:12]}/x"
    refused = on_batch.rvexp("submit", "--wait", "--input", place, "--", "true")
    assert refused.returncode == 2
    assert f"the input {place} is in no bucket that exists" in refused.stderr
    assert " planned " not in on_batch.git("notes", "show", tag)
    done = on_batch.rvexp("submit", "--wait", "--", "echo", place)
    assert done.returncode == 0, done.stderr
    assert f"warning: input {place} cannot be listed" in done.stderr


def put(stack: Stack, clone: Clone, bucket: str, key: str, text: str) -> None:
    """Write an object with the aws CLI."""
    body = clone.path.parent / "body"
    body.write_text(text)
    done = stack.aws("s3api", "put-object", "--bucket", bucket, "--key", key, "--body", str(body))
    assert done["ETag"]


def test_an_image_published_after_the_run_comes_back_from_the_registry(
    digits: Clone, stack: Stack, registry_repo: str
) -> None:
    """The run had it by its id in the engine; the record names the copy, so verify finds it and a repeat pulls it."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    first = ran(digits, "--", *QUICK)
    image = field(digits, tag, "image", "id")
    digits.git("config", "rvexp.ecr-repo", registry_repo)
    assert digits.rvexp("publish", "first").returncode == 0
    assert f"{image} is in this engine; " in digits.rvexp("verify", "first").stdout
    remove_image(stack, image)
    told = digits.rvexp("verify", "first")
    assert told.returncode == 0, told.stdout
    assert f"it is not in this engine; {registry_repo}@sha256:" in told.stdout
    digits.git("config", "--unset", "rvexp.ecr-repo")
    done = digits.rvexp("repeat", first, "--wait")
    assert (done.returncode, done.stdout.splitlines()[1]) == (SAME, "identical; 2 files"), done.stderr
    assert field(digits, tag, "planned", "image") == image


def test_a_copy_in_a_registry_that_somebody_else_names_needs_a_word(
    digits: Clone, stack: Stack, registry_repo: str, tmp_path: Path
) -> None:
    """A plan of another clone does not make this one pull from a registry that its settings do not name."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    first = ran(digits, "--", *QUICK)
    digits.git("config", "rvexp.ecr-repo", registry_repo)
    ref = digits.rvexp("publish", "first").stdout.strip()
    remove_image(stack, field(digits, tag, "image", "id"))
    fresh = Clone(tmp_path / "fresh")
    fresh.path.mkdir()
    fresh.git("init", "-q")
    fresh.git("config", "rvexp.experiments-remote", digits.git("config", "rvexp.experiments-remote"))
    assert fresh.rvexp("sync").returncode == 0
    refused = fresh.rvexp("repeat", first)
    assert refused.returncode == 2
    assert ref in refused.stderr
    assert "--trust-record" in refused.stderr
    done = fresh.rvexp("repeat", first, "--wait", "--trust-record")
    assert done.returncode == SAME, done.stderr


def test_batch_repeats_what_an_engine_ran_from_the_published_copy(on_batch: Clone, registry_repo: str) -> None:
    """Batch cannot reach the engine's own image; where nothing was published, the way out is said."""
    tag = on_batch.rvexp("snapshot", "first").stdout.strip()
    on_batch.git("config", "--unset", "rvexp.ecr-repo")
    on_batch.git("config", "rvexp.executor", "docker")
    first = ran(on_batch, "--", *QUICK)
    on_batch.git("config", "rvexp.ecr-repo", registry_repo)
    on_batch.git("config", "--unset", "rvexp.executor")
    refused = on_batch.rvexp("repeat", first, "--executor", "batch")
    assert refused.returncode == 1
    assert (
        f"hint: git rvexp publish {tag}, and then again; git rvexp repeat {first} --executor docker" in refused.stderr
    )
    ref = on_batch.rvexp("publish", tag).stdout.split()[0]
    done = on_batch.rvexp("repeat", first, "--executor", "batch", "--wait")
    assert done.returncode in (SAME, NOT_COMPARABLE), done.stderr
    assert f"the image is taken from where it was published: {ref}" in done.stderr
    assert field(on_batch, tag, "planned", "image") == ref


def remove_image(stack: Stack, image: str) -> None:
    """Take an image from the engine, by its id, and keep the containers that ran it."""
    stack.run("docker", "rmi", "--force", image)
    assert stack.run("docker", "image", "inspect", image, ok=False).returncode


def test_outputs_behind_links_are_what_is_compared(digits: Clone) -> None:
    """A declared link is followed; one that leads out of what was declared makes nothing the same."""
    dockerfile = (digits.path / "Dockerfile").read_text()
    digits.write("Dockerfile", dockerfile + "RUN mkdir -p /mnt/results && ln -s /mnt/results linked\n")
    digits.rvexp("snapshot", "first")
    chance = "date +%s%N > linked/when; ln -s when linked/last"
    first = ran(digits, "--output", "linked", "--", "sh", "-c", chance)
    done = digits.rvexp("repeat", first, "--wait")
    assert (done.returncode, done.stdout.splitlines()[1]) == (DIFFERS, "differs; 1 changed (linked/when)"), done.stderr
    out = "mkdir -p out/a && cd out && echo 1 > a/n && ln -s a/n 1 && ln -s $PWD/a 2 && ln -s ../../out/a/n a/3"
    inside = ran(digits, "--", "sh", "-c", out)
    done = digits.rvexp("repeat", inside, "--wait")
    assert (done.returncode, done.stdout.splitlines()[1]) == (SAME, "identical; 4 files"), done.stderr
    outside = ran(digits, "--", "sh", "-c", "mkdir -p out; date +%s%N > /tmp/x.json; ln -s /tmp/x.json out/latest.json")
    done = digits.rvexp("repeat", outside, "--wait")
    assert done.returncode == NOT_COMPARABLE, done.stderr
    assert "1 unknown (out/latest.json); what is recorded of them proves neither" in done.stdout
