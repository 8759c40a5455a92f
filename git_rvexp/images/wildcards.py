"""One pattern of a .dockerignore as a question about paths, in time that a hostile pattern cannot stretch.

A regular expression is quick for patterns with few wildcards and needs years for others (`*a*a*a*a…`); those are walked
with all the places that a match can stand at, at once. Which patterns count, in which order, is `ignore`'s business.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from git_rvexp.errors import UsageError

_FEW = 2  # wildcards: a regular expression then takes the square of a path's length at most
_SPECIAL = frozenset("*?[]\\")
_EXPRESSIONS = {"star": "[^/]*", "any": ".*", "folders": "(?:.*/)?"}


class _Part(NamedTuple):
    kind: str  # one, star, any or folders
    letter: str = ""  # the expression of one character


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a path is matched whole by `pattern`. UsageError for a pattern that is none."""
    end = pattern.removeprefix("**")
    if pattern.startswith("**") and not end.startswith("/") and not _SPECIAL.intersection(end):
        return lambda path: path.endswith(end)  # BuildKit: `**.pyc` is any path that ends so, `**` any at all
    parts = list(_parts(pattern))
    try:
        if sum(part.kind != "one" for part in parts) <= _FEW:
            whole = re.compile("".join(_EXPRESSIONS.get(p.kind, p.letter) for p in parts), re.DOTALL)
            return lambda path: whole.fullmatch(path) is not None
        letters = [re.compile(p.letter, re.DOTALL) for p in parts]
    except re.error as why:
        raise UsageError(f"the pattern {pattern!r} cannot be read: {why}", hint="mend it in .dockerignore") from why
    return lambda path: _walked(parts, letters, path)


def _parts(pattern: str) -> Iterator[_Part]:
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "*" and pattern[at : at + 1] == "*":
            at += 1
            at += pattern[at : at + 1] == "/"
            yield _Part("folders" if at < len(pattern) else "any")
        elif letter == "*":
            yield _Part("star")
        elif letter == "[" and (end := pattern.find("]", at + 1)) > 0:
            yield _Part("one", "[" + re.sub(r"([\\\[&~|])", r"\\\1", pattern[at:end]) + "]")
            at = end + 1
        elif letter == "\\" and at < len(pattern):
            yield _Part("one", re.escape(pattern[at]))
            at += 1
        else:
            yield _Part("one", "[^/]" if letter == "?" else re.escape(letter))


def _walked(parts: Sequence[_Part], letters: Sequence[re.Pattern[str]], path: str) -> bool:
    """Letter by letter: `at` are the parts that may come next, `inside` the folders-parts begun and not ended."""
    at, inside = _skipped(parts, {0}), set[int]()
    for letter in path:
        inside |= {i for i in at if i < len(parts) and parts[i].kind == "folders"}
        after = {i + 1 for i in inside} if letter == "/" else set[int]()
        for i in at:
            if i == len(parts) or parts[i].kind == "folders":
                continue
            kind = parts[i].kind
            if kind == "any" or (kind == "star" and letter != "/"):
                after.add(i)
            elif kind == "one" and letters[i].fullmatch(letter):
                after.add(i + 1)
        at = _skipped(parts, after)
    return len(parts) in at


def _skipped(parts: Sequence[_Part], at: set[int]) -> set[int]:
    """`at`, and what comes after parts that may stand for nothing."""
    for i in range(min(at, default=len(parts)), len(parts)):
        if i in at and parts[i].kind != "one":
            at.add(i + 1)
    return at
