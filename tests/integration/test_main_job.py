"""The main job as a stranger would do it: snapshot, build, run, record; on this machine and on AWS Batch."""

import json
import os
import re
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import BatchWorld, ForgeRepo, Stack, make_digits, reach, use_batch

QUICK = ["python3", "train.py", "--epochs", "1"]


@pytest.fixture
def digits(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """The example in a repository of its own, with the engine at hand."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    return make_digits(stack, tmp_path / "digits")


@pytest.fixture
def on_batch(
    digits: Clone,
    stack: Stack,
    registry_repo: str,
    batch_world: BatchWorld,
    forge_repo: Callable[[], ForgeRepo],
    monkeypatch: pytest.MonkeyPatch,
) -> Clone:
    """The same with the forge, the registry and Batch in its settings."""
    reach(digits, stack, forge_repo().url)
    use_batch(digits, batch_world, registry_repo)
    digits.git("config", "rvexp.archive-url", "cgit")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", stack.aws_access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", stack.aws_secret_access_key)
    return digits


def kinds(clone: Clone, tag: str) -> list[str]:
    """The kinds of a record's events, by plain git."""
    return [line.split(" ")[1] for line in clone.git("notes", "show", tag).splitlines()]


def field(clone: Clone, tag: str, kind: str, key: str) -> str:
    """A text field of the last event of a kind, by plain git."""
    line = [n for n in clone.git("notes", "show", tag).splitlines() if n.split(" ")[1] == kind][-1]
    found = re.search(rf' {key}="([^"]*)"', line)
    assert found, line
    return found[1]


def test_on_this_machine(digits: Clone, stack: Stack, tmp_path: Path) -> None:
    """Snapshot, submit, wait: the record tells all of it and the image's content is the tag's tree."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    done = digits.rvexp("submit", "--wait", "--", *QUICK)
    assert done.returncode == 0, done.stderr
    assert kinds(digits, tag) == ["snapshot", "image", "planned", "submitted", "ended", "metrics"]
    assert field(digits, tag, "ended", "run") == done.stdout.strip()
    image = field(digits, tag, "image", "ref")
    assert files_in(stack, image, tmp_path) == files_of(digits, tag)
    again = digits.rvexp("publish", tag)
    assert (again.returncode, again.stdout.strip()) == (0, image)
    assert "no registry is set (ecr_repo): nothing new was built" in again.stderr
    assert kinds(digits, tag).count("image") == 1


def test_an_edit_without_a_snapshot_is_refused_with_the_choices(digits: Clone) -> None:
    """Code that nobody named is never run; the error offers both ways on."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    digits.write("train.py", "print('other')\n")
    refused = digits.rvexp("submit", "--", *QUICK)
    assert refused.returncode == 2
    assert "git rvexp snapshot NICKNAME" in refused.stderr
    assert f"git rvexp submit {tag} -- CMD" in refused.stderr
    assert kinds(digits, tag) == ["snapshot"]


def test_a_failing_command_is_the_answer_no(digits: Clone) -> None:
    """The job's failure is exit 1 with --wait, said with -q too; its own code is in the record, a limit is named."""
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    done = digits.rvexp("submit", "-q", "--wait", "--", "python3", "-c", "import sys; sys.exit(3)")
    assert done.returncode == 1
    run = done.stdout.strip()
    told = [f"error: run {run} failed, exit 3: exited with 3", f"hint: git rvexp logs {run}"]
    assert done.stderr.splitlines()[-2:] == told
    assert digits.rvexp("wait", run).stdout == f"{run}\tfailed\texit 3\texited with 3\n"
    assert " exit=3 " in digits.git("notes", "show", tag)
    late = digits.rvexp("submit", "--wait", "--timeout", "1", "--", "sleep", "60")
    assert "exit 143: over its time limit of 1 s; " in late.stderr.splitlines()[-2]


def test_through_batch(on_batch: Clone, stack: Stack) -> None:
    """The aws CLI sees the job SUCCEEDED; its definition's image is a digest that skopeo finds in the registry."""
    tag = on_batch.rvexp("snapshot", "first").stdout.strip()
    done = on_batch.rvexp("submit", "--wait", "--", *QUICK)
    assert done.returncode == 0, done.stderr
    assert kinds(on_batch, tag) == ["snapshot", "image", "definition", "planned", "submitted", "ended", "metrics"]
    job = field(on_batch, tag, "submitted", "job")
    (described,) = stack.aws("batch", "describe-jobs", "--jobs", job)["jobs"]
    assert (described["status"], described["jobDefinition"]) == ("SUCCEEDED", field(on_batch, tag, "definition", "arn"))
    arn = described["jobDefinition"]
    (kept,) = stack.aws("batch", "describe-job-definitions", "--job-definitions", arn)["jobDefinitions"]
    image = kept["containerProperties"]["image"]
    assert image == field(on_batch, tag, "image", "ref")
    found = json.loads(stack.run("skopeo", "inspect", "--tls-verify=false", f"docker://{image}").stdout)
    assert found["Digest"] == image.partition("@")[2]
    assert found["Labels"]["io.git-rvexp.tree"] == on_batch.git("rev-parse", f"{tag}^{{tree}}")
    assert "/cgit/" in field(on_batch, tag, "image", "source")
    assert stack.forge_password not in on_batch.git("notes", "show", tag) + done.stderr + done.stdout


def test_an_array_through_batch(on_batch: Clone) -> None:
    """What its children print is told as on an engine, while it runs and after."""
    on_batch.rvexp("snapshot", "first")
    done = on_batch.rvexp("submit", "--wait", "--array", "2", "--", "echo", "hello")
    assert done.returncode == 0, done.stderr
    told = [f"[{index}] hello" for index in range(2)]
    assert [line for line in done.stderr.splitlines() if line in told] == told
    after = on_batch.rvexp("logs", "-f", done.stdout.strip())
    assert (after.returncode, after.stdout.splitlines()) == (0, told), after.stderr


def test_a_queued_job_runs_what_was_published(on_batch: Clone, stack: Stack, tmp_path: Path) -> None:
    """While the job waits the image's tag gets other content: the job runs the published bytes, as later ones do."""
    tag = on_batch.rvexp("snapshot", "first").stdout.strip()
    assert on_batch.rvexp("submit", tag, "--", "sleep", "12").returncode == 0
    before = field(on_batch, tag, "submitted", "job")
    command = ["python3", "-c", "import digits; print('the real', 'one')"]
    waiting = on_batch.rvexp("submit", tag, "--after", before, "--", *command)
    assert waiting.returncode == 0, waiting.stderr
    (described,) = stack.aws("batch", "describe-jobs", "--jobs", field(on_batch, tag, "submitted", "job"))["jobs"]
    overwrite(stack, field(on_batch, tag, "image", "ref").partition("@")[0], tag, tmp_path)
    assert described["status"] in ("SUBMITTED", "PENDING")
    assert on_batch.rvexp("wait", waiting.stdout.strip()).returncode == 0
    assert "the real one" in on_batch.rvexp("logs", waiting.stdout.strip()).stdout
    later = on_batch.rvexp("submit", tag, "--wait", "--", *command)
    assert (later.returncode, "the real one" in later.stderr) == (0, True), later.stderr


def overwrite(stack: Stack, repository: str, tag: str, tmp_path: Path) -> None:
    """Push other content under a snapshot's image tag, with the docker command."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "Dockerfile").write_text(f"FROM {stack.tiny_image}\nLABEL other=1\n")
    name = f"{repository}:{tag.replace('/', '_')}"
    stack.run("docker", "build", "-q", "-t", name, str(other))
    stack.run("docker", "push", "-q", name)


def test_offline_runs_what_cannot_be_shared_yet(digits: Clone, tmp_path: Path) -> None:
    """Without the remote nothing runs; --offline runs all the same, says so in the record, and sync shares it later."""
    remote = tmp_path / "experiments.git"
    digits.git("init", "-q", "--bare", str(remote))
    digits.git("config", "rvexp.experiments-remote", str(remote))
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    remote.rename(tmp_path / "away.git")
    assert digits.rvexp("submit", "--", "true").returncode == 128
    done = digits.rvexp("submit", "--offline", "--", "true")
    assert done.returncode == 0, done.stderr
    assert kinds(digits, tag) == ["snapshot", "image", "planned", "submitted"]
    assert " offline=true" in digits.git("notes", "show", tag)
    (tmp_path / "away.git").rename(remote)
    assert digits.rvexp("sync").returncode == 0
    assert digits.git(f"--git-dir={remote}", "notes", "--ref=rvexp", "show", tag) == digits.git("notes", "show", tag)


def files_of(clone: Clone, tag: str) -> dict[str, str]:
    """Path -> blob id of a tag's tree."""
    lines = clone.git("ls-tree", "-r", tag).splitlines()
    return {path: meta.split()[2] for meta, _, path in (line.partition("\t") for line in lines)}


def files_in(stack: Stack, image: str, tmp_path: Path) -> dict[str, str]:
    """Path -> blob id of an image's /opt/src, by docker export and plain git."""
    made = stack.run("docker", "create", image, "true").stdout.strip()
    archive = tmp_path / "image.tar"
    stack.run("docker", "export", "-o", str(archive), made)
    stack.run("docker", "rm", made)
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.startswith("opt/src/") and member.isreg():
                content = tar.extractfile(member)
                assert content
                blob = subprocess.run(
                    ["git", "hash-object", "--stdin"], input=content.read(), capture_output=True, check=True
                )
                found[member.name.removeprefix("opt/src/")] = blob.stdout.decode().strip()
    return found


BAD = {
    "no engine": ({"DOCKER_HOST": "unix:///nonexistent.sock"}, [], ["submit", "@", "--", "true"], 1, "engine"),
    "unreachable remote": ({}, [], ["submit", "@", "--", "true"], 128, "cannot be reached"),
    "failing Dockerfile": ({}, [("Dockerfile", "FROM {base}\nRUN exit 9\n")], ["publish", "@"], 1, "RUN exit 9"),
    "unknown queue": ({"RVEXP_BATCH_QUEUE": "nowhere"}, [], ["submit", "@", "--", "true"], 2, "nowhere"),
    "empty command": ({}, [], ["submit", "@", "--"], 2, "no command"),
    "an empty word": ({}, [], ["submit", "@", "--", "sh", ""], 2, "empty word"),
    "broken settings": ({}, [(".rvexp.toml", "project = \n")], ["submit", "@", "--", "true"], 2, ".rvexp.toml"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_error(on_batch: Clone, stack: Stack, case: str) -> None:
    """What, where and why, a hint, the right exit code, no traceback, nothing half-recorded."""
    env, files, words, code, told = BAD[case]
    if case in ("no engine", "failing Dockerfile"):
        on_batch.git("config", "--unset", "rvexp.batch-queue")
    for name, text in files:
        if name == "Dockerfile":
            on_batch.write(name, text.format(base=stack.base_image))
    tag = on_batch.rvexp("snapshot", "first").stdout.strip()
    for name, text in files:
        on_batch.write(name, text.format(base=stack.base_image))
    if case == "unreachable remote":
        dead = "http://127.0.0.1:9/none.git"
        on_batch.git("config", "rvexp.experiments-remote", dead)
        on_batch.git("remote", "set-url", "experiments", dead)
    done = on_batch.rvexp(*words, env=env)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "\nhint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "planned" not in kinds(on_batch, tag)


def test_a_wrong_registry_password_is_exit_4(digits: Clone, stack: Stack) -> None:
    """The registry's refusal names the registry and how to log in."""
    digits.git("config", "rvexp.ecr-repo", f"{stack.registry_auth}/wrong")
    config = Path(os.environ["DOCKER_CONFIG"])
    config.mkdir(parents=True)
    (config / "config.json").write_text(json.dumps({"auths": {stack.registry_auth: {"auth": "d3Jvbmc6d3Jvbmc="}}}))
    tag = digits.rvexp("snapshot", "first").stdout.strip()
    done = digits.rvexp("publish", tag)
    assert done.returncode == 4, done.stderr
    assert stack.registry_auth in done.stderr
    assert "hint: docker login" in done.stderr
    assert kinds(digits, tag) == ["snapshot"]
