"""Manifests: their lines, their hash, and how two are compared as streams."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_rvexp.data.linked import digest
from git_rvexp.data.manifest import SHOWN, Item, compare, judgement, lines, taken
from git_rvexp.data.places import Place, for_run, mentioned
from git_rvexp.errors import UsageError

_names = st.text(st.characters(), min_size=1, max_size=8).filter(lambda t: "\0" not in t)
_items = st.dictionaries(_names, st.tuples(st.integers(0, 9), st.sampled_from(["etag:a", "etag:b"])), max_size=8)


def manifest(files: dict[str, tuple[int, str]]) -> list[str]:
    """The lines of a manifest of these files."""
    found = taken(Item(name, *files[name]) for name in sorted(files))
    assert found.text is not None
    return lines(found.text)


@given(_items)
def test_a_manifest_reads_back_as_it_was_written(files: dict[str, tuple[int, str]]) -> None:
    """Whatever characters a name has, tabs, newlines and half characters of old file systems among them."""
    assert [Item.parse(line) for line in manifest(files)] == [Item(n, *files[n]) for n in sorted(files)]


@given(_items, _items)
def test_a_comparison_counts_as_dictionaries_would(
    old: dict[str, tuple[int, str]], new: dict[str, tuple[int, str]]
) -> None:
    """Same, changed, missing and extra, as worked out the slow way."""
    found = compare(manifest(old), manifest(new))
    both = old.keys() & new.keys()
    wanted = {
        "changed": sum(old[n] != new[n] for n in both),
        "missing": len(old.keys() - new.keys()),
        "extra": len(new.keys() - old.keys()),
    }
    assert found.counts == {kind: count for kind, count in wanted.items() if count}
    assert found.same == sum(old[n] == new[n] for n in both)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (Item("a", 1, "etag:x", "v1"), Item("a", 1, "etag:x", "v1"), ""),
        (Item("a", 1, "etag:x", "v1"), Item("a", 1, "etag:x", "v2"), ""),
        (Item("a", 1, "opaque:x-2", "v1"), Item("a", 1, "opaque:y-2", "v1"), ""),
        (Item("a", 1, "opaque:x-2", "null"), Item("a", 1, "opaque:y-2", "null"), "unknown"),
        (Item("a", 1, "etag:x"), Item("a", 1, "etag:y"), "changed"),
        (Item("a", 1, "etag:x"), Item("a", 2, "etag:x"), "changed"),
        (Item("a", 1, "etag:x"), Item("a", 1, "sha256:y"), "unknown"),
        (Item("a", 1, "opaque:x-2"), Item("a", 1, "opaque:x-2"), ""),
        (Item("a", 0, "link:b"), Item("a", 0, "link:b"), ""),
        (Item("a", 0, "link:b"), Item("a", 0, "link:c"), "changed"),
        (Item("a", 0, "outside:/b"), Item("a", 0, "outside:/b"), "unknown"),
        (Item("a", 0, "outside:/b"), Item("a", 0, "outside:/c"), "changed"),
    ],
)
def test_what_proves_sameness(old: Item, new: Item, verdict: str) -> None:
    """A version id does, equal digests do; uploads in parts, links to elsewhere and other kinds prove nothing."""
    assert judgement(old, new) == verdict
    assert [*compare([str(old)], [str(new)]).counts] == [verdict] * bool(verdict)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("b", "link"),
        ("../b", "link"),
        ("/app/out/b", "link"),
        ("../../out/b", "link"),
        ("..", "link"),
        ("../../b", "outside"),
        ("../../outer/b", "outside"),
        ("/tmp/b", "outside"),
        ("/app", "outside"),
    ],
)
def test_links_that_lead_out_of_their_place_are_told_apart(target: str, kind: str) -> None:
    """By the path alone, relative or absolute."""
    assert digest(target, "/app/out/deep/a", "/app/out") == f"{kind}:{target}"


def test_an_unsorted_manifest_is_refused() -> None:
    """A comparison of unsorted streams would tell of missing files that are there."""
    wrong = [str(Item(name, 1, "etag:x")) for name in ("a", "c", "b")]
    with pytest.raises(ValueError, match="not sorted"):
        compare(wrong, [str(Item(name, 1, "etag:y")) for name in ("a", "b", "c")])


def test_examples_are_bounded_and_counts_are_not() -> None:
    """However many files differ, only a few are told one by one."""
    found = compare([], [str(Item(f"{n:05}", 1, "etag:x")) for n in range(1000)])
    assert (found.counts["extra"], len(found.examples["extra"])) == (1000, SHOWN)
    assert found.words() == "1000 extra (00000, 00001, 00002, …)"


def test_a_large_manifest_has_its_hash_and_no_text() -> None:
    """What does not fit into the record is still held against itself later, by its hash."""
    whole = taken(Item(str(n), n, "etag:x") for n in range(10))
    small = taken((Item(str(n), n, "etag:x") for n in range(10)), most=20)
    assert small.text is None
    assert (small.digest, small.count, small.size) == (whole.digest, 10, 45)


def test_files_are_taken_one_at_a_time() -> None:
    """A listing of a million objects is never held whole."""
    alive = 0

    def counted() -> Iterator[Item]:
        nonlocal alive
        for number in range(100):
            alive += 1
            yield Item(f"{number:03}", 1, "etag:x")

    stream = (str(item) for item in counted())
    compare(stream, (str(Item(f"{n:03}", 1, "etag:x")) for n in range(3)))
    assert alive == 100


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["train", "s3://b1x/data/"], ["s3://b1x/data/"]),
        (["--data=s3://b1x/a.csv,s3://b2x/b"], ["s3://b1x/a.csv", "s3://b2x/b"]),
        (["sh", "-c", "aws s3 cp 's3://b1x/a b' . && echo s3://b1x/c."], ["s3://b1x/a", "s3://b1x/c"]),
        (["s3://", "s3://-", "S3://b1x/a"], []),
    ],
)
def test_uris_are_found_inside_words(words: list[str], found: list[str]) -> None:
    """Once each, without what the shell puts around them."""
    assert mentioned(words) == found


def test_places() -> None:
    """A key, a prefix, a whole bucket; a run's own output place."""
    assert Place.parse("s3://buck/a/b").folder == "a/b/"
    assert Place.parse("s3://buck").folder == ""
    assert for_run("s3://buck/{run}/out", "k3") == "s3://buck/k3/out"
    with pytest.raises(UsageError):
        Place.parse("s3:/buck")
