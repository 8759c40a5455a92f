"""Raster Vision's own Batch runner on a snapshot's definition, with its real packages; its jobs are adopted."""

import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.documents import typed
from tests.integration.parts import AWS, PROJECT, BatchWorld, ForgeRepo, Stack


@pytest.fixture
def tree(stack: Stack, tmp_path: Path) -> Clone:
    """The example in a repository of its own, on an image with Raster Vision's pipeline."""
    folder = tmp_path / "shades"
    shutil.copytree(PROJECT / "examples" / "raster-vision", folder, ignore=shutil.ignore_patterns("__pycache__"))
    clone = Clone(folder)
    clone.git("init", "-q")
    clone.git("config", "rvexp.image.build-args", f"BASE={stack.rastervision_image}")
    clone.write("unique.txt", uuid.uuid4().hex)
    clone.commit("the example")
    return clone


def base_definition(stack: Stack, world: BatchWorld) -> str:
    """A base definition whose jobs find the stack's S3, as a role and a region let them find Amazon's."""
    variables = [{"name": name, "value": value} for name, value in stack.environment().items() if name != "DOCKER_HOST"]
    container = {
        "image": stack.tiny_image,
        "command": ["true"],
        "environment": variables,
        "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
    }
    name = f"{world.queue}-raster"
    kind = ("--job-definition-name", name, "--type", "container")
    stack.aws("batch", "register-job-definition", *kind, "--container-properties", json.dumps(container))
    return name


def test_its_jobs_run_the_snapshot_and_get_on_record(
    stack: Stack,
    tree: Clone,
    forge_repo: Callable[[], ForgeRepo],
    batch_world: BatchWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page's commands as written: three jobs by rastervision, on our digest, and three runs of the snapshot."""
    bucket = f"raster-{uuid.uuid4().hex[:12]}"
    stack.aws("s3api", "create-bucket", "--bucket", bucket)
    named = {
        **stack.environment(),
        "remote": forge_repo().secret_url,
        "registry": stack.registry,
        "repository": f"raster-{uuid.uuid4().hex[:12]}",
        "queue": batch_world.queue,
        "base": base_definition(stack, batch_world),
        "bucket": bucket,
    }
    for variable, value in named.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{stack.rastervision_bin}")  # ours first: both have a python
    page = "\n".join(line for block in typed("docs/raster-vision.md") for line in block.typed())
    done = subprocess.run(["sh", "-eux"], input=page, cwd=tree.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    record = tree.git("notes", "show", tree.git("tag", "--list", "*/shades"))
    ended = [line for line in record.splitlines() if " ended " in line]
    assert len(ended) == 3, record
    assert all('state="SUCCEEDED"' in line for line in ended), record
    commands = [re.findall(r'"run_command","[^"]*","([a-z]+)"', line) for line in planned(record)]
    assert commands == [["chip"], ["train"], ["eval"]]
    (image,) = set(re.findall(r' image ref="([^"]*@sha256:[0-9a-f]{64})"', record))
    assert all(f'image="{image}"' in line and "foreign=true" in line for line in planned(record))
    found = (f"--endpoint-url={stack.aws_endpoint}", "s3", "cp", f"s3://{bucket}/shades/eval.json", "-")
    assert json.loads(stack.run(AWS, *found).stdout)["accuracy"] > 0.9
    assert tree.rvexp("sync", "--foreign").stdout == ""


def test_its_jobs_on_another_definition_are_nobodys(
    stack: Stack, tree: Clone, batch_world: BatchWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs on the base definition, or on its name without a revision, is no snapshot's and is not listed."""
    base, bucket = base_definition(stack, batch_world), f"raster-{uuid.uuid4().hex[:12]}"
    stack.aws("s3api", "create-bucket", "--bucket", bucket)
    named = {**stack.environment(), "BATCH_CPU_JOB_QUEUE": batch_world.queue, "BATCH_CPU_JOB_DEF": base}
    for variable, value in (named | {"PYTHONPATH": ".", "RVEXP_BATCH_QUEUE": batch_world.queue}).items():
        monkeypatch.setenv(variable, value)
    tree.git("config", "rvexp.ecr-repo", f"{stack.registry}/raster-{uuid.uuid4().hex[:12]}")
    tree.git("config", "rvexp.batch-job-def-name", base)
    assert tree.rvexp("snapshot", "shades").returncode == 0
    published = tree.rvexp("publish")
    assert published.returncode == 0, published.stderr
    program = f"{stack.rastervision_bin}/rastervision"
    words = ["run", "batch", "experiment.py", "chip", "-a", "root_uri", f"s3://{bucket}/shades"]
    subprocess.run([program, *words], cwd=tree.path, check=True, capture_output=True)
    jobs = stack.aws(
        "batch", "list-jobs", "--job-queue", batch_world.queue, "--filters", "name=JOB_NAME,values=raster*"
    )
    assert len(jobs["jobSummaryList"]) == 1
    assert tree.rvexp("sync", "--foreign").stdout == ""


def planned(record: str) -> list[str]:
    """The plans, oldest first."""
    return [line for line in record.splitlines() if " planned " in line]
