"""What a .dockerignore leaves out of the build context, by the rules of Docker's own client.

Patterns are matched against whole paths; the last one that matches decides, `!` takes back. Below a folder that is
left out only an exception that begins with the folder's path is looked at, since the client never walks there.
"""

import functools
import posixpath
from collections.abc import Callable

from git_rvexp.images.wildcards import matcher


def ignoring(patterns: str, dockerfile: str) -> Callable[[str], bool]:
    """Whether a .dockerignore's text leaves a path out. It and the Dockerfile themselves always stay.

    UsageError for a pattern that cannot be read.
    """
    lines = [line.strip() for line in patterns.removeprefix("\ufeff").splitlines()]
    said = [line for line in lines if line and not line.startswith("#")]
    rules = [_rule(line) for line in [*said, f"!{dockerfile}", "!.dockerignore"]]
    kept = [plain for plain, taken_back, _ in rules if taken_back]

    @functools.cache
    def matched(path: str) -> bool:
        folders = path.split("/")[:-1]
        out = False
        for plain, taken_back, matches in rules:
            if out == taken_back and (matches(path) or _above(plain, folders, matches)):
                out = not taken_back
        return out

    @functools.cache
    def unwalked(folder: str) -> bool:
        inside = (*(folder[:i] for i, letter in enumerate(folder) if letter == "/"), folder)
        return any(matched(f) and not any(k.startswith(f) for k in kept) for f in inside)

    def left_out(path: str) -> bool:
        folder, slash, _ = path.rpartition("/")
        return (bool(slash) and unwalked(folder)) or matched(path)

    return left_out


def _above(plain: str, folders: list[str], matches: Callable[[str], bool]) -> bool:
    """Whether a pattern matches the folder that is as deep as the pattern is: the client looks at no other."""
    depth = plain.count("/") + 1
    return depth <= len(folders) and matches("/".join(folders[:depth]))


def _rule(line: str) -> tuple[str, bool, Callable[[str], bool]]:
    """A line's pattern without its mark, whether it takes back, and the question that it stands for."""
    taken_back = line.startswith("!")
    plain = posixpath.normpath(line.removeprefix("!").strip()).strip("/")
    return plain, taken_back, matcher(plain)
