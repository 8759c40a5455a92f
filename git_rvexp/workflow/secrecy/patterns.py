"""What secrets look like: a small set that is right nearly always. docs/secrets.md lists it.

Each pattern names words one of which must be in the text, and only the neighbourhood of such words is looked at more
closely: most of a file is read at the speed of memory. Forms are the issuers' own (GitHub, GitLab, Slack, AWS, Google:
"token formats" in their documents). Which places are looked at is `scan`'s business.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_PLACEHOLDER = re.compile(
    rb"(?i)example|changeme|placeholder|your[-_ ]|dummy|redacted|x{4}|\*{3}|\.\.\.|1234567|abcdef|<|\$|\{|%\(|%s"
)
_LIKE_A_PATH = re.compile(
    rb"(?i)^(?:\.{0,2}/|[a-z0-9+.-]+://|arn:)|\.(?:json|txt|py|ya?ml|toml|pem|md|csv|ipynb|cfg|ini|sh)$"
)
_NO_SECRET = re.compile(
    rb"(?i)(?:_|-|\.|\b)(?:file|path|dir|name|id|ids|url|uri|arn|type|count|limit|length|size|ttl|header)$"
)


_NEAR = 16 << 10
"""Bytes before and after a word within which a secret begins: no form has more before its word than a token's head."""


def entropy(value: bytes) -> float:
    """Shannon's measure in bits per byte: words have 2 to 3, random letters and digits 4 and more."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)


def _any(_: "re.Match[bytes]") -> bool:
    return True


def _no_example(found: "re.Match[bytes]") -> bool:
    return b"EXAMPLE" not in found[0]


def _random(found: "re.Match[bytes]") -> bool:
    value = found["value"]
    return bool(re.search(rb"\d", value)) and entropy(value) >= 3.5 and not _PLACEHOLDER.search(value)


def _assigned(found: "re.Match[bytes]") -> bool:
    value, name = found["value"], found["name"]
    if _NO_SECRET.search(name) or _LIKE_A_PATH.search(value) or _PLACEHOLDER.search(value):
        return False
    mixed = re.search(rb"[0-9]", value) and re.search(rb"[A-Za-z]", value)
    return bool(mixed) and entropy(value) >= (3.5 if len(value) >= 16 else 3.0)


def _password(found: "re.Match[bytes]") -> bool:
    value = found["value"]
    return not _PLACEHOLDER.search(value) and value.lower() not in (b"password", b"pass", b"token", b"secret", b"pw")


@dataclass(frozen=True)
class Pattern:
    """One kind of secret. `words` are in lower case where `fold` is set; `text` ones are not looked for in binaries."""

    rule: str
    about: str
    words: tuple[bytes, ...]
    expression: bytes
    holds: Callable[["re.Match[bytes]"], bool] = _any
    fold: bool = False
    text: bool = False

    def places(self, content: bytes, folded: bytes = b"") -> Iterator[int]:
        """Where in `content` such secrets begin; `folded` is the same in lower case, where somebody has it already."""
        yield from (start for start, _ in self.spans(content, folded))

    def spans(self, content: bytes, folded: bytes = b"") -> Iterator[tuple[int, int]]:
        """The same with where they end."""
        text = (folded or content.lower()) if self.fold else content
        expression: re.Pattern[bytes] | None = None
        for start, end in self._near(text):
            expression = expression or re.compile(self.expression)
            for begun in expression.finditer(content, start, end):
                found = expression.match(content, begun.start())  # whole, where it goes on after the neighbourhood
                if found and self.holds(found):
                    yield found.span()

    def _near(self, text: bytes) -> Iterator[tuple[int, int]]:
        """The neighbourhoods of the words, in order; those that touch are one."""
        start, end = 0, 0
        for at in sorted(at for word in self.words for at in _all(text, word)):
            if at - _NEAR > end:
                if end:
                    yield start, end
                start = at - _NEAR
            end = at + _NEAR
        if end:
            yield max(start, 0), end


def _all(text: bytes, word: bytes) -> Iterator[int]:
    """Where `word` stands in `text`."""
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + len(word))


_NAMES = rb"passw(?:or)?d|passphrase|secret|credential|token(?![a-z])|(?:api|access|private|auth|account)[_-]?key"
PATTERNS = (
    Pattern(
        "aws-access-key",
        "an AWS access key id",
        (b"AKIA", b"ASIA", b"ABIA", b"ACCA"),
        rb"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
        _no_example,
    ),
    Pattern(
        "aws-secret-key",
        "an AWS secret key",
        (b"secret",),
        rb"(?i)aws[\w.-]{0,20}secret[\w.-]{0,20}[\"']?\s{0,5}[=:]\s{0,5}[\"']?(?P<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        _no_example,
        fold=True,
    ),
    Pattern(
        "private-key",
        "a private key (PEM, OpenSSH, PGP, a Google service account's)",
        (b"PRIVATE KEY",),
        rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,300}?[A-Za-z0-9+/=]{32}",
    ),
    Pattern(
        "github-token",
        "a GitHub token",
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
        rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{60,250})\b",
    ),
    Pattern(
        "gitlab-token",
        "a GitLab token",
        (b"glpat-", b"gldt-", b"glrt-", b"glptt-", b"glcbt-", b"glsoat-"),
        rb"\bgl(?:pat|dt|rt|ptt|cbt|soat)-[A-Za-z0-9_.-]{20,100}",
    ),
    Pattern(
        "slack-token",
        "a Slack token or webhook",
        (b"xox", b"hooks.slack.com"),
        rb"\bxox[abeoprs]-[A-Za-z0-9-]{10,200}|hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}",
    ),
    Pattern("huggingface-token", "a Hugging Face token", (b"hf_", b"api_org_"), rb"\b(?:hf|api_org)_[A-Za-z]{34}\b"),
    Pattern(
        "sk-token",
        "an OpenAI, Anthropic or similar key (sk-…)",
        (b"sk-",),
        rb"\b(?P<value>sk-[A-Za-z0-9_-]{20,250})",
        _random,
    ),
    Pattern("google-key", "a Google API key", (b"AIza",), rb"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    Pattern("stripe-key", "a live Stripe key", (b"k_live_",), rb"\b[rs]k_live_[A-Za-z0-9]{20,100}"),
    Pattern(
        "package-token",
        "an npm or PyPI token",
        (b"npm_", b"pypi-AgE"),
        rb"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgE[A-Za-z0-9_-]{50,500}",
    ),
    Pattern("azure-key", "an Azure storage key", (b"AccountKey=",), rb"AccountKey=[A-Za-z0-9+/]{86}=="),
    Pattern(
        "web-token",
        "a JSON web token",
        (b".eyJ",),
        rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    ),
    Pattern(
        "netrc",
        "a login of a .netrc",
        (b"machine",),
        rb"\bmachine\s{1,9}\S{1,200}\s{1,9}login\s{1,9}\S{1,200}\s{1,9}password\s{1,9}(?P<value>\S{1,200})",
        _password,
        text=True,
    ),
    Pattern(
        "url-password",
        "a password in an address",
        (b"://",),
        rb"[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{1,100}:(?P<value>[^\s/@\"'<>]{3,200})@[A-Za-z0-9\[]",
        _password,
        text=True,
    ),
    Pattern(
        "assigned-secret",
        "a random value under a name such as password, secret, token or api_key",
        (b"passw", b"passphrase", b"secret", b"credential", b"token", b"key"),
        rb"(?i)(?P<name>(?:" + _NAMES + rb")[\w.-]{0,20})[\"']?[ \t]{0,5}(?:=>|:=|[=:])[ \t]{0,5}[\"']?"
        rb"(?P<value>[^\s\"'`<>{}()\[\]$,;]{10,200})(?![^\s\"'`,;}\])])",
        _assigned,
        fold=True,
        text=True,
    ),
)
