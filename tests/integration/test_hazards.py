"""What may happen to an input in S3 later, and during the look, on a real S3 server: each hazard, and its absence."""

import datetime as dt
import functools
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from git_rvexp import aws
from git_rvexp.data.lifecycle import ARCHIVED, RESTORED
from git_rvexp.data.manifest import taken
from git_rvexp.data.s3 import NO_VERSIONS, Listing
from git_rvexp.settings import Settings
from tests.faults.actions import status
from tests.faults.proxy import FaultProxy
from tests.integration.parts import Stack

LATER = dt.timedelta(hours=1)  # a look in an hour: nothing is being written then


@dataclass
class Bucket:
    """A bucket of a test's own."""

    name: str

    @functools.cached_property
    def s3(self) -> Any:
        """S3 for those who change things."""
        return aws.client("s3", Settings())

    def put(self, key: str, text: str, kind: str = "STANDARD") -> None:
        """Write an object of a storage class."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=text.encode(), StorageClass=kind)

    def versions(self, status: str) -> None:
        """Switch versioning on, or suspend it."""
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": status})

    def rule(self, **rule: Any) -> None:
        """Make this the one lifecycle rule."""
        rules = [{"ID": "one", "Status": "Enabled", "Filter": {"Prefix": ""}, **rule}]
        self.s3.put_bucket_lifecycle_configuration(Bucket=self.name, LifecycleConfiguration={"Rules": rules})

    def listing(self, key: str = "in", *, later: dt.timedelta = LATER, url: str = "") -> Listing:
        """A complete look at a place, `later` by our clock."""
        settings = Settings(aws_endpoint_url=url) if url else Settings()
        look = Listing(settings, f"s3://{self.name}/{key}", now=lambda: dt.datetime.now(dt.UTC) + later)
        taken(look.items())
        return look


def new_bucket() -> Bucket:
    """Empty, without versions."""
    made = Bucket(f"data-{uuid.uuid4().hex[:12]}")
    made.s3.create_bucket(Bucket=made.name)
    return made


@pytest.fixture
def bucket(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """With versions from the start, and two objects."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    made = new_bucket()
    made.versions("Enabled")
    made.put("in/a.csv", "1")
    made.put("in/b.csv", "2")
    return made


def test_versions_from_the_start_are_no_hazard(bucket: Bucket) -> None:
    """The twin of all others: nothing is told, of a prefix or of one object."""
    for place in ("in", "in/", "in/a.csv", ""):
        look = bucket.listing(place)
        assert (look.hazards, look.level) == ({}, "version")


def test_a_bucket_without_versions(bucket: Bucket) -> None:
    """Only the content can be compared."""
    plain = new_bucket()
    plain.put("in/a.csv", "1")
    look = plain.listing()
    assert (look.hazards, look.level) == ({NO_VERSIONS: 1}, "content")


def test_null_versions_and_suspension(bucket: Bucket) -> None:
    """An object of the time before versions can be overwritten without a trace; so can all while they are suspended."""
    old = new_bucket()
    old.put("in/a.csv", "1")
    old.versions("Enabled")
    old.put("in/b.csv", "2")
    null = "written when no versions were kept (version null)"
    assert old.listing().hazards == {null: 1}
    assert old.listing("in/a.csv").hazards == {null: 1}
    assert old.listing("in/b.csv").hazards == {}
    bucket.versions("Suspended")
    assert bucket.listing().hazards == {"versioning is suspended": 1}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"Expiration": {"Days": 30}}, ["a rule deletes objects after 30 days"]),
        ({"Expiration": {"Days": 30}, "Filter": {"Prefix": "in/"}}, ["a rule deletes objects after 30 days"]),
        ({"Expiration": {"Days": 30}, "Filter": {"Prefix": "logs/"}}, []),
        ({"Expiration": {"Days": 30}, "Status": "Disabled"}, []),
        ({"Expiration": {"Date": dt.datetime(2031, 1, 1, tzinfo=dt.UTC)}}, ["a rule deletes objects on 2031-01-01"]),
        ({"NoncurrentVersionExpiration": {"NoncurrentDays": 7}}, ["a rule deletes old versions after 7 days"]),
        ({"Transitions": [{"Days": 90, "StorageClass": "GLACIER"}]}, ["a rule moves objects to GLACIER after 90 days"]),
        ({"Transitions": [{"Days": 90, "StorageClass": "STANDARD_IA"}]}, []),
        ({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}}, []),
    ],
)
def test_rules_that_delete_or_freeze(bucket: Bucket, rule: dict[str, Any], told: list[str]) -> None:
    """Those that are in force for the place are told with their days, others are not."""
    bucket.rule(**rule)
    assert list(bucket.listing().hazards) == told


@pytest.mark.parametrize("kind", ["GLACIER", "DEEP_ARCHIVE"])
def test_archived_objects(bucket: Bucket, kind: str) -> None:
    """They are counted; Glacier's instant retrieval can be read at once and is none."""
    bucket.put("in/c.csv", "3", kind)
    bucket.put("in/d.csv", "4", "GLACIER_IR")
    assert bucket.listing().hazards == {ARCHIVED: 1}


@pytest.mark.parametrize(("place", "ready"), [("in/c.csv", True), ("in/c.csv", False), ("in", True), ("in", False)])
def test_restored_objects(stack: Stack, bucket: Bucket, place: str, *, ready: bool) -> None:
    """They can be read for a while: a head says so, and S3's list when it is asked for it (moto's never does)."""
    bucket.put("in/c.csv", "3", "GLACIER")
    assert bucket.listing(place).frozen == "in/c.csv"
    if ready:
        bucket.s3.restore_object(Bucket=bucket.name, Key="in/c.csv", RestoreRequest={"Days": 1})
    until = "<RestoreExpiryDate>2031-01-01T00:00:00.000Z</RestoreExpiryDate>" if ready else ""
    page = f"""<ListVersionsResult><Version><Key>in/c.csv</Key><VersionId>1</VersionId><IsLatest>true</IsLatest>
        <Size>1</Size><StorageClass>GLACIER</StorageClass>
        <RestoreStatus><IsRestoreInProgress>{str(not ready).lower()}</IsRestoreInProgress>{until}</RestoreStatus>
        </Version></ListVersionsResult>"""
    with FaultProxy(stack.aws_endpoint) as proxy:
        proxy.on("GET", r"\?versions", status(200, page.encode()))
        look = bucket.listing(place, url=proxy.url)
        asked = [seen for seen in proxy.log if "?versions" in seen.path]
    assert (look.hazards, look.frozen) == ({RESTORED if ready else ARCHIVED: 1}, "" if ready else "in/c.csv")
    assert bool(asked) == (place == "in")


def test_a_delete_marker(bucket: Bucket) -> None:
    """What it hides is not listed, and that something is hidden is told."""
    bucket.s3.delete_object(Bucket=bucket.name, Key="in/b.csv")
    assert bucket.listing().hazards == {"hidden by a delete marker": 1}


def test_objects_that_move_under_the_look(bucket: Bucket) -> None:
    """What was written since the look began may be in the list or not; by the clock of an hour ago all were."""
    assert bucket.listing(later=-LATER).hazards == {"written while it was being listed": 2}
    assert bucket.listing("in/a.csv", later=-LATER).hazards == {"written while it was being listed": 1}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("versioning", ["whether versions are kept cannot be told"]),
        ("lifecycle", ["lifecycle rules cannot be told"]),
    ],
)
def test_what_may_not_be_asked_is_no_all_clear(stack: Stack, bucket: Bucket, query: str, told: list[str]) -> None:
    """A denied question is a hazard of its own, and the objects are listed all the same."""
    with FaultProxy(stack.aws_endpoint) as proxy:
        denied = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        proxy.on("GET", query, status(403, denied))
        look = bucket.listing(url=proxy.url)
    assert list(look.hazards) == told
