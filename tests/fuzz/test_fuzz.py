"""Every parser over its kept corpus, and over what hypothesis makes of it: refused in words, or read."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import CORPUS, TARGETS, kept

_QUICK = 60
_LONG = 2000


KEPT = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_nothing_kept_breaks_its_parser(path: Path) -> None:
    """Starting points, and every input that once broke it."""
    TARGETS[path.parent.name](path.read_bytes())


def test_every_parser_has_a_corpus_and_every_corpus_a_parser() -> None:
    """dev/fuzz takes its list from the folders."""
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)


def _mutated(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """A kept input with a piece of it cut out, doubled, replaced by another's piece or by anything."""
    places = st.integers(0, max(map(len, seeds)))
    pieces = st.one_of(st.binary(max_size=20), st.text(max_size=10).map(lambda t: t.encode("utf-8", "replace")))

    @st.composite
    def changed(draw: st.DrawFn) -> bytes:
        data = draw(st.sampled_from(seeds))
        for _ in range(draw(st.integers(1, 4))):
            start, length = draw(places), draw(st.integers(0, 40))
            other = draw(st.sampled_from(seeds))
            begin = draw(places)
            mine, theirs = data[start : start + length] * 2, other[begin : begin + length]
            piece = draw(st.one_of(pieces, st.just(theirs), st.just(mine)))
            data = data[:start] + piece + data[start + draw(st.integers(0, 40)) :]
        return data

    return st.one_of(changed(), st.binary(max_size=200))


def _fuzzed(name: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=_mutated(kept(name)))
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_inputs_near_the_corpus_break_nothing(name: str) -> None:
    """A few dozen per parser; `dev/fuzz` tries millions."""
    _fuzzed(name, _QUICK)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(TARGETS))
def test_many_inputs_near_the_corpus_break_nothing(name: str) -> None:
    """The same, longer."""
    _fuzzed(name, _LONG)
