"""Names validate themselves, and map onto Docker's and Batch's grammars without collisions."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_rvexp.errors import UsageError
from git_rvexp.grammar import is_tag_name
from git_rvexp.names import Digest, RunId, TagName, mapped, normalised

part = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)
dates = st.dates().map(lambda d: d.isoformat())
names = st.builds(TagName, part, part, dates, part)
DOCKER_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
BATCH_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


@given(names)
def test_a_name_survives_text(name: TagName) -> None:
    """Writing and parsing a name gives the name."""
    assert TagName.parse(str(name)) == name


@given(names, names)
def test_mapping_is_injective_and_legal(one: TagName, other: TagName) -> None:
    """Two names never share a Docker tag or a Batch name, and every one is legal for both."""
    assert (one.mapped == other.mapped) == (one == other)
    assert DOCKER_TAG.fullmatch(one.mapped)
    assert BATCH_NAME.fullmatch(one.mapped)


def test_the_longest_name_is_cut_with_a_hash() -> None:
    """Beyond the limit the tail is a hash of the whole, so equal heads stay apart."""
    long = "/".join(["a" * 40, "b" * 40, "2026-01-01", "c" * 40])
    assert len(mapped(long)) == 128
    assert mapped(long) != mapped(long[:-1] + "d")
    assert mapped(long).startswith("a" * 40 + "_" + "b" * 40 + "_2026-01-01_")


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a/b/2026-01-01",
        "a/b/2026-01-01/c/d",
        "A/b/2026-01-01/c",
        "a/b/2026-13-01/c",
        "a/b/2026-1-1/c",
        "a/b/2026-01-01/-c",
        "a/b/2026-01-01/c-",
        "a/b/2026-01-01/c_d",
        "a//2026-01-01/c",
        "a/b/2026-01-01/c;rm",
        "a/b/2026-01-01/" + "c" * 41,
        "a/b/2026-01-01/c\n",
    ],
)
def test_what_is_no_name_is_refused(bad: str) -> None:
    """Four parts, a date, lower case, no shell characters."""
    assert not is_tag_name(bad)
    with pytest.raises(UsageError):
        TagName.parse(bad)


@given(st.text())
def test_the_normalised_form_is_always_legal(text: str) -> None:
    """The hint of a refused name is itself accepted."""
    assert is_tag_name(f"a/b/2026-01-01/{normalised(text)}")


def test_the_hint_keeps_the_letters() -> None:
    """The normalised form is the nearest legal name."""
    assert normalised("Émile's U-Net_v2 ") == "emile-s-u-net-v2"


def test_digests_are_checked() -> None:
    """A digest is sha256 and 64 hexadecimal digits."""
    assert str(Digest.of(b"")).startswith("sha256:e3b0c442")
    for bad in ("", "sha256:", "sha256:" + "g" * 64, "md5:" + "0" * 32, "sha256:" + "0" * 63):
        with pytest.raises(UsageError):
            Digest(bad)


def test_run_ids_are_short_random_and_checked() -> None:
    """Ten characters without look-alikes; two are never the same."""
    made = {str(RunId.new()) for _ in range(1000)}
    assert len(made) == 1000
    assert all(set(r) <= set(string.ascii_lowercase + string.digits) - set("ilou") for r in made)
    with pytest.raises(UsageError):
        RunId("ABCDEFGHJK")


def test_job_names_suit_batch_and_docker() -> None:
    """A job's name is lower case, starts with a letter and holds the run id."""
    name = RunId("0123456789").job_name("n" * 40)
    assert name == "rvexp-0123456789-" + "n" * 40
    assert BATCH_NAME.fullmatch(name)
