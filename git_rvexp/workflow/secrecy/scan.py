"""Looking through content for secrets, and saying where they are; never what they are."""

import fnmatch
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git.attributes import listed
from git_rvexp.quoting import quoted
from git_rvexp.settings import Settings
from git_rvexp.workflow.secrecy.patterns import PATTERNS

MARKS = (b"rvexp:allow", b"gitleaks:allow", b"betterleaks:allow")
"""What stands on a line that holds no secret though it looks so."""
_HEAD = 8000  # bytes in which git itself looks for the NUL that makes a file binary


@dataclass(frozen=True, order=True)
class Hit:
    """A place that looks like a secret: a path (or what else it is), a line from 1, the rule and what it is about."""

    path: str
    line: int
    rule: str
    about: str

    def __str__(self) -> str:
        return f"{quoted(self.path)}:{self.line}  {self.about} ({self.rule})"


@dataclass(frozen=True)
class Part:
    """A file's content, or a piece of a large one's that begins in line `line`."""

    path: str
    content: bytes
    line: int = 1


def scanned(part: Part) -> Iterator[Hit]:
    """What of it looks like a secret."""
    content = part.content
    binary = b"\0" in content[:_HEAD]
    folded = content.lower()
    for pattern in PATTERNS:
        if pattern.text and binary:
            continue
        for start in pattern.places(content, folded):
            begin, end = content.rfind(b"\n", 0, start) + 1, content.find(b"\n", start)
            if not any(mark in content[begin : end if end >= 0 else len(content)] for mark in MARKS):
                yield Hit(part.path, content.count(b"\n", 0, start) + part.line, pattern.rule, pattern.about)


def allowed(hits: Iterable[Hit], settings: Settings) -> list[Hit]:
    """The hits that the settings do not allow, each place once, in order."""
    rules, paths = settings.secrets_allow_rules, settings.secrets_allow_paths
    kept = {
        (hit.path, hit.line): hit
        for hit in sorted(hits, reverse=True)
        if hit.rule not in rules and not any(fnmatch.fnmatchcase(hit.path, glob) for glob in paths)
    }
    return sorted(kept.values())


def told(hits: Iterable[Hit]) -> str:
    """The places as indented lines of a message."""
    return listed([str(hit) for hit in hits])


def refusal(hits: Iterable[Hit]) -> RvexpError:
    """The error for a snapshot that would hold them."""
    return RvexpError(
        "these look like secrets; a snapshot is for ever, and others read it\n" + told(hits),
        hint="take them out and read them from the environment, or ignore the file; for what is none, put rvexp:allow "
        "on its line or see secrets.allow_paths (docs/secrets.md)",
    )
