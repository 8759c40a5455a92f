"""Our reading of .dockerignore against BuildKit's rules, written down a second time as they are documented."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from git_rvexp.errors import UsageError
from git_rvexp.images import wildcards
from git_rvexp.images.ignore import ignoring

WORDS = st.sampled_from(["a", "b", "ab", "a.py", "*", "a*", "?", "**", "[ab]", "*.py", "**.py"])
PATTERNS = st.tuples(st.sampled_from(["", "", "!"]), st.lists(WORDS, min_size=1, max_size=3)).map(
    lambda p: p[0] + "/".join(p[1])
)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "a.py", "c"]), min_size=1, max_size=4).map("/".join)


class Line(NamedTuple):
    """A line of the file: what it names, and whether it begins with an exclamation mark."""

    pattern: str
    exception: bool

    def names(self, path: str) -> bool:
        """Whether the pattern stands for this very path."""
        words = re.findall(r"\*\*/?|\*|\?|\[[a-z]+\]|[^*?\[]+", self.pattern)
        if words[0] == "**" and len(words) == 2 and words[1][0].isalnum() | (words[1][0] == "."):
            return path.endswith(words[1])  # two stars, then letters only: any beginning will do

        def piece(at: int, word: str) -> str:
            if word.startswith("**"):
                return "(.*/)?" if at < len(words) - 1 else ".*"
            return {"*": "[^/]*", "?": "[^/]"}.get(word) or (word if word[0] == "[" else re.escape(word))

        return re.fullmatch("".join(piece(at, word) for at, word in enumerate(words)), path) is not None

    def may_lie_in(self, folder: str) -> bool:
        """Whether a walk has to go into the folder for this exception's sake, as far as its letters tell."""
        letters = re.sub(r"/\*$", "", re.sub(r"/\*\*$", "", self.pattern))
        return f"{letters}/".startswith(f"{folder}/")


def steps(path: str) -> Iterator[str]:
    """The folders above a path, from the top, and the path."""
    parts = path.split("/")
    return ("/".join(parts[: i + 1]) for i in range(len(parts)))


def theirs(patterns: list[str], path: str) -> bool:
    """Walking down: each line remembers if it named a folder above; a line that could change nothing is passed over."""
    lines = [Line(p.removeprefix("!"), p.startswith("!")) for p in patterns]
    exceptions = [line for line in lines if line.exception]
    simple = not any(set("*?[") & set(re.sub(r"/\*$", "", re.sub(r"/\*\*$", "", e.pattern))) for e in exceptions)
    remembered = [False] * len(lines)
    out = False
    for step in steps(path):
        out = False
        for i, line in enumerate(lines):
            if not remembered[i] and line.exception == out:
                remembered[i] = line.names(step)
            if remembered[i]:
                out = not line.exception
        if step != path and out and simple and not any(e.may_lie_in(step) for e in exceptions):
            return True
    return out


# Patterns, and what of TREE they leave out; BuildKit builds each of them in tests/integration/test_buildx.py.
SEEN: list[tuple[str, set[str]]] = [
    ("*\n!src/**/*.py", {"a.bin", "src/m/b.bin", "a/b/data/big.bin", "a/b/data/keep.txt", "top.py"}),
    ("**\n!**/*.py", {"a.bin", "src/m/b.bin", "a/b/data/big.bin", "a/b/data/keep.txt"}),
    ("**/data\n!a/b/data/keep.txt", {"a/b/data/big.bin"}),
    ("src\n!src/m/b.py", {"src/a.py", "src/m/b.bin"}),
    ("a\n!a/*/**", {"a/b/data/big.bin", "a/b/data/keep.txt"}),
    ("**.bin", {"a.bin", "src/m/b.bin", "a/b/data/big.bin"}),
]
TREE = ["a.bin", "src/a.py", "src/m/b.py", "src/m/b.bin", "a/b/data/big.bin", "a/b/data/keep.txt", "top.py"]


@pytest.mark.parametrize(("patterns", "out"), SEEN)
def test_exceptions_below_folders(patterns: str, out: set[str]) -> None:
    """Whitelists with wildcards keep what lies deep; an exception keeps no neighbour."""
    left_out = ignoring(patterns, "Dockerfile")
    assert {path for path in TREE if left_out(path)} == out


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
    left_out = ignoring("\ufeff# x\r\n\n/out/\n*\n!keep\n", "Dockerfile")
    assert [left_out(p) for p in ("out", "x", "keep", "Dockerfile", ".dockerignore")] == [
        True,
        True,
        False,
        False,
        False,
    ]
