"""Objects under KMS, whose ETags are no MD5s: two different ones prove nothing, in listings, copies and inputs.

This server's ETags are MD5s always; what is under KMS it tells as S3 does, in heads only.
"""

import time

import pytest

from git_rvexp.data.manifest import Item, by_content, compare
from git_rvexp.data.s3 import Listing
from git_rvexp.errors import RvexpError
from git_rvexp.workflow.repeating import inputs
from git_rvexp.workflow.repeating.pinning import COPY, pinned
from tests.conftest import Clone
from tests.faults.actions import status
from tests.faults.proxy import FaultProxy
from tests.integration.parts import Stack
from tests.integration.test_pinning import Place, made

KMS = {"ServerSideEncryption": "aws:kms"}


@pytest.fixture(params=[True, False])
def place(request: pytest.FixtureRequest, clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Three objects, with versions and without."""
    return made(clone, stack, monkeypatch, versioned=request.param)


def put(place: Place, key: str, content: bytes, bucket: str = "") -> None:
    """Write an object under KMS."""
    place.s3.put_object(Bucket=bucket or place.bucket, Key=key, Body=content, **KMS)


def listed(place: Place) -> list[Item]:
    """The objects of the prefix."""
    return list(Listing(place.book.settings, place.train).items())


def kinds(items: list[Item]) -> set[str]:
    """Of their digests."""
    return {item.digest.partition(":")[0] for item in items}


def test_etags_below_a_prefix_that_is_under_kms_by_now_prove_no_change(place: Place) -> None:
    """The newest object says so for all; of those that stayed nothing has changed."""
    before = listed(place)
    assert kinds(before) == {"etag"}
    time.sleep(1.1)  # S3 tells when an object was written in whole seconds
    put(place, "train/zz.csv", b"7,7\n")
    first = listed(place)
    assert kinds(first) == {"opaque"}
    assert compare(map(str, before), map(str, first)).counts == {"extra": 1}
    put(place, "train/zz.csv", b"8,8\n")
    assert [by_content(old, new) for old, new in zip(first, listed(place), strict=True)] == ["", "", "", "unknown"]


def test_where_heads_are_kept_from_us_etags_are_no_proof(
    place: Place, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prefix is listed all the same."""
    with FaultProxy(stack.aws_endpoint) as proxy:
        proxy.on("HEAD", "train", status(403))
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        found = listed(place)
    assert (len(found), kinds(found)) == (3, {"opaque"})


def test_an_input_of_which_that_cannot_be_told_is_not_called_changed(place: Place) -> None:
    """It is a drift all the same, of which nothing is certain."""
    put(place, "train/a.csv", b"1,2\n")
    (before,) = place.look(place.plan("train", place.train))
    put(place, "train/a.csv", b"2,1\n")
    (now,) = place.look(place.plan("train", place.train))
    (drift,) = inputs.drift(place.book.context, [before], [now])
    assert (drift.words, drift.certain) == (f"checksums of different kinds: 1 unknown ({place.train}a.csv)", False)


def test_a_copy_is_not_refused_for_an_etag_under_kms(place: Place) -> None:
    """Though the newest object of the copy is not; one that is not under KMS itself is told as ever."""
    plan = place.plan("train", place.train)
    (entry,) = pinned(place.book.context, plan, COPY).extra["inputs"]
    key = entry["uri"].partition(f"{place.store}/")[2]
    put(place, f"{key}b/c.csv", b"7,7\n", place.store)
    place.s3.put_object(Bucket=place.store, Key=f"{key}a.csv", Body=b"1,2\n")
    pinned(place.book.context, plan, COPY)
    place.s3.put_object(Bucket=place.store, Key=f"{key}b/c.csv", Body=b"7,7\n")
    with pytest.raises(RvexpError, match=r"1 changed \(s3://"):
        pinned(place.book.context, plan, COPY)
