"""What a setting's value must look like beyond its type; each rule says what is wrong, or nothing.

Settings come from files that other people may have written, so whatever could be read as an option, a command or a
way out of the tree is refused here, at the edge. Whether a place exists is not asked here.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from git_rvexp.sizes import parsed

Rule = Callable[[Any], str]
"""A rule gets a value of the setting's type and answers "" or how it must be: "must be inside the tree"."""

_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Names that send a program's traffic, credentials or libraries somewhere else, in a container as anywhere.
_REDIRECTS = re.compile(
    r"(?:AWS|LD|DYLD|DOCKER|BUILDKIT|GIT|SSH|SSL|KRB5)_.*|.*_PROXY|.*_ENDPOINT(?:_.*)?|.*INDEX_URL|.*CA_BUNDLE",
    re.IGNORECASE,
)

_LARGEST_OWNER = 0o7777777

ENVIRONMENT = (
    "Dockerfile*",
    ".dockerignore",
    "*requirements*.txt",
    "constraints*.txt",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Pipfile",
    "environment*.yml",
    "environment*.yaml",
    "*.lock",
    "*-lock.json",
    "*-lock.yml",
    "*-lock.yaml",
)
"""Files that say what is installed: where nothing else is set, a change of one needs a new environment image."""


def anything(_: Any) -> str:
    """No rule."""
    return ""


def plain(text: str) -> str:
    """One line that is no option."""
    return "must not start with '-'" if text.startswith("-") else ""


def inside(path: str) -> str:
    """A path that stays in the tree whichever folder it is taken from."""
    out = path.startswith(("/", "-", "~")) or "\\" in path or ".." in path.split("/")
    return "must be a relative path inside the tree" if out or not path else ""


def place(text: str) -> str:
    """A git URL, path or remote's name: no option, and no remote helper (ext::, fd:: run or read what they like)."""
    if text.startswith("-") or _HELPER.match(text):
        return "must be a git URL or path that git reaches by itself"
    return ""


def github(text: str) -> str:
    """An owner and a repository on GitHub."""
    if not text or re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]*[A-Za-z0-9_-]", text):
        return ""
    return 'must be "org/name"'


def store(text: str) -> str:
    """A bucket and a prefix in S3."""
    if not text or re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/(?!\.+(?:/|$))[A-Za-z0-9_.=-]+)*", text):
        return ""
    return "must be s3://bucket/prefix in letters, digits, dots, dashes and underscores"


def address(text: str) -> str:
    """An HTTP address without credentials."""
    if not text or re.fullmatch(r"https?://[^\s/@]+(?:/[^\s@]*)?", text):
        return ""
    return "must be an http:// or https:// address without credentials"


def repository(text: str) -> str:
    """A registry's host and a repository, without scheme; its letters are `images.reference`'s business."""
    if not text or re.fullmatch(r"[A-Za-z0-9\[](?:[A-Za-z0-9._/\[\]-]|:(?!//))*", text):
        return ""
    return "must be registry/repository, without scheme, tag or digest"


def pinned(text: str) -> str:
    """A repository of a registry and a manifest's digest."""
    name, at, digest = text.partition("@")
    if not text or (at and name and not repository(name) and re.fullmatch(r"sha256:[0-9a-f]{64}", digest)):
        return ""
    return "must be registry/repository@sha256:…, with the whole digest and no tag"


def word(text: str) -> str:
    """A build stage or a platform."""
    return "" if not text or re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_./-]*", text) else "must be a plain name"


def size(text: str) -> str:
    """A number of bytes as people write it."""
    try:
        parsed(text)
    except ValueError:
        return 'must be a size such as "10 MB"'
    return ""


def not_negative(number: float) -> str:
    """Zero or more, and finite."""
    return "" if math.isfinite(number) and number >= 0 else "must be 0 or more"


def attempts(number: int) -> str:
    """What AWS Batch takes as attempts."""
    return "" if 1 <= number <= 10 else "must be 1 to 10"


def priority(number: int) -> str:
    """A scheduling priority (the service model of SubmitJob)."""
    return "" if 0 <= number <= 9999 else "must be a number from 0 to 9999"


def share(text: str) -> str:
    """A share identifier; the letters are those of the service's documentation."""
    return "" if not text or re.fullmatch("[A-Za-z0-9]{1,255}", text) else "must be letters and digits only"


def variables(pairs: Mapping[str, str]) -> str:
    """Names that a shell and Docker take as variables."""
    bad = [name for name in pairs if not _VARIABLE.fullmatch(name)]
    return f"must not name a variable {bad[0]!r}" if bad else ""


def laid(pairs: Mapping[str, str]) -> str:
    """Paths of the tree, and the absolute places in an image that they go to, none inside another."""
    for source, target in pairs.items():
        if inside(source):
            return f"must not name {source!r}: {inside(source).removeprefix('must be ')} is wanted"
        if not re.fullmatch(r"(?:/(?!\.{1,2}(?:/|$))[^/]+)+", target):
            return f"must not lay anything at {target!r}: an absolute path below / is wanted"
    places = sorted(f"{target}/" for target in pairs.values())
    nested = [one for one, other in itertools.pairwise(places) if other.startswith(one)]
    return f"must not lay one thing into another at {nested[0]!r}" if nested else ""


def owner(text: str) -> str:
    """User and group by number, as far as tar's headers reach."""
    fits = re.fullmatch(r"\d{1,7}:\d{1,7}", text) and max(map(int, text.split(":"))) <= _LARGEST_OWNER
    return "" if fits else "must be USER:GROUP in numbers"


def no_options(texts: Iterable[str]) -> str:
    """Plain texts, none empty and none an option."""
    bad = [text for text in texts if not text or text.startswith("-")]
    return f"must not hold {bad[0]!r}" if bad else ""


def json_files(texts: Iterable[str]) -> str:
    """Plain texts that end in .json."""
    bad = [text for text in texts if not text.endswith(".json")]
    return no_options(texts) or (f"must hold names of .json files, not {bad[0]!r}" if bad else "")


def fields(texts: Iterable[str]) -> str:
    """Names of fields of the record; not those without which a page has nothing to tell of."""
    needed = ("run", "tag", "commit", "tree", "v", "ref", "id")
    bad = [text for text in texts if text in needed or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text)]
    return f"must not hold {bad[0]!r}" if bad else ""


def one_of(*words: str) -> Rule:
    """The rule that takes only `words`."""
    return lambda text: "" if text in words else f"must be {', '.join(words[:-1])} or {words[-1]}"


def redirecting(pairs: Mapping[str, str]) -> dict[str, str]:
    """The variables of `pairs` that would send traffic or credentials elsewhere."""
    return {name: value for name, value in pairs.items() if _REDIRECTS.fullmatch(name)}
