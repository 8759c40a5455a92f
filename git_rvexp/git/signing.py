"""Signing with git's own means (`gpg.format`, `user.signingKey`): what is signed, and who signed what is there.

Whether this clone signs, and what its owner asks of others, stands in git's configuration only: a file that comes with
somebody's code must neither use a person's key nor lower what they ask for.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from git_rvexp.errors import GitError, UsageError
from git_rvexp.git.plumbing import Repo

SIGN = "rvexp.local.sign"
"""What this clone signs: none, tags, or all (the record's commits too)."""
REQUIRE = "rvexp.local.requiresigned"
"""What verify takes for changed when it is not signed, in the same words."""
_WORDS = ("none", "tags", "all")
_SIGNATURE = re.compile(
    r"^-----BEGIN (?:(?:PGP|SSH) SIGNATURE|PGP MESSAGE|SSH MESSAGE|SIGNED MESSAGE)-----", re.MULTILINE
)
_REMEDY = "git config user.signingKey KEY (and gpg.format ssh), or git config rvexp.local.sign none"


@dataclass(frozen=True)
class Signed:
    """A commit's signature: "good", "forged", "none", or "untold" (an unknown, expired or revoked key)."""

    commit: str
    state: str
    who: str = ""


def asks(repo: Repo, key: str, *, record: bool) -> bool:
    """Whether the setting `key` (SIGN or REQUIRE) is about the record, else about tags. UsageError for other words."""
    value = repo.setting(key) or "none"
    if value not in _WORDS:
        raise UsageError(f"{key} is {value!r}", hint=f"git config {key} {'|'.join(_WORDS)}")
    return value == "all" or (value == "tags" and not record)


def without(text: str) -> str:
    """A tag's content up to its signature."""
    found = _SIGNATURE.search(text)
    return text[: found.start()] if found else text


def commit(repo: Repo, words: Sequence[str], message: bytes, env: dict[str, str], who: str) -> str:
    """`git commit-tree WORDS`, signed; GitError with git's own words when that cannot be.

    Without user.signingKey gpg goes by a name: `who`, since the committer of the record is nobody.
    """
    done = repo.git("commit-tree", f"-S{_key(repo, who)}", *words, stdin=message, env=env, ok=(0, 1, 128))
    if done.code:
        told = "\n".join(f"  {line}" for line in done.err.strip().splitlines()[-4:])
        raise GitError(f"git cannot sign, so nothing was written\n{told}", hint=_REMEDY)
    return done.text


def _key(repo: Repo, who: str) -> str:
    return who if not repo.setting("user.signingkey") and repo.setting("gpg.format") in ("", "openpgp") else ""


def tag(repo: Repo, name: str, target: str, message: str, env: dict[str, str], who: str) -> str:
    """`git tag -s`, create-only; the tag's object. GitError when the name is taken or git cannot sign."""
    key = _key(repo, who)
    words = ("tag", *(["-u", key] if key else ["-s"]), "--cleanup=verbatim", "-F", "-", name, target)
    done = repo.git(*words, stdin=message.encode(), env=env, ok=(0, 1, 128))
    if done.code:
        raise GitError(f"the tag {name} could not be made\n  {done.err.strip()}", hint=_REMEDY)
    (oid,) = repo.resolve(f"refs/tags/{name}")
    if not _SIGNATURE.search(repo.git("cat-file", "tag", oid).text):
        # git before 2.43.2 says nothing when ssh could not sign. Nobody has seen this tag yet.
        repo.git("update-ref", "-d", f"refs/tags/{name}", oid)
        raise GitError("git could not sign the tag, so none was made", hint=_REMEDY)
    return oid


def signatures(repo: Repo, commits: Iterable[str]) -> list[Signed]:
    """Who signed each of these commits, by git's own lists of keys; in their order."""
    asked = "".join(f"{c}\n" for c in commits).encode()
    if not asked:
        return []
    raw = repo.git("rev-list", "--no-walk=unsorted", "--stdin", "--header", stdin=asked).text
    kinds = {text[: text.index("\n")]: _kind(text.partition("\n\n")[0]) for text in raw.split("\0") if text.strip()}
    shape = "--format=%H%x00%G?%x00%GS"
    judged = "".join(f"{c}\n" for c, kind in kinds.items() if kind).encode()
    lines = repo.git("log", "--no-walk=unsorted", "--stdin", shape, stdin=judged).lines if judged else []
    told = {line.split("\0")[0]: line.split("\0")[1:] for line in lines}
    return [Signed(c, *_state(kind, *told.get(c, ("N", "")))) for c, kind in kinds.items()]


def _kind(header: str) -> str:
    """How a commit is signed: "pgp", "ssh" or another word; "" when it is not."""
    found = re.search(r"^gpgsig(?:-sha256)? -----BEGIN (\S+)", header, re.MULTILINE)
    return found[1].lower() if found else ""


def _state(kind: str, letter: str, who: str) -> tuple[str, str]:
    """From git's letter (git-log(1), %G?). U is a good signature of an ssh key that nobody has allowed."""
    if not kind:
        return "none", ""
    if letter == "G" or (letter == "U" and kind != "ssh"):
        return "good", who
    return ("forged" if letter == "B" else "untold"), who
