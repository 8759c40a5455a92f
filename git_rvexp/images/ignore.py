"""What a .dockerignore leaves out of the build context, by the rules of BuildKit, `docker build` since Docker 23.

Folder by folder: a pattern that matches a folder counts for all that is in it, the last one that matches decides, `!`
takes back. A folder that is left out is still walked, unless all exceptions begin with plain names and none lies in it.
"""

import functools
import posixpath
from collections.abc import Callable
from typing import NamedTuple

from git_rvexp.images.wildcards import matcher

_WILD = frozenset("*?[]^\\")
_Hits = tuple[bool, ...]
"""For each rule, whether it matched a folder or one above it."""


class _Rule(NamedTuple):
    plain: str
    taken_back: bool
    matches: Callable[[str], bool]

    @property
    def start(self) -> str:
        """Where what it takes back begins, with a slash; wildcards at its end do not count."""
        return self.plain.removesuffix("/**").removesuffix("/*") + "/"


def ignoring(patterns: str, *dockerfile: str) -> Callable[[str], bool]:
    """Whether a .dockerignore's text leaves a path out. It and the Dockerfile (by each of its names) always stay.

    UsageError for a pattern that cannot be read.
    """
    # only at the very start of a line does # begin a comment
    lines = [line.strip() for line in patterns.removeprefix("\ufeff").split("\n") if not line.startswith("#")]
    rules = [_rule(line) for line in lines if line]
    starts = [rule.start for rule in rules if rule.taken_back]
    anywhere = any(_WILD.intersection(start) for start in starts)
    stay = {*dockerfile, ".dockerignore"}
    none: _Hits = (False,) * len(rules)

    @functools.cache
    def walked(folder: str) -> _Hits | None:
        """The rules that hold in a folder; None for one that is never looked into."""
        hits = none
        for end in (i for i, letter in enumerate(f"{folder}/") if letter == "/"):
            inner = folder[:end]
            out, hits = asked(inner, hits)
            if out and not anywhere and not any(start.startswith(f"{inner}/") for start in starts):
                return None
        return hits

    @functools.cache
    def asked(path: str, above: _Hits) -> tuple[bool, _Hits]:
        out, hits = False, list[bool]()
        for rule, hit in zip(rules, above, strict=True):
            # one that could change nothing here is not asked, and holds nothing below either
            hits.append(hit or (rule.taken_back == out and rule.matches(path)))
            if hits[-1]:
                out = not rule.taken_back
        return out, tuple(hits)

    def left_out(path: str) -> bool:
        if path in stay:
            return False
        folder = path.rpartition("/")[0]
        above = walked(folder) if folder else none
        return above is None or asked(path, above)[0]

    return left_out


def _rule(line: str) -> _Rule:
    """A line's pattern without its mark, whether it takes back, and the question that it stands for."""
    taken_back = line.startswith("!")
    plain = posixpath.normpath(line.removeprefix("!").strip()).strip("/")
    return _Rule(plain, taken_back, matcher(plain))
