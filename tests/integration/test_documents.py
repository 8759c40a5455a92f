"""What the documents tell people to type works as written, in a fresh copy of the example."""

import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.parts import AWS, PROJECT, BatchWorld, ForgeRepo, Stack, make_digits

_BLOCK = re.compile(r"<!-- test: [^>]*? -->\n```sh\n(?P<script>.*?)```", re.DOTALL)


def scripts() -> dict[str, str]:
    """The shell blocks of each document that are marked as tested, one after another as a reader types them."""
    found = {}
    for path in [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]:
        script = "".join(block["script"] for block in _BLOCK.finditer(path.read_text()))
        if script:
            found[path.name] = script
    return found


def follow(name: str, stack: Stack, folder: Path) -> str:
    """The record, once the document's lines were typed in a new copy of the example; the first that fails stops."""
    clone = make_digits(stack, folder)
    done = subprocess.run(
        ["sh", "-eux"], input=scripts()[name], cwd=clone.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    tags = clone.git("tag", "--list", "*/first").splitlines()
    assert len(tags) == 1
    return clone.git("notes", "show", tags[0])


@pytest.mark.parametrize("name", sorted(scripts().keys() - {"aws.md", "raster-vision.md", "store.md"}))
def test_the_commands_work_as_written(name: str, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one machine, with an engine and nothing else."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    assert ' ended run="' in follow(name, stack, tmp_path / "digits")


def test_the_store_works_as_written(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a bucket of this test's own in the variable that the page uses."""
    named = {**stack.environment(), "bucket": f"page-{uuid.uuid4().hex[:12]}"}
    stack.aws("s3api", "create-bucket", "--bucket", named["bucket"])
    for variable, value in named.items():
        monkeypatch.setenv(variable, value)
    _use_aws(stack, tmp_path, monkeypatch)
    assert ' source="s3://page-' in follow("store.md", stack, tmp_path / "digits")
    elsewhere = tmp_path / "elsewhere"
    assert (elsewhere / "first" / "train.py").is_file()


def _use_aws(stack: Stack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an aws before all others that goes to the stack: Debian's reads no AWS_ENDPOINT_URL yet."""
    shim = folder / "bin" / "aws"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {AWS} --endpoint-url={stack.aws_endpoint} "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent), prepend=":")


def test_the_way_to_aws_works_as_written(
    stack: Stack,
    forge_repo: Callable[[], ForgeRepo],
    batch_world: BatchWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With this test's own names in the variables that the page asks its reader to set."""
    named = {
        **stack.environment(),
        "remote": forge_repo().url,
        "registry": stack.registry,
        "repository": f"guide-{uuid.uuid4().hex[:12]}",
        "queue": batch_world.queue,
        "base": batch_world.job_definition,
    }
    helper = f"!f() {{ echo username={stack.forge_user}; echo password={stack.forge_password}; }}; f"
    stack.run("git", "config", "--global", f"credential.{stack.forge}.helper", helper)
    for variable, value in named.items():
        monkeypatch.setenv(variable, value)
    _use_aws(stack, tmp_path, monkeypatch)
    record = follow("aws.md", stack, tmp_path / "digits")
    assert ' definition arn="arn:aws:batch:' in record
    assert ' state="SUCCEEDED"' in record
