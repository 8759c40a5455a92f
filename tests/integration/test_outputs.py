"""What runs wrote to S3, as the record tells it of an original and its repeat, and the verdict on the two."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import boto3
import pytest

from git_rvexp.model import Json
from git_rvexp.record.events import Event, stamp
from git_rvexp.settings import Settings
from git_rvexp.workflow.repeating import evidence
from git_rvexp.workflow.repeating.verdict import EQUAL
from tests.conftest import Clone
from tests.integration.parts import Stack
from tests.notebook import Notebook


class InS3:
    """A clone whose runs write to a bucket."""

    def __init__(self, clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in stack.environment().items():
            monkeypatch.setenv(name, value)
        self.s3: Any = boto3.client("s3", endpoint_url=stack.aws_endpoint, region_name=stack.aws_region)
        self.bucket = f"results-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.region = stack.aws_region
        self.book = Notebook(clone, Settings(aws_endpoint_url=stack.aws_endpoint, aws_region=stack.aws_region))
        self.snapshot = self.book.snapshot("al/roads/2026-11-01/first")

    def ran(self, files: Mapping[str, str], **extra: Json) -> tuple[str, dict[str, Mapping[str, Json]]]:
        """A run that wrote these files, and what is recorded of its end, by kind."""
        place = f"s3://{self.bucket}/{{run}}/"
        plan = self.book.submitted(self.snapshot, extra={"outputs": [place], **extra}, region=self.region)
        for name, text in files.items():
            self.s3.put_object(Bucket=self.bucket, Key=f"{plan.run}/{name}", Body=text.encode())
        ended = Event(stamp(self.book.now), "ended", {"run": str(plan.run), "state": "SUCCEEDED", "exit": 0})
        told = [ended, *evidence.gather(self.book.context, self.book.found(plan.run), ended)]
        self.book.ledger.append(self.snapshot.oid, *told)
        return str(plan.run), {event.kind: event.fields for event in told}


@pytest.fixture
def in_s3(clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> InS3:
    """Such a clone, and an empty bucket."""
    return InS3(clone, stack, monkeypatch)


def test_numbers_are_compared_wherever_their_file_stands_among_the_others(in_s3: InS3) -> None:
    """Behind more files than are told one by one."""
    files = {f"ckpt/{number:02}.bin": "x" for number in range(30)}
    first, told = in_s3.ran(files | {"metrics.json": json.dumps({"loss": 0.5})})
    assert [*told["outputs"]["texts"]] == [f"s3://{in_s3.bucket}/{{run}}/metrics.json"]
    _, again = in_s3.ran(files | {"metrics.json": json.dumps({"loss": 0.501})}, repeats=first, tolerance=0.01)
    assert again["verdict"]["result"] == EQUAL


def test_texts_are_fetched_as_far_as_the_record_takes_them(in_s3: InS3) -> None:
    """Twenty of them, none over 64 KiB, and no more than fit beside those that are kept already."""
    many = {f"{number:02}.json": "1" for number in range(30)}
    assert len(in_s3.ran(many)[1]["outputs"]["texts"]) == 20
    large = {f"{size}.csv": "1" * size for size in (60_000, 60_001, 60_002, 60_003, 60_004, 70_000)}
    _, told = in_s3.ran({**large, "small.csv": "1"})
    kept = [name.rpartition("/")[2] for name in told["outputs"]["texts"]]
    assert kept == ["60000.csv", "60001.csv", "60002.csv", "60003.csv", "small.csv"]
