"""Manifests too large for the record: in the store by their hash, streamed from there, believed only if they match."""

import os
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from git_rvexp import aws
from git_rvexp.data.manifest import KEPT_MOST
from git_rvexp.model import Json, Plan
from git_rvexp.names import Digest, RunId
from git_rvexp.settings import Settings
from git_rvexp.workflow.repeating import inputs
from git_rvexp.workflow.repeating.manifests import recorded
from tests.conftest import Clone
from tests.integration.parts import Stack
from tests.notebook import Notebook

FOLDERS, NAME = 12, 240  # a path of some 3,000 bytes: few files make a large manifest


@dataclass
class Large:
    """A folder whose manifest is too large for the record, and a clone with a store, or none."""

    book: Notebook
    folder: Path
    bucket: str

    def look(self) -> dict[str, Json]:
        """The folder as an input, now."""
        run = RunId.new()
        plan = Plan(run, "docker", run.job_name("x"), "sha256:" + "0" * 64, ("true",))
        return inputs.look(self.book.context, plan, {"uri": str(self.folder), "declared": True})

    def change(self) -> None:
        """Write over one file."""
        next(p for p in self.folder.rglob("0007") if p.is_file()).write_text("other")

    def drift(self, before: dict[str, Json]) -> list[str]:
        """What has become of the input since."""
        return [d.words for d in inputs.drift(self.book.context, [before], [self.look()])]

    @property
    def s3(self) -> Any:
        """S3 for those who overwrite."""
        return aws.client("s3", self.book.settings)


@pytest.fixture
def large(clone: Clone, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Large:
    """With a store."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    bucket = f"store-{uuid.uuid4().hex[:12]}"
    made = Large(Notebook(clone, Settings(store=f"s3://{bucket}/lab")), tmp_path / "data", bucket)
    made.s3.create_bucket(Bucket=bucket)
    deep = made.folder.joinpath(*(str(n) * (NAME // len(str(n))) for n in range(FOLDERS)))
    deep.mkdir(parents=True)
    for number in range(KEPT_MOST // len(os.fsencode(deep)) + 100):
        (deep / f"{number:04}").write_text(str(number))
    return made


def test_large_manifest_stands_in_the_store_under_its_hash(large: Large) -> None:
    """The record has hash and address, git does not have the text, and the difference is told by name."""
    before = large.look()
    digest = str(before["manifest"]).removeprefix("sha256:")
    assert before["stored"] == f"s3://{large.bucket}/lab/manifests/{digest}.tsv"
    assert "kept" not in before
    body = large.s3.get_object(Bucket=large.bucket, Key=f"lab/manifests/{digest}.tsv")["Body"].read()
    assert (str(Digest.of(body)), body.count(b"\n")) == (before["manifest"], before["count"])
    assert len(body) > KEPT_MOST
    assert large.look() == before
    large.change()
    (words,) = large.drift(before)
    assert words.startswith("1 changed (")


def test_without_a_store_only_the_hash_is_kept(large: Large) -> None:
    """That something changed is known all the same; the warning names the setting."""
    large.book.settings = replace(large.book.settings, store="")
    before = large.look()
    assert {"stored", "kept"}.isdisjoint(before)
    assert any("setting store" in text for text in large.book.warned)
    assert large.drift(before) == []
    large.change()
    (words,) = large.drift(before)
    assert words.endswith("which changed was not kept")


def test_a_manifest_that_was_overwritten_is_not_believed(large: Large) -> None:
    """Nor is one that is gone: the hash in the record decides, and says that something has changed."""
    before = large.look()
    large.change()
    key = str(before["stored"]).partition(f"{large.bucket}/")[2]
    large.s3.put_object(Bucket=large.bucket, Key=key, Body=b"a\t1\tetag:x\t\n")
    (words,) = large.drift(before)
    assert "which changed cannot be told" in words
    large.s3.delete_object(Bucket=large.bucket, Key=key)
    (words,) = large.drift(before)
    assert "there is no s3://" in words


def test_a_store_that_takes_nothing_stops_no_run(large: Large) -> None:
    """The reason is told, and the hash is kept."""
    large.book.settings = replace(large.book.settings, store="s3://none-" + uuid.uuid4().hex)
    before = large.look()
    assert "stored" not in before
    assert any("the store cannot take it" in text for text in large.book.warned)


def test_lines_are_not_fetched_for_those_who_only_look(large: Large) -> None:
    """Without settings nobody is asked."""
    assert recorded(large.book.repo, large.look()) is None
