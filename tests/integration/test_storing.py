"""Snapshots and the record in an S3 store, on a real S3 server, by the command line; and what can go wrong there."""

import hashlib
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from git_rvexp import aws
from git_rvexp.settings import Settings
from tests.conftest import Clone
from tests.faults.actions import hold, status
from tests.faults.proxy import FaultProxy
from tests.integration.parts import Stack

TAG = "al/study/2026-11-22/first"


@dataclass
class Bucket:
    """A bucket of this test's own, seen by a plain client that may do anything."""

    name: str
    s3: Any

    @property
    def uri(self) -> str:
        """The store's address in it."""
        return f"s3://{self.name}/exp"

    def all(self) -> dict[str, bytes]:
        """Key and content of everything in it."""
        found = self.s3.list_objects_v2(Bucket=self.name).get("Contents") or []
        return {o["Key"]: self.s3.get_object(Bucket=self.name, Key=o["Key"])["Body"].read() for o in found}

    def key(self, suffix: str) -> str:
        """The one key that ends so."""
        (found,) = [key for key in self.all() if key.endswith(suffix)]
        return found

    def put(self, key: str, data: bytes) -> None:
        """Write, over whatever is there."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=data)


@pytest.fixture
def make_bucket(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Bucket]:
    """Makes a bucket at each call."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)

    def make() -> Bucket:
        bucket = Bucket(f"storing-{uuid.uuid4().hex[:12]}", aws.client("s3", Settings()))
        bucket.s3.create_bucket(Bucket=bucket.name)
        return bucket

    return make


@pytest.fixture
def bucket(make_bucket: Callable[[], Bucket]) -> Bucket:
    """A bucket."""
    return make_bucket()


@pytest.fixture
def study(stack: Stack, bucket: Bucket, tmp_path: Path) -> Clone:
    """A clone with the bucket as its store and no experiments remote."""
    clone = Clone(tmp_path / "study")
    clone.path.mkdir()
    clone.git("init", "-q")
    clone.git("config", "rvexp.store", bucket.uri)
    clone.write("Dockerfile", f"FROM {stack.tiny_image}\nWORKDIR /opt/src\nCOPY . /opt/src\n")
    clone.write("code/step.sh", f"echo {uuid.uuid4()}\n").chmod(0o755)
    (clone.path / "link").symlink_to("code/step.sh")
    clone.commit("first")
    return clone


def stranger(study: Clone, bucket: Bucket, name: str = "other") -> Clone:
    """A repository that knows nothing of the first but the store's address."""
    other = Clone(study.path.parent / name)
    other.path.mkdir()
    other.git("init", "-q")
    other.git("config", "rvexp.store", bucket.uri)
    other.git("commit", "-q", "--allow-empty", "-m", "elsewhere")
    return other


def snapshot(clone: Clone, *more: str) -> subprocess.CompletedProcess[str]:
    """Take the snapshot TAG."""
    return clone.rvexp("snapshot", "first", "--date", "2026-11-22", *more)


def test_a_clone_without_the_remote_gets_everything(study: Clone, bucket: Bucket) -> None:
    """Tag, history and record come from the store alone; what came is built, compared, shown and verified as any."""
    assert snapshot(study).returncode == 0
    built = study.rvexp("publish")
    assert built.returncode == 0, built.stderr
    assert f'source="{bucket.uri}/snapshots/{TAG}/' in study.git("notes", "show", TAG)
    other = stranger(study, bucket)
    done = other.rvexp("sync")
    assert (done.returncode, done.stdout) == (0, f"fetched\t{TAG}\n"), done.stderr
    assert other.git("rev-parse", TAG) == study.git("rev-parse", TAG)
    assert other.git("notes", "--ref=rvexp", "show", TAG) == study.git("notes", "show", TAG)
    assert TAG in other.rvexp("list").stdout
    assert f"source      {bucket.uri}" in other.rvexp("show", TAG).stdout
    other.write("new.txt", "new\n")
    assert other.rvexp("snapshot", "second").returncode == 0
    assert "new.txt" in other.rvexp("diff", TAG, "second").stdout
    verified = other.rvexp("verify", TAG, "--deep")
    assert "✓ store" in verified.stdout, verified.stdout + verified.stderr
    assert "✓ tag" in verified.stdout
    back = study.rvexp("sync")
    assert back.stdout.startswith("fetched\tal/other/"), back.stderr


def test_every_object_is_written_once(study: Clone, bucket: Bucket) -> None:
    """Names hold what the content hashes to; syncing again, and from another clone, adds and changes nothing."""
    assert snapshot(study).returncode == 0
    before = bucket.all()
    assert sorted(key.rpartition(".")[2] for key in before) == ["bundle", "jsonl", "zip"]
    for key, data in before.items():
        assert hashlib.sha256(data).hexdigest() in key
    assert "up to date" in study.rvexp("sync").stderr
    other = stranger(study, bucket)
    other.rvexp("sync")
    other.rvexp("sync")
    assert bucket.all() == before


def test_an_overwritten_copy_is_found_out(study: Clone, bucket: Bucket) -> None:
    """Verify says which and shows both checksums; nobody fetches or builds from it."""
    snapshot(study)
    for kind in (".zip", ".bundle"):
        bucket.put(bucket.key(kind), b"something else")
    seen = study.rvexp("verify", TAG)
    assert seen.returncode == 1
    assert hashlib.sha256(b"something else").hexdigest() in seen.stdout
    built = study.rvexp("build", TAG)
    assert built.returncode == 0, built.stderr
    assert "is not what was put there" in built.stderr
    assert 'source="tree"' in study.git("notes", "show", TAG)
    other = stranger(study, bucket)
    fetched = other.rvexp("sync")
    assert "cannot be used" in fetched.stderr
    assert other.git("tag") == ""


def test_a_bundle_of_something_else_is_refused(study: Clone, bucket: Bucket) -> None:
    """A well-named bundle whose tag is not the record's: strangers get the right one, owners an alarm."""
    snapshot(study)
    right = study.git("rev-parse", TAG)
    evil = stranger(study, bucket, "evil")
    evil.git("config", "rvexp.store", "")
    evil.write("train.py", "print('evil')\n")
    evil.rvexp("snapshot", "first", "--date", "2026-11-22", "--project", "study")
    wrong = evil.git("rev-parse", TAG)
    evil.git("bundle", "create", "-q", "b", f"refs/tags/{TAG}")
    data = (evil.path / "b").read_bytes()
    bucket.put(f"exp/snapshots/{TAG}/{wrong}-{hashlib.sha256(data).hexdigest()}.bundle", data)
    other = stranger(study, bucket)
    fetched = other.rvexp("sync")
    assert other.git("rev-parse", TAG) == right, fetched.stderr
    alarmed = study.rvexp("sync")
    assert alarmed.returncode == 1
    assert right in alarmed.stderr
    assert wrong in alarmed.stderr
    accepted = study.rvexp("sync", "--accept")
    assert accepted.returncode == 0, accepted.stderr
    assert wrong in accepted.stderr
    assert study.git("rev-parse", TAG) == right


def test_a_bundle_that_would_write_elsewhere_writes_nothing(study: Clone, bucket: Bucket) -> None:
    """Its name promises a snapshot, its refs are branches: no ref comes of it."""
    snapshot(study)
    oid = study.git("rev-parse", TAG)
    for key in list(bucket.all()):
        bucket.s3.delete_object(Bucket=bucket.name, Key=key)
    study.git("bundle", "create", "-q", "b", f"refs/tags/{TAG}", "refs/heads/main")
    data = (study.path / "b").read_bytes()
    bucket.put(f"exp/snapshots/{TAG}/{oid}-{hashlib.sha256(data).hexdigest()}.bundle", data)
    bucket.put("exp/snapshots/refs/heads/main/x.bundle", data)
    other = stranger(study, bucket)
    before = other.git("for-each-ref", "refs/heads", "refs/tags")
    fetched = other.rvexp("sync")
    assert "holds something else" in fetched.stderr
    assert other.git("for-each-ref", "refs/heads", "refs/tags") == before


def test_another_content_under_our_name_is_an_error(
    study: Clone, bucket: Bucket, make_bucket: Callable[[], Bucket]
) -> None:
    """It is not overwritten, and both checksums are told."""
    snapshot(study)
    second, name = make_bucket(), bucket.key(".zip")
    second.put(name, b"squatter")
    study.git("config", "rvexp.store", second.uri)
    done = study.rvexp("sync")
    assert done.returncode == 1
    assert hashlib.sha256(b"squatter").hexdigest() in done.stderr
    assert hashlib.sha256(bucket.all()[name]).hexdigest() in done.stderr
    assert second.all()[name] == b"squatter"


@pytest.mark.parametrize("deep", [(), ("--deep",)], ids=["", "deep"])
def test_a_store_that_the_settings_do_not_name_is_not_asked(
    deep: tuple[str, ...], study: Clone, bucket: Bucket, stack: Stack
) -> None:
    """A record may name any bucket, and asking there would sign a request for whoever has it."""
    snapshot(study)
    study.git("config", "rvexp.store", bucket.uri[:-1])  # how its address begins, and another place
    with FaultProxy(stack.aws_endpoint) as proxy:
        study.git("config", "rvexp.aws.endpoint-url", proxy.url)
        seen = study.rvexp("verify", TAG, *deep)
        assert f"the record names a copy at {bucket.uri}/snapshots/" in seen.stdout, seen.stderr
        assert seen.returncode == 8
        assert not [sent for sent in proxy.log if "/exp/" in sent.path]
        study.git("config", "rvexp.store", bucket.uri)
        assert "✓ store" in study.rvexp("verify", TAG, *deep).stdout
        assert [sent for sent in proxy.log if "/exp/" in sent.path]


@pytest.mark.parametrize("kind", ["jsonl", "bundle"])
def test_what_can_be_listed_and_not_read_is_not_had(study: Clone, bucket: Bucket, stack: Stack, kind: str) -> None:
    """As for whoever may list a bucket and read nothing: an error, and not a store whose record is known."""
    snapshot(study)
    other = stranger(study, bucket)
    with FaultProxy(stack.aws_endpoint) as proxy:
        proxy.on("GET", rf"\.{kind}", status(403))
        other.git("config", "rvexp.aws.endpoint-url", proxy.url)
        done = other.rvexp("sync")
    assert done.returncode == 1, done.stderr
    assert "error: " in done.stderr
    assert "AWS denies it to these credentials" in done.stderr
    other.git("config", "--unset", "rvexp.aws.endpoint-url")
    assert other.rvexp("sync").stdout == f"fetched\t{TAG}\n"


def test_what_was_deleted_there_is_put_there_again(study: Clone, bucket: Bucket) -> None:
    """A copy and a file of the record that went are told by verify and mended by sync."""
    snapshot(study)
    for kind in (".bundle", ".jsonl"):
        bucket.s3.delete_object(Bucket=bucket.name, Key=bucket.key(kind))
    assert "there is no s3://" in study.rvexp("verify", TAG).stdout
    mended = study.rvexp("sync")
    assert (mended.returncode, mended.stdout) == (0, f"pushed\t{TAG}\n"), mended.stderr
    assert "gone from the store" in mended.stderr
    assert study.rvexp("verify", TAG).returncode == 0
    assert stranger(study, bucket).rvexp("sync").stdout == f"fetched\t{TAG}\n"


def test_killed_between_the_uploads_the_next_command_goes_on(study: Clone, bucket: Bucket, stack: Stack) -> None:
    """The zip is there, the bundle and the line in the record are not; sync puts them there."""
    gate = threading.Event()
    with FaultProxy(stack.aws_endpoint) as proxy:
        proxy.on("PUT", r"\.bundle", hold(gate))
        study.git("config", "rvexp.aws.endpoint-url", proxy.url)
        command = [sys.executable, "-m", "git_rvexp", "snapshot", "first", "--date", "2026-11-22"]
        with subprocess.Popen(command, cwd=study.path, stderr=subprocess.PIPE) as process:
            while not any(s.method == "PUT" and s.path.endswith(".bundle") for s in list(proxy.log)):
                assert process.poll() is None, process.stderr and process.stderr.read()
            process.kill()
    assert [key.rpartition(".")[2] for key in bucket.all()] == ["zip"]
    assert " stored " not in study.git("notes", "show", TAG)
    study.git("config", "--unset", "rvexp.aws.endpoint-url")
    mended = study.rvexp("sync")
    assert (mended.returncode, mended.stdout) == (0, f"pushed\t{TAG}\n"), mended.stderr
    assert sorted(key.rpartition(".")[2] for key in bucket.all()) == ["bundle", "jsonl", "zip"]


@pytest.mark.parametrize(("trouble", "code"), [("credentials", 4), ("bucket", 1), ("server", 1)])
def test_a_store_out_of_reach_is_told_and_remembered(
    study: Clone, bucket: Bucket, stack: Stack, monkeypatch: pytest.MonkeyPatch, trouble: str, code: int
) -> None:
    """The snapshot stands and its upload is pending; nothing runs that nobody else could see; then sync mends it."""
    with FaultProxy(stack.aws_endpoint) as proxy, monkeypatch.context() as broken:
        proxy.on("*", "/", status(500))
        if trouble == "credentials":
            broken.delenv("AWS_SECRET_ACCESS_KEY")
            broken.delenv("AWS_ACCESS_KEY_ID")
        elif trouble == "bucket":
            study.git("config", "rvexp.store", f"s3://absent-{uuid.uuid4().hex}/exp")
        else:
            broken.setenv("AWS_ENDPOINT_URL", proxy.url)
            broken.setenv("AWS_MAX_ATTEMPTS", "1")
        taken = snapshot(study)
        assert (taken.returncode, taken.stdout) == (8, f"{TAG}\n"), taken.stderr
        assert "is not in the store yet" in taken.stderr
        refused = study.rvexp("submit", TAG, "--", "sh", "code/step.sh")
        assert refused.returncode == code, refused.stderr
        assert "nothing was submitted" in refused.stderr
        assert " submitted " not in study.git("notes", "show", TAG)
    study.git("config", "rvexp.store", bucket.uri)
    mended = study.rvexp("sync")
    assert mended.stdout.startswith(f"pushed\t{TAG}\n"), mended.stderr
    assert stranger(study, bucket).rvexp("sync").stdout.startswith(f"fetched\t{TAG}\n")


def test_with_a_remote_too_one_of_the_two_is_enough(study: Clone, bucket: Bucket, tmp_path: Path) -> None:
    """Each one's failure is told; the record reaches the other, and sync brings both to the same state."""
    remote = tmp_path / "experiments.git"
    study.git("init", "-q", "--bare", str(remote))
    study.git("config", "rvexp.experiments-remote", str(remote))
    assert snapshot(study).returncode == 0
    remote.rename(tmp_path / "away")
    done = study.rvexp("submit", TAG, "--wait", "--", "sh", "code/step.sh")
    assert done.returncode == 0, done.stderr
    assert "the experiments remote cannot be reached" in done.stderr
    (tmp_path / "away").rename(remote)
    study.git("config", "rvexp.store", f"s3://absent-{uuid.uuid4().hex}/exp")
    again = study.rvexp("submit", TAG, "--wait", "--", "sh", "code/step.sh")
    assert again.returncode == 0, again.stderr
    assert "the store cannot be reached" in again.stderr
    study.git("config", "rvexp.store", bucket.uri)
    assert study.rvexp("sync").returncode == 0
    notes = study.git("rev-parse", "refs/notes/rvexp")
    assert study.git("ls-remote", "experiments", "refs/notes/rvexp").split("\t")[0] == notes
    other = stranger(study, bucket)
    other.rvexp("sync")
    there, here = other.git("notes", "--ref=rvexp", "show", TAG), study.git("notes", "show", TAG)
    assert sorted(there.splitlines()) == sorted(here.splitlines())
