"""Names that validate themselves: snapshot tags, digests, image references, run ids.

The grammar of a tag's parts makes directory/file conflicts, case collisions and shell metacharacters
impossible, and lets `/` -> `_` map a tag injectively onto Docker tags and Batch names (neither takes `/`,
and parts never hold `_`).
"""

import re
from dataclasses import dataclass
from typing import Self

from git_rvexp.errors import UsageError
from git_rvexp.grammar import ID, PART, is_date

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_RUN_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Docker tags and Batch definition names both end at 128 characters.
MAPPED_LIMIT = 128


def normalised(text: str) -> str:
    """`text` forced into the grammar of a name part; "x" when nothing usable is left."""
    import unicodedata  # noqa: PLC0415  only to mend what a person typed

    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    part = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")[:40].strip("-")
    return part or "x"


def checked_part(kind: str, text: str) -> str:
    """`text` if it is a legal name part; raises UsageError naming `kind` and the normalised form otherwise."""
    if PART.fullmatch(text):
        return text
    raise UsageError(
        f"{kind} {text!r} is not a legal name part\n"
        "  allowed: 1 to 40 of a-z, 0-9 and '-', starting and ending with a letter or digit",
        hint=f"use {normalised(text)!r}",
    )


@dataclass(frozen=True, order=True)
class TagName:
    """A snapshot's name, `<initials>/<project>/<yyyy-mm-dd>/<nickname>`."""

    initials: str
    project: str
    date: str
    nickname: str

    def __post_init__(self) -> None:
        """Refuse anything outside the grammar (UsageError)."""
        checked_part("initials", self.initials)
        checked_part("project", self.project)
        checked_part("nickname", self.nickname)
        if not is_date(self.date):
            raise UsageError(f"date {self.date!r} is not yyyy-mm-dd", hint="use a date such as 2026-01-31")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The name written as one string; UsageError when it has not exactly four legal parts."""
        parts = text.split("/")
        if len(parts) != 4:
            raise UsageError(f"{text!r} is not <initials>/<project>/<yyyy-mm-dd>/<nickname>")
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.initials}/{self.project}/{self.date}/{self.nickname}"

    @property
    def ref(self) -> str:
        """The full ref name."""
        return f"refs/tags/{self}"

    @property
    def mapped(self) -> str:
        """The name as a Docker tag or the stem of a Batch name: injective, at most 128 characters."""
        return mapped(str(self))


def mapped(name: str, *, limit: int = MAPPED_LIMIT) -> str:
    """`name` with `/` as `_`; beyond `limit` the head, `__` and 16 hex digits of the whole name's hash."""
    flat = name.replace("/", "_")
    if len(flat) <= limit:
        return flat
    import hashlib  # noqa: PLC0415  loads OpenSSL, which looking at things does not need

    tail = "__" + hashlib.sha256(name.encode()).hexdigest()[:16]
    return flat[: limit - len(tail)] + tail


@dataclass(frozen=True)
class Digest:
    """A content address, `sha256:<64 hex>`."""

    text: str

    def __post_init__(self) -> None:
        """Refuse anything else (UsageError)."""
        if not _DIGEST.fullmatch(self.text):
            raise UsageError(f"{self.text!r} is not a sha256 digest")

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The digest of `data`."""
        import hashlib  # noqa: PLC0415  as above

        return cls("sha256:" + hashlib.sha256(data).hexdigest())

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class RunId:
    """The name of one run: ten characters of base 32 (50 bits), minted here before anything remote happens."""

    text: str

    def __post_init__(self) -> None:
        """Refuse anything else (UsageError)."""
        if not ID.fullmatch(self.text):
            raise UsageError(f"{self.text!r} is not a run id")

    @classmethod
    def new(cls) -> Self:
        """A fresh one from the system's random source."""
        import secrets  # noqa: PLC0415  5 ms that only a new run needs

        return cls("".join(secrets.choice(_RUN_ALPHABET) for _ in range(10)))

    @classmethod
    def of(cls, text: str) -> Self:
        """The one that follows from `text`, the same in every clone: for jobs that somebody else submitted."""
        import hashlib  # noqa: PLC0415  as above

        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
        return cls("".join(_RUN_ALPHABET[number >> 5 * place & 31] for place in range(10)))

    def __str__(self) -> str:
        return self.text

    def job_name(self, nickname: str) -> str:
        """The executor's name for the run: lower case, since Batch's name filter ignores case; <= 57 characters."""
        return f"rvexp-{self.text}-{nickname}"


def short_job(job: str) -> str:
    """A job's id for people: a container's is shortened as `docker ps` does it, which docker takes back."""
    return job[:12] if re.fullmatch(r"[0-9a-f]{64}", job) else job
