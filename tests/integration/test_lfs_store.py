"""Git LFS content in the S3 store: put there before the tag is pushed, under its SHA-256."""

import hashlib
import uuid

import pytest

from tests.conftest import Clone
from tests.integration.parts import Stack

CONTENT = b"weights\n" * 5000


def test_content_goes_to_the_store(stack: Stack, clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to the experiments remote; the same again is adopted."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    bucket = f"lfs-{uuid.uuid4().hex[:12]}"
    stack.aws("s3api", "create-bucket", "--bucket", bucket)
    clone.git("config", "rvexp.store", f"s3://{bucket}/exp")
    clone.git("config", "rvexp.aws.endpointUrl", stack.aws_endpoint)
    clone.git("lfs", "install", "--local")
    clone.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (clone.path / "weights.bin").write_bytes(CONTENT)
    for nickname in ("one", "two"):
        done = clone.rvexp("snapshot", nickname)
        assert done.returncode == 0, done.stderr
    key = f"exp/lfs/{hashlib.sha256(CONTENT).hexdigest()}"
    there = stack.run("/usr/bin/aws", f"--endpoint-url={stack.aws_endpoint}", "s3", "cp", f"s3://{bucket}/{key}", "-")
    assert there.stdout.encode() == CONTENT
    assert not (clone.path / ".git" / "rvexp" / "experiments.git" / "lfs").exists()
