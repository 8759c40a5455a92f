"""Objects written once, on a real S3 server: what is there is adopted when equal, and never overwritten."""

import io
import uuid
from typing import Any

import pytest

from git_rvexp import aws
from git_rvexp.data.store import GoneError, Store, UnequalError, content_uri, digest_of
from git_rvexp.errors import CredentialsError
from git_rvexp.names import Digest
from git_rvexp.settings import Settings
from tests.faults.actions import status
from tests.faults.proxy import FaultProxy
from tests.integration.parts import Stack


@pytest.fixture
def bucket(stack: Stack) -> str:
    """A bucket of this test's own."""
    name = f"store-{uuid.uuid4().hex[:12]}"
    stack.aws("s3api", "create-bucket", "--bucket", name)
    return name


@pytest.fixture
def store(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store as the stack's S3 offers it."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    return Store(Settings())


def plain_client(store: Store) -> Any:
    """S3 for those who overwrite."""
    return aws.client("s3", store.settings)


def body(stack: Stack, bucket: str, key: str) -> bytes:
    """What stands there, by the aws CLI."""
    done = stack.run("/usr/bin/aws", f"--endpoint-url={stack.aws_endpoint}", "s3", "cp", f"s3://{bucket}/{key}", "-")
    return done.stdout.encode()


def test_written_once_with_its_checksum(stack: Stack, store: Store, bucket: str) -> None:
    """The first writes, the second adopts; S3 itself holds the SHA-256."""
    uri = content_uri(f"s3://{bucket}/exp/", "manifests", Digest.of(b"one\n"), ".tsv")
    first, second = store.put(uri, b"one\n"), store.put(uri, io.BytesIO(b"one\n"))
    assert (first.fresh, second.fresh, first.digest, first.size) == (True, False, Digest.of(b"one\n"), 4)
    key = uri.removeprefix(f"s3://{bucket}/")
    assert body(stack, bucket, key) == b"one\n"
    head = stack.aws("s3api", "head-object", "--bucket", bucket, "--key", key, "--checksum-mode", "ENABLED")
    assert head["ChecksumSHA256"] == "LIsI2lzmA5jh8Zrw5dzMdE3ydLgmq+WF6rpoxSVDSAY="
    assert list(store.names(f"s3://{bucket}/exp")) == [uri]
    got = io.BytesIO()
    store.get(uri, first.digest, got)
    assert got.getvalue() == b"one\n"


def test_another_content_is_not_overwritten(stack: Stack, store: Store, bucket: str) -> None:
    """The error names both checksums, and the first content stands."""
    uri = f"s3://{bucket}/a"
    store.put(uri, b"one")
    with pytest.raises(UnequalError, match=f"(?s){Digest.of(b'one')}.*{Digest.of(b'two')}"):
        store.put(uri, b"two")
    assert body(stack, bucket, "a") == b"one"


def test_an_object_without_a_checksum_is_read(stack: Stack, store: Store, bucket: str) -> None:
    """Other programs upload without SHA-256: equal bytes are adopted, others are not."""
    for key, text in (("same", b"one"), ("other", b"two")):
        plain_client(store).put_object(Bucket=bucket, Key=key, Body=text)
    assert not store.put(f"s3://{bucket}/same", b"one").fresh
    with pytest.raises(UnequalError):
        store.put(f"s3://{bucket}/other", b"one")


def test_a_changed_object_is_not_believed(stack: Stack, store: Store, bucket: str) -> None:
    """Whoever overwrites it with other tools is found out by the checksum; a missing one is told as gone."""
    uri = f"s3://{bucket}/a"
    digest = store.put(uri, b"one").digest
    plain_client(store).put_object(Bucket=bucket, Key="a", Body=b"two")
    with pytest.raises(UnequalError, match=str(digest)):
        store.get(uri, digest, io.BytesIO())
    with pytest.raises(GoneError):
        store.get(f"s3://{bucket}/b", digest, io.BytesIO())
    assert store.digest(f"s3://{bucket}/b") is None


def test_the_condition_decides_between_two_writers(stack: Stack, bucket: str, store: Store) -> None:
    """A write that comes between the look and ours is not overwritten: the request itself carries the condition."""
    store.put(f"s3://{bucket}/a", b"theirs")
    with FaultProxy(stack.aws_endpoint) as proxy:
        proxy.on("HEAD", "/", status(404), count=1)
        late = Store(Settings(aws_endpoint_url=proxy.url))
        with pytest.raises(UnequalError):
            late.put(f"s3://{bucket}/a", b"ours")
        assert [(seen.method, seen.status) for seen in proxy.log] == [("HEAD", 404), ("PUT", 412), ("HEAD", 200)]
    assert body(stack, bucket, "a") == b"theirs"


def test_no_bucket_and_no_credentials_are_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is taken for an absent object that may be written."""
    with pytest.raises(aws.ServiceError, match="bucket"):
        store.put(f"s3://none-{uuid.uuid4().hex}/a", b"one")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialsError):
        Store(store.settings).put("s3://any-bucket/a", b"one")


def test_a_file_is_hashed_from_where_it_stands() -> None:
    """And stands there again afterwards."""
    file = io.BytesIO(b"xxone")
    file.seek(2)
    assert digest_of(file) == (Digest.of(b"one"), 3)
    assert file.tell() == 2
