"""A text with what looks like a secret taken out, by the patterns that refuse secrets elsewhere: for crash logs.

Hiding too much costs nothing here, so names count that are not worth a refusal, and no mark allows anything.
"""

import re
from collections.abc import Mapping

from git_rvexp.workflow.secrecy.patterns import PATTERNS, Pattern
from git_rvexp.workflow.secrecy.requests import speaks_of_secrets

_URL_LOGIN = re.compile(r"://[^/@\s]+@")
_SHORTEST = 6  # characters; shorter values stand in many words by chance


def redacted(text: str, environ: Mapping[str, str]) -> str:
    """`text` without logins in URLs, values of variables whose names speak of secrets, and all that looks like one."""
    text = _URL_LOGIN.sub("://", text)
    named = ((name, value) for name, value in environ.items() if speaks_of_secrets(name) and len(value) >= _SHORTEST)
    for name, value in sorted(named, key=lambda each: -len(each[1])):  # one may be part of another
        text = text.replace(value, f"<{name}>")
    content = text.encode("utf-8", "surrogateescape")
    for pattern in PATTERNS:
        content = _without(content, pattern)
    return content.decode("utf-8", "surrogateescape")


def _without(content: bytes, pattern: Pattern) -> bytes:
    for start, end in reversed(list(pattern.spans(content))):
        content = content[:start] + f"<{pattern.rule}>".encode() + content[end:]
    return content
