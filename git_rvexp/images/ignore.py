"""What a .dockerignore leaves out of the build context, by the rules of Docker's own client.

Patterns are matched against whole paths; the last one that matches decides, `!` takes back. Below a folder that is
left out only an exception that begins with the folder's path is looked at, since the client never walks there.
"""

import functools
import posixpath
import re
from collections.abc import Callable


def ignoring(patterns: str, dockerfile: str) -> Callable[[str], bool]:
    """Whether a .dockerignore's text leaves a path out. It and the Dockerfile themselves always stay."""
    lines = [line.strip() for line in patterns.removeprefix("\ufeff").splitlines()]
    said = [line for line in lines if line and not line.startswith("#")]
    rules = [_rule(line) for line in [*said, f"!{dockerfile}", "!.dockerignore"]]
    kept = [plain for plain, taken_back, _ in rules if taken_back]

    @functools.cache
    def matched(path: str) -> bool:
        parents = [path[:i] for i, letter in enumerate(path) if letter == "/"]
        out = False
        for _, taken_back, pattern in rules:
            if out == taken_back and any(pattern.fullmatch(p) for p in (path, *parents)):
                out = not taken_back
        return out

    def left_out(path: str) -> bool:
        folders = (path[:i] for i, letter in enumerate(path) if letter == "/")
        if any(matched(f) and not any(k.startswith(f) for k in kept) for f in folders):
            return True
        return matched(path)

    return left_out


def _rule(line: str) -> tuple[str, bool, re.Pattern[str]]:
    """A line's pattern without its mark, whether it takes back, and the expression that it stands for."""
    taken_back = line.startswith("!")
    plain = posixpath.normpath(line.removeprefix("!").strip()).strip("/")
    return plain, taken_back, re.compile(_expression(plain), re.DOTALL)


def _expression(pattern: str) -> str:
    made, at = "", 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "*" and pattern[at : at + 1] == "*":
            at += 1
            at += pattern[at : at + 1] == "/"
            made += "(?:.*/)?" if at < len(pattern) else ".*"
        elif letter in "*?":
            made += "[^/]*" if letter == "*" else "[^/]"
        elif letter == "[" and (end := pattern.find("]", at + 1)) > 0:
            inner = pattern[at:end].replace("\\", "\\\\")
            made, at = made + f"[{inner}]", end + 1
        elif letter == "\\" and at < len(pattern):
            made, at = made + re.escape(pattern[at]), at + 1
        else:
            made += re.escape(letter)
    return made
