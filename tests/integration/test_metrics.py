"""Metrics for real: read from an ended container and from S3, recorded, and shown."""

import json
import math
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from git_rvexp.model import Json
from git_rvexp.settings import Settings
from git_rvexp.workflow.looking import metrics
from tests.conftest import Clone
from tests.integration.parts import PROJECT, Stack
from tests.notebook import Notebook


class InS3:
    """A clone whose runs leave their metrics in a bucket."""

    def __init__(self, clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", stack.aws_access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", stack.aws_secret_access_key)
        self.s3: Any = boto3.client("s3", endpoint_url=stack.aws_endpoint, region_name=stack.aws_region)
        self.bucket = f"metrics-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.region = stack.aws_region
        self.book = Notebook(clone, Settings(aws_endpoint_url=stack.aws_endpoint, aws_region=stack.aws_region))
        self.snapshot = self.book.snapshot("al/roads/2026-11-01/first")

    def told(self, names: list[str], *runs: Mapping[str, str]) -> list[dict[str, Json]]:
        """What is recorded of runs that name these files, without `.json`, and each wrote those with those texts."""
        return [self._told([f"s3://{self.bucket}/{{run}}/{name}.json" for name in names], texts) for texts in runs]

    def _told(self, places: list[str], texts: Mapping[str, str]) -> dict[str, Json]:
        plan = self.book.submitted(self.snapshot, extra={"metrics": places}, region=self.region)
        for name, text in texts.items():
            self.s3.put_object(Bucket=self.bucket, Key=f"{plan.run}/{name}.json", Body=text.encode())
        return metrics.fields(self.book.context, self.book.found(plan.run).run.plan, "job")


@pytest.fixture
def digits(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """The example as it is, whose settings name its metrics."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = Clone(tmp_path / "digits")
    ignored = shutil.ignore_patterns("__pycache__", "out", "shared")
    shutil.copytree(PROJECT / "examples" / "digits", clone.path, ignore=ignored)
    clone.git("init", "-q")
    clone.git("config", "rvexp.image.buildArgs", f"BASE={stack.base_image}")
    clone.commit("the example")
    return clone


def test_the_examples_accuracy_is_recorded_and_compared(digits: Clone) -> None:
    """Two seeds, two accuracies: in the record, in the list, in show, and in diff with their difference."""
    digits.rvexp("snapshot", "first")
    runs = []
    for seed in ("1", "2"):
        done = digits.rvexp("submit", "--wait", "--", "python3", "train.py", "--epochs", "1", "--seed", seed)
        assert done.returncode == 0, done.stderr
        runs.append(done.stdout.strip())
    (row,) = json.loads(digits.rvexp("list", "--json").stdout)["snapshots"]
    told = {run["run"]: run["metrics"] for run in row["runs"]}
    one, two = (told[run]["accuracy"] for run in runs)
    assert 0.5 < one < 1
    assert 0.5 < two < 1
    assert f"accuracy {two}" in digits.rvexp("list").stdout.split("\t")[-1]
    assert f"accuracy {one}" in digits.rvexp("show", runs[0]).stdout
    changes = {c["what"]: c for c in json.loads(digits.rvexp("diff", *runs, "--json").stdout)["changes"]}
    assert changes["metrics accuracy"]["difference"] == pytest.approx(two - one)


def test_a_run_that_wrote_none_says_so(digits: Clone) -> None:
    """The missing file is named; the outcome is recorded all the same."""
    digits.rvexp("snapshot", "first")
    run = digits.rvexp("submit", "--wait", "--", "true").stdout.strip()
    done = digits.rvexp("show", run)
    assert "out/metrics.json: is not there" in done.stdout
    assert " ok, exit 0" in done.stdout


def test_numbers_are_taken_from_s3_and_nothing_else(
    clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects inside objects; no lists or texts; infinities as words; what is missing, no JSON or too much is told."""
    good = {"accuracy": 0.5, "deep": {"loss": 1, "ok": True}, "list": [1], "text": "x", "worst": math.inf}
    contents = {"val": json.dumps(good), "many": json.dumps({f"n{i}": i for i in range(60)}), "junk": "no"}
    contents["half"] = '{"\\ud800": 1}'
    names = ["val", "many", "junk", "half", "absent"]
    (told,) = InS3(clone, stack, monkeypatch).told(names, contents)
    values = told["values"]
    assert list(values.items())[:4] == [
        ("val.accuracy", 0.5),
        ("val.deep.loss", 1),
        ("val.deep.ok", True),
        ("many.n0", 0),
    ]
    assert (len(values), told["not_finite"], told["left_out"]) == (49, {"val.worst": "Infinity"}, 14)
    assert {name.rpartition("/")[2]: why.split(":")[0] for name, why in told["unread"].items()} == {
        "junk.json": "is not JSON",
        "half.json": "is not JSON",
        "absent.json": "is not there",
    }


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["metrics"], ["loss"]),
        (["train", "val"], ["train.loss", "val.loss"]),
        (["train/metrics", "val/metrics"], ["train/metrics.loss", "val/metrics.loss"]),
        (["a/x/metrics", "b/x/metrics", "val"], ["a/x/metrics.loss", "b/x/metrics.loss", "val.loss"]),
        (["m", "out/m"], ["{run}/m.loss", "out/m.loss"]),
    ],
)
def test_numbers_of_several_files_are_told_apart_by_their_paths(
    clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch, files: list[str], names: list[str]
) -> None:
    """By as little as will do, and by the same in each run, though one wrote the last file only."""
    written = {file: json.dumps({"loss": number}) for number, file in enumerate(files)}
    last = dict([*written.items()][-1:])
    whole, part = InS3(clone, stack, monkeypatch).told(files, written, last)
    assert whole["values"] == {name: number for number, name in enumerate(names)}
    assert part["values"] == {names[-1]: len(names) - 1}


def test_of_several_numbers_of_one_name_the_first_stays_and_the_others_are_counted(
    clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dots in the names of files or numbers can make them equal."""
    texts = {"a": '{"b.c": 1, "b": {"c": 2}}', "a.b": '{"c": 3}'}
    (told,) = InS3(clone, stack, monkeypatch).told(["a", "a.b"], texts)
    assert (told["values"], told["left_out"]) == ({"a.b.c": 1}, 2)
