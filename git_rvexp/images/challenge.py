"""How a registry asks for a login: the challenges of its answer 401 (RFC 9110, 11.6.1), of which one is met."""

import re
import urllib.parse
from collections.abc import Mapping
from typing import NamedTuple

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105  a word of HTTP's grammar
_PART = re.compile(rf'({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))|({_TOKEN})')
_KNOWN = ("bearer", "basic")


class Challenge(NamedTuple):
    """A kind of login, in lower case, and what the registry says of it."""

    kind: str
    words: Mapping[str, str]

    @property
    def usable(self) -> bool:
        """Whether it is a kind that can be met here: a password, or a token from a service that is named."""
        return self.kind == "basic" or (self.kind == "bearer" and "realm" in self.words)

    @property
    def service(self) -> str:
        """The address that gives the token."""
        realm = self.words["realm"]
        query = urllib.parse.urlencode({k: self.words[k] for k in ("service", "scope") if k in self.words})
        return f"{realm}{'&' if '?' in realm else '?'}{query}"


def chosen(header: str) -> Challenge:
    """The challenge in a WWW-Authenticate header to meet: a token, else a password, else the first one there is."""
    found = _challenges(header)
    known = sorted((c for c in found if c.usable), key=lambda c: _KNOWN.index(c.kind))
    return [*known, *found, Challenge("", {})][0]


def _challenges(header: str) -> list[Challenge]:
    found: list[tuple[str, dict[str, str]]] = []
    for name, quoted, plain, kind in _PART.findall(header):
        if kind:
            found.append((kind.lower(), {}))
        elif found:
            found[-1][1].setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or plain)
    return [Challenge(kind, words) for kind, words in found]
