"""Pinned inputs on a real S3 server: the job is given what was listed, whatever stands there by then."""

import json
import re
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from git_rvexp import aws
from git_rvexp.data.copying import MovedError
from git_rvexp.data.s3 import WRITTEN
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.model import Json, Plan, Snapshot
from git_rvexp.names import RunId
from git_rvexp.settings import Settings
from git_rvexp.workflow.repeating import inputs
from git_rvexp.workflow.repeating.pinning import COPY, VERSION, pinned
from tests.conftest import Clone
from tests.integration.parts import Stack
from tests.integration.test_repeat import DIFFERS, SAME, ran
from tests.notebook import Notebook

NO_SNAPSHOT = Snapshot("", "", "", "")
FILES = {"train/a.csv": b"1,2\n", "train/b/c.csv": b"3,4\n", "train/d e+f.csv": b"5,6\n"}


@dataclass
class Place:
    """A bucket with data and a store, and a clone that knows the store."""

    book: Notebook
    bucket: str
    store: str

    @property
    def s3(self) -> Any:
        """S3 for those who overwrite."""
        return aws.client("s3", self.book.settings)

    @property
    def train(self) -> str:
        """The data's address."""
        return f"s3://{self.bucket}/train/"

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def plan(self, *command: str, declared: str = "", **env: str) -> Plan:
        """A plan whose inputs have not been looked at."""
        run = RunId.new()
        found = inputs.wanted(self.book.context, NO_SNAPSHOT, command, [declared] if declared else [], [])
        return Plan(run, "docker", run.job_name("x"), "sha256:" + "0" * 64, command, env, extra={"inputs": found})

    def look(self, plan: Plan) -> list[dict[str, Json]]:
        """Its inputs as a submitted plan would have them recorded."""
        return list(inputs.seen(self.book.context, plan).extra["inputs"])

    def held(self, address: str) -> dict[str, bytes]:
        """Name and content of what stands below an address."""
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        listed = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {
            e["Key"].removeprefix(prefix): self.s3.get_object(Bucket=bucket, Key=e["Key"])["Body"].read()
            for e in listed
        }


def lasting(entry: dict[str, Json]) -> dict[str, Json]:
    """An input without what is told of objects that are a second old, which passes."""
    hazards = {k: v for k, v in entry.get("hazards", {}).items() if k != WRITTEN}
    return {**entry, "hazards": hazards}


def made(clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch, *, versioned: bool) -> Place:
    """The data in a bucket that keeps versions, or none."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    names = [f"{kind}-{uuid.uuid4().hex[:12]}" for kind in ("data", "store")]
    place = Place(Notebook(clone, Settings(store=f"s3://{names[1]}/lab")), *names)
    for name in names:
        place.s3.create_bucket(Bucket=name)
    if versioned:
        place.s3.put_bucket_versioning(Bucket=names[0], VersioningConfiguration={"Status": "Enabled"})
    for key, content in FILES.items():
        place.put(key, content)
    return place


@pytest.fixture
def place(clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Place:
    """With versions."""
    return made(clone, stack, monkeypatch, versioned=True)


@pytest.fixture
def plain(clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Without versions."""
    return made(clone, stack, monkeypatch, versioned=False)


@pytest.mark.parametrize("how", [COPY, VERSION])
def test_what_was_pinned_just_now_is_not_called_unsettled(place: Place, how: str) -> None:
    """The copy that we have just made and checked, or a version, is not being written; the original may be."""
    plan = place.plan("train", f"{place.train}a.csv")
    again = pinned(place.book.context, plan, how)
    (entry,) = again.extra["inputs"]
    assert entry["uri"] != f"{place.train}a.csv"
    assert WRITTEN not in entry.get("hazards", {})
    place.book.warned.clear()
    inputs.seen(place.book.context, again)
    assert [line for line in place.book.warned if WRITTEN in line] == []


def test_a_prefix_is_copied_under_the_name_of_its_content(place: Place) -> None:
    """Command and environment have the new address, whole words and parts of words; the record has both."""
    plan = place.plan("train", f"--data={place.train}", f"{place.train}a.csv", DATA=f"x:{place.train}")
    again = pinned(place.book.context, plan, COPY)
    folder, file = again.extra["inputs"]
    assert re.fullmatch(rf"s3://{place.store}/lab/inputs/[0-9a-f]{{64}}/train/", folder["uri"])
    assert re.fullmatch(rf"s3://{place.store}/lab/inputs/[0-9a-f]{{64}}/a.csv", file["uri"])
    assert again.command == ("train", f"--data={folder['uri']}", file["uri"])
    assert again.env["DATA"] == f"x:{folder['uri']}"
    assert (folder["pinned"], file["pinned"]) == (place.train, f"{place.train}a.csv")
    assert json.loads(again.env["RVEXP_INPUTS"]) == {e["pinned"]: e["uri"] for e in (folder, file)}
    assert place.held(folder["uri"]) == {k.removeprefix("train/"): v for k, v in FILES.items()}
    assert place.held(file["uri"]) == {"": b"1,2\n"}
    assert (folder["count"], folder["bytes"]) == (3, 12)


def test_listed_versions_are_taken_and_not_the_newest(place: Place) -> None:
    """What a record lists is copied though it was overwritten and deleted since; the same state is copied once."""
    plan = place.plan("train", place.train)
    listed = place.look(plan)
    place.put("train/a.csv", b"9,9\n")
    place.put("train/new.csv", b"0\n")
    place.s3.delete_object(Bucket=place.bucket, Key="train/b/c.csv")
    (entry,) = pinned(place.book.context, plan, COPY, listed).extra["inputs"]
    assert place.held(entry["uri"]) == {k.removeprefix("train/"): v for k, v in FILES.items()}
    (again,) = pinned(place.book.context, plan, COPY, listed).extra["inputs"]
    assert lasting(again) == lasting(entry)
    assert "0 of 3 object(s) copied" in place.book.said[-1]


def test_a_copy_that_was_cut_short_is_completed(place: Place) -> None:
    """And one that somebody changed is refused, never repaired by overwriting."""
    plan = place.plan("train", place.train)
    (entry,) = pinned(place.book.context, plan, COPY).extra["inputs"]
    key = entry["uri"].partition(f"{place.store}/")[2]
    place.s3.delete_object(Bucket=place.store, Key=f"{key}b/c.csv")
    (again,) = pinned(place.book.context, plan, COPY).extra["inputs"]
    assert lasting(again) == lasting(entry)
    assert "1 of 3 object(s) copied" in place.book.said[-1]
    place.s3.put_object(Bucket=place.store, Key=f"{key}a.csv", Body=b"7,7\n")
    with pytest.raises(RvexpError, match=r"1 changed \(s3://"):
        pinned(place.book.context, plan, COPY)
    assert place.held(entry["uri"])["a.csv"] == b"7,7\n"


def test_without_versions_what_was_overwritten_is_named_and_not_copied(plain: Place) -> None:
    """The state of now can be pinned; that of then only as long as it stands."""
    plan = plain.plan("train", plain.train)
    listed = plain.look(plan)
    (entry,) = pinned(plain.book.context, plan, COPY, listed).extra["inputs"]
    assert plain.held(entry["uri"])["a.csv"] == b"1,2\n"
    plain.book.settings = replace(plain.book.settings, store=f"s3://{plain.store}/other")
    plain.put("train/a.csv", b"9,9\n")
    with pytest.raises(MovedError, match=r"train/a\.csv is not as it was listed"):
        pinned(plain.book.context, plan, COPY, listed)


def test_an_object_by_its_version(place: Place) -> None:
    """The address names the version that was listed, and is looked at as such after the object was overwritten."""
    plan = place.plan("train", f"{place.train}a.csv")
    again = pinned(place.book.context, plan, VERSION)
    (entry,) = again.extra["inputs"]
    assert again.command[1] == entry["uri"]
    assert entry["uri"].startswith(f"{place.train}a.csv?versionId=")
    place.put("train/a.csv", b"9,9\n")
    assert inputs.drift(place.book.context, [entry], place.look(again)) == []
    looked = inputs.look(place.book.context, again, entry)
    assert lasting(looked) == lasting(entry)
    version = entry["uri"].rpartition("=")[2]
    place.s3.delete_object(Bucket=place.bucket, Key="train/a.csv", VersionId=version)
    (drift,) = inputs.drift(place.book.context, [entry], [inputs.look(place.book.context, again, entry)])
    assert "1 missing" in drift.words


def test_what_has_no_version_is_refused(place: Place, plain: Place) -> None:
    """A prefix, a bucket without versions, no store for copies: each is said before anything is submitted."""
    with pytest.raises(UsageError, match="is a prefix"):
        pinned(place.book.context, place.plan("train", place.train), VERSION)
    with pytest.raises(UsageError, match="keeps none"):
        pinned(plain.book.context, plain.plan("train", f"{plain.train}a.csv"), VERSION)
    plain.book.settings = replace(plain.book.settings, store="")
    with pytest.raises(UsageError, match="there is none"):
        pinned(plain.book.context, plain.plan("train", plain.train), COPY)


def test_what_nothing_names_is_told_and_what_is_empty_stays(place: Place) -> None:
    """A declared input that only a file of the code names is in RVEXP_INPUTS; a place without objects is not moved."""
    plan = place.plan("train", f"s3://{place.bucket}/out/", declared=place.train)
    again = pinned(place.book.context, plan, COPY)
    assert again.command == plan.command
    assert list(json.loads(again.env["RVEXP_INPUTS"])) == [place.train]
    assert any("RVEXP_INPUTS" in text for text in place.book.warned)


def test_pinned_runs_repeat_over_the_same_bytes(clone: Clone, place: Place, stack: Stack, tmp_path: Path) -> None:
    """On the command line: a pinned run does not drift; one that was not is repeated over its recorded versions."""
    clone.git("init", "-q", "--bare", str(tmp_path / "experiments.git"))
    settings = {"experiments-remote": str(tmp_path / "experiments.git"), "store": place.book.settings.store}
    for key, value in settings.items():
        clone.git("config", f"rvexp.{key}", value)
    clone.write("Dockerfile", f"FROM {stack.tiny_image}\nWORKDIR /opt/src\nCOPY . /opt/src\n")
    clone.write("unique.txt", uuid.uuid4().hex)
    clone.rvexp("snapshot", "first")
    command = ("--output", "out", "--", "sh", "-c", 'mkdir -p out; basename "$0" > out/read', place.train)
    loose, fixed = ran(clone, *command), ran(clone, "--pin-inputs", *command)
    place.put("train/a.csv", b"9,9\n")
    assert clone.rvexp("repeat", loose, "--wait").returncode == DIFFERS
    for run, words in ((fixed, ()), (loose, ("--pin-inputs",))):
        done = clone.rvexp("repeat", run, "--wait", *words)
        assert (done.returncode, done.stdout.splitlines()[1]) == (SAME, "identical; 1 file"), done.stderr
    assert clone.rvexp("verify", fixed).stdout.splitlines()[-1].endswith("yes")
    assert clone.rvexp("verify", loose).stdout.splitlines()[-1].endswith("no: inputs")
