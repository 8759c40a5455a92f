"""The stack itself: every part truly does what the other tests build on, seen by independent clients."""

import base64
import io
import json
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.parts import STACK, BatchWorld, ForgeRepo, Stack, dev_stack


def push(stack: Stack, image: str, reference: str) -> str:
    """Push `image` under `reference` and return `repository@sha256:…`, as the registry itself tells it."""
    stack.run("docker", "tag", image, reference)
    stack.run("docker", "push", "--quiet", reference)
    stack.run("docker", "rmi", reference)
    seen = stack.run("skopeo", "inspect", "--tls-verify=false", f"docker://{reference}").stdout
    return f"{reference.rpartition(':')[0]}@{json.loads(seen)['Digest']}"


def submit(stack: Stack, world: BatchWorld, definition: str, *more: str) -> str:
    """Submit a job to the world's queue and return its id."""
    where = (f"--job-queue={world.queue}", f"--job-definition={definition}")
    told = stack.aws("batch", "submit-job", "--job-name=answer", *where, *more)
    return str(told["jobId"])


def job_of(stack: Stack, job: str) -> dict[str, Any]:
    """A job as the aws CLI describes it, once it has ended (at most two minutes)."""
    deadline = time.monotonic() + 120
    while True:
        found: dict[str, Any] = stack.aws("batch", "describe-jobs", "--jobs", job)["jobs"][0]
        if found["status"] in {"SUCCEEDED", "FAILED"}:
            return found
        assert time.monotonic() < deadline, f"job {job} did not end: {found}"
        time.sleep(0.5)


def log_of(stack: Stack, job: dict[str, Any]) -> list[str]:
    """The lines of an ended job's log."""
    stream = f"--log-stream-name={job['container']['logStreamName']}"
    told = stack.aws("logs", "get-log-events", "--log-group-name=/aws/batch/job", stream)
    return [event["message"] for event in told["events"]]


def fetch(url: str, user: str = "", password: str = "") -> bytes:
    """GET with basic auth when a user is given; HTTPError for what is not 2xx."""
    request = urllib.request.Request(url)
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def commit_and_tag(folder: Path) -> str:
    """A repository with one commit under one annotated tag; returns the commit's id."""
    script = """
        git init -q . && printf 'one\\n' > one.txt && git add . &&
        git -c user.name=Ada -c user.email=ada@example.org commit -qm first &&
        git -c user.name=Ada -c user.email=ada@example.org tag -a -m note al/roads/2026-01-02/first &&
        git rev-parse HEAD
    """
    return subprocess.run(["sh", "-c", script], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_engine_runs_python_in_the_base_image(stack: Stack) -> None:
    """The base image holds a whole Python: modules with compiled parts can be imported."""
    code = "import sqlite3, ssl, json, sys; print(sys.version_info >= (3, 11))"
    assert stack.run("docker", "run", "--rm", stack.base_image, "python3", "-c", code).stdout == "True\n"


def test_engine_builds_from_the_tiny_image(stack: Stack, tmp_path: Path) -> None:
    """A Dockerfile on top of the small image builds, and RUN works in it."""
    (tmp_path / "Dockerfile").write_text(f"FROM {stack.tiny_image}\nRUN echo built > /made\n")
    image = stack.run("docker", "build", "--quiet", str(tmp_path)).stdout.strip()
    assert stack.run("docker", "run", "--rm", image, "cat", "/made").stdout == "built\n"
    stack.run("docker", "rmi", image)


def test_registry_gives_back_by_digest_what_was_pushed(stack: Stack, registry_repo: str) -> None:
    """What the engine pushed is found by skopeo by digest, with the same configuration."""
    pinned = push(stack, stack.tiny_image, f"{registry_repo}:one")
    raw = stack.run("skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{pinned}").stdout
    image_id = stack.run("docker", "image", "inspect", "--format", "{{.Id}}", stack.tiny_image).stdout.strip()
    assert json.loads(raw)["config"]["digest"] == image_id


def test_registry_with_a_password_takes_only_the_right_one(stack: Stack) -> None:
    """The second door of the registry answers 401 without a password and with a wrong one."""
    url = f"http://{stack.registry_auth}/v2/"
    for user, word in (("", ""), (stack.registry_user, "wrong")):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            fetch(url, user, word)
    assert fetch(url, stack.registry_user, stack.registry_password) == b"{}"


def test_batch_runs_the_image_of_a_digest(stack: Stack, batch_world: BatchWorld, registry_repo: str) -> None:
    """A job whose definition names repository@digest succeeds, and its log holds what the container printed."""
    image = push(stack, stack.base_image, f"{registry_repo}:one")
    body = {"image": image, "vcpus": 1, "memory": 128, "command": ["python3", "-c", "print(6 * 7)"]}
    definition = stack.aws(
        "batch",
        "register-job-definition",
        f"--job-definition-name={batch_world.queue}-pinned",
        "--type=container",
        f"--container-properties={json.dumps(body)}",
    )["jobDefinitionArn"]
    ended = job_of(stack, submit(stack, batch_world, definition))
    assert ended["status"] == "SUCCEEDED"
    assert log_of(stack, ended) == ["42"]


def test_batch_reports_a_job_that_fails(stack: Stack, batch_world: BatchWorld) -> None:
    """A container that ran and exits with another code than 0 is a FAILED job; its log is kept."""
    command = {"command": ["python3", "-c", "print('so far'); raise SystemExit(3)"]}
    overrides = f"--container-overrides={json.dumps(command)}"
    ended = job_of(stack, submit(stack, batch_world, batch_world.job_definition_arn, overrides))
    assert ended["status"] == "FAILED"
    assert log_of(stack, ended) == ["so far"]


def test_forge_takes_a_tag_and_serves_its_archive(
    stack: Stack, forge_repo: Callable[[], ForgeRepo], tmp_path: Path
) -> None:
    """A tag pushed with the password is listed, and the archive of its commit holds the commit's files."""
    repo, commit = forge_repo(), commit_and_tag(tmp_path)
    subprocess.run(["git", "push", "--quiet", repo.secret_url, "--tags"], cwd=tmp_path, check=True)
    listed = subprocess.run(["git", "ls-remote", repo.secret_url], capture_output=True, text=True, check=True).stdout
    assert f"{commit}\trefs/tags/al/roads/2026-01-02/first^{{}}\n" in listed
    body = fetch(repo.archive(commit), stack.forge_user, stack.forge_password)
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        assert tar.getnames() == [repo.name, f"{repo.name}/one.txt"]


def test_forge_is_closed_without_its_password(
    stack: Stack, forge_repo: Callable[[], ForgeRepo], tmp_path: Path
) -> None:
    """Neither git nor an archive's address gets in without the password, nor with a wrong one."""
    repo, commit = forge_repo(), commit_and_tag(tmp_path)
    for user, word in (("", ""), (stack.forge_user, "wrong")):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            fetch(repo.archive(commit), user, word)
    bare = ["git", "-c", "credential.helper=", "-c", "core.askPass=", "push", repo.url, "--tags"]
    env = {**stack.environment(), "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    refused = subprocess.run(bare, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert refused.returncode == 128
    assert "could not read Username" in refused.stderr


def test_stack_up_again_changes_nothing(stack: Stack) -> None:
    """`up` on a running stack starts nothing: processes, ports and passwords stay."""
    before = dev_stack("status"), dev_stack("env")
    again = subprocess.run([str(STACK), "up"], capture_output=True, text=True, check=True)
    assert again.stderr == 'Ready. Next: eval "$(dev/stack env)"\n'
    assert (dev_stack("status"), dev_stack("env")) == before


def test_stack_repo_never_replaces_one(forge_repo: Callable[[], ForgeRepo]) -> None:
    """Making a repository under a taken name is an error that names it."""
    name = forge_repo().name
    done = subprocess.run([str(STACK), "repo", name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"dev/stack: The forge already has a repository {name}.\n")
