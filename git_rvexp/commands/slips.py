"""What is meant by words that a verb does not know: the slips that are made most, each with what to type instead."""

import shlex
from collections.abc import Sequence

from git_rvexp.errors import UsageError


def slip(verb: str, words: Sequence[str], unknown: Sequence[str], tag: str) -> UsageError:
    """The error for the `unknown` ones of the words behind a verb.

    `tag`: the word that was taken for a snapshot though the verb needs a command and none stands behind `--`; "" for
    none.
    """
    at = words.index(tag) if tag else len(words)
    if verb == "submit" and any(_mounts(word) for word in unknown if word in words[:at]):
        return UsageError(
            "submit mounts nothing: what a run reads is in its snapshot, in its image or in S3",
            hint="--input s3://BUCKET/PREFIX; or git rvexp run -v S:D -- CMD, which records nothing",
        )
    if verb == "list" and not unknown[0].startswith("-"):
        named = shlex.quote(unknown[0])
        return UsageError(
            f"list takes options only, not {unknown[0]!r}",
            hint=f"git rvexp show {named}, or git rvexp list --grep {named}",
        )
    if tag:
        return UsageError(
            f"the command stands after --; without it {tag!r} is taken for a TAG",
            hint=f"git rvexp {verb} {shlex.join([*words[:at], '--', *words[at:]])}",
        )
    return UsageError(f"unrecognized arguments: {' '.join(unknown)}", hint=f"git rvexp {verb} -h")


def _mounts(word: str) -> bool:
    return word[:2] == "-v" or word.partition("=")[0] == "--volume"
