"""Command lines and environments of runs: recorded, shared, and visible to anyone who may describe jobs."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from git_rvexp.errors import UsageError
from git_rvexp.git.attributes import listed
from git_rvexp.settings import Settings
from git_rvexp.workflow.secrecy.scan import Hit, Part, scanned

_WORDS = {"password", "passwd", "pwd", "passphrase", "secret", "token", "credential", "credentials", "apikey"}
_BEFORE_KEY = {"api", "access", "private", "secret", "auth", "account"}
_SPOKEN = re.compile("|".join(sorted(_WORDS - {"pwd"} | {"_pwd", "key", "auth", "cookie"})), re.IGNORECASE)
# What such a name is about when it ends so: where a secret is or how it is called, not the secret.
_HARMLESS_ENDS = {"file", "path", "dir", "name", "id", "url", "uri", "arn", "type", "count", "limit", "length", "size"}
_HARMLESS = re.compile(r"(?i)true|false|none|null|yes|no|\d{0,7}|[<$\[{].*|/.*|\./.*|[a-z0-9+]+://[^@]*|arn:.*")


def places(command: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """The places (never the values) of what looks like a secret in a command and an environment."""
    return [*_in_command(command), *named("the variable", env)]


def named(what: str, values: Mapping[str, str]) -> Iterator[str]:
    """The same of values by name; `what` says what they are."""
    for name, value in values.items():
        hit = _hit(value)
        if hit:
            yield f"{what} {name}: {hit.about}"
        elif _secret(name, value):
            yield f"{what} {name}: its name says so"


def check_build(settings: Settings) -> None:
    """UsageError with the names of the build arguments whose values look like secrets.

    By their names alone none is refused: a build has no other way to be given them.
    """
    hits = {name: _hit(value) for name, value in settings.image_build_args.items()}
    found = [f"{n}: {h.about} ({h.rule})" for n, h in hits.items() if h and h.rule not in settings.secrets_allow_rules]
    if found:
        raise UsageError(
            "these build arguments look like secrets; an image's history and the record show them to everybody\n"
            + listed(found),
            hint="take them out of image.build_args; for what is none, see secrets.allow_rules (docs/secrets.md)",
        )


def speaks_of_secrets(name: str) -> bool:
    """Whether a variable's name speaks of secrets at all: a reason to hide its value, not to refuse it."""
    return _SPOKEN.search(name) is not None


def _in_command(command: Sequence[str]) -> Iterator[str]:
    for number, word in enumerate(command, start=1):
        hit = _hit(word)
        flag, equals, value = word.partition("=")
        before = command[number - 2] if number > 1 else ""
        if hit:
            yield f"word {number} of the command: {hit.about}"
        elif flag.startswith("-") and equals and _secret(flag, value):
            yield f"word {number} of the command: the value of {flag}"
        elif before.startswith("--") and "=" not in before and not word.startswith("-") and _secret(before, word):
            yield f"word {number} of the command: the value of {before}"


def _hit(text: str) -> Hit | None:
    return next(iter(scanned(Part("", text.encode("utf-8", "surrogateescape")))), None)


def _secret(name: str, value: str) -> bool:
    """Whether the words of the name say that a value is to be kept, and the value may be such a thing."""
    words = [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    if not words or words[-1] in _HARMLESS_ENDS or _HARMLESS.fullmatch(value):
        return False
    keyed = any(a in _BEFORE_KEY and b == "key" for a, b in itertools.pairwise(words))
    return keyed or bool(_WORDS & set(words))
