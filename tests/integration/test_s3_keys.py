"""Keys that S3 tells apart and a file system would not, on a real S3 server."""

import base64
import hashlib

import pytest

from git_rvexp.data.copying import Copy
from git_rvexp.data.s3 import Listing
from git_rvexp.settings import Settings
from tests.integration.parts import Stack
from tests.integration.test_hazards import Bucket, new_bucket

KEYS = ("in//", "in//a.json", "in///a.json", "in/a.json", "in/b//c.json")


@pytest.fixture
def bucket(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Objects whose keys differ in their slashes only; the content of each is its key."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    made = new_bucket()
    for key in KEYS:
        made.s3.put_object(Bucket=made.name, Key=key, Body=key.encode(), ChecksumAlgorithm="SHA256")
    return made


@pytest.mark.parametrize(
    ("place", "top"), [("in/", "in/"), ("in", "in/"), ("in//", "in//"), ("", ""), ("in//a.json", "in//a.json")]
)
@pytest.mark.parametrize("declared", ["", "s3://elsewhere/there/"])
def test_each_name_gives_its_own_object(bucket: Bucket, place: str, top: str, declared: str) -> None:
    """Checksum and text are those of the key that was listed."""
    listing = Listing(Settings(), f"s3://{bucket.name}/{place}")
    wanted = sorted(key for key in KEYS if key.startswith(top) and (key != top or key == place == "in//a.json"))
    items = list(listing.items(declared))
    assert [listing.text(item, declared) for item in items] == wanted
    sums = [base64.b64encode(hashlib.sha256(key.encode()).digest()).decode() for key in wanted]
    assert [listing.summed(item, declared).digest for item in items] == [f"sha256-base64:{each}" for each in sums]


def test_a_copy_has_the_same_keys(bucket: Bucket) -> None:
    """Each object with its own content, none left out."""
    source, target = f"s3://{bucket.name}/in/", f"s3://{bucket.name}/copy/"
    items = list(Listing(Settings(), source).items())
    assert Copy(Settings(), source, target).make(iter(items)) == len(KEYS)
    copies = Listing(Settings(), target)
    made = {item.name.removeprefix(target): copies.text(item) for item in copies.items()}
    assert made == {key.removeprefix("in/"): key for key in KEYS}
