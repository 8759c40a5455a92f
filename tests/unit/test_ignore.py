"""Our reading of .dockerignore against that of the docker package, which was written from the same rules."""

import re

import pytest
from docker.utils.build import PatternMatcher
from hypothesis import example, given
from hypothesis import strategies as st

from git_rvexp.errors import UsageError
from git_rvexp.images import wildcards
from git_rvexp.images.ignore import ignoring

WORDS = st.sampled_from(["a", "b", "ab", "a.py", "*", "a*", "?", "**", "[ab]", "*.py"])
PATTERNS = st.tuples(st.sampled_from(["", "!"]), st.lists(WORDS, min_size=1, max_size=3)).map(
    lambda p: p[0] + "/".join(p[1])
)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "a.py", "c"]), min_size=1, max_size=4).map("/".join)


def theirs(patterns: list[str], path: str) -> bool:
    """As the docker package walks: below a folder left out, only an exception that starts with it is looked at."""
    matcher = PatternMatcher([*patterns, "!Dockerfile"])
    kept = [p.cleaned_pattern for p in matcher.patterns if p.exclusion]
    folders = [path[:i] for i, c in enumerate(path) if c == "/"]
    if any(matcher.matches(f) and not any(k.startswith(f) for k in kept) for f in folders):
        return True
    return bool(matcher.matches(path))


@pytest.mark.parametrize("pattern", ["**/" * 12 + "x", "*a" * 20, "a**b" * 12, "?*" * 30])
def test_a_pattern_cannot_make_matching_endless(pattern: str) -> None:
    """A regular expression for these takes years for such paths."""
    assert not ignoring(pattern, "Dockerfile")("a/" * 30 + "a" * 60 + "c")


def test_a_pattern_that_is_none_is_refused() -> None:
    """A range that runs backwards, with the pattern in the message."""
    with pytest.raises(UsageError, match=r"z-a"):
        ignoring("ok\nx[z-a]\n", "Dockerfile")


WILD = st.lists(st.sampled_from(["a", "b", "/", "*", "**", "**/", "?", "[ab]"]), min_size=3, max_size=9).map("".join)


@given(pattern=WILD, path=PATHS)
def test_walking_finds_what_the_expression_finds(pattern: str, path: str) -> None:
    """The quick way and the safe way are one answer, for patterns of any number of wildcards."""
    parts = list(wildcards._parts(pattern))
    expression = re.compile("".join(wildcards._EXPRESSIONS.get(p.kind, p.letter) for p in parts), re.DOTALL)
    letters = [re.compile(p.letter, re.DOTALL) for p in parts]
    assert wildcards._walked(parts, letters, path) == bool(expression.fullmatch(path))


@example(patterns=["a.py", "!**/*.py"], path="a.py/a")
@given(patterns=st.lists(PATTERNS, max_size=4), path=PATHS)
def test_the_same_files_are_left_out(patterns: list[str], path: str) -> None:
    """For any patterns and any path."""
    assert ignoring("\n".join(patterns), "Dockerfile")(path) == theirs(patterns, path)


def test_comments_marks_and_the_dockerfile() -> None:
    """A byte order mark, comments and slashes at the ends mean nothing; Dockerfile and ignore file always stay."""
    left_out = ignoring("\ufeff# x\n\n/out/\n*\n!keep\n", "Dockerfile")
    assert [left_out(p) for p in ("out", "x", "keep", "Dockerfile", ".dockerignore")] == [
        True,
        True,
        False,
        False,
        False,
    ]
