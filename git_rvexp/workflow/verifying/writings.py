"""The signatures of the record's commits: who wrote each line of a note, where that is signed or has to be."""

from collections.abc import Sequence

from git_rvexp.git import signing
from git_rvexp.git.signing import Signed
from git_rvexp.workflow.verifying.link import Link, changed, ok, unknown
from git_rvexp.workflow.verifying.outside import Outside
from git_rvexp.workflow.verifying.subject import Subject

_SHOWN = 3
_REMEDY = "git log --show-signature refs/notes/rvexp"


def writings(outside: Outside, subject: Subject) -> list[Link]:
    """One link about every commit that changed this note; none where nobody signs and nobody asks for it."""
    repo = outside.context.repo
    required = signing.asks(repo, signing.REQUIRE, record=True)
    found = signing.signatures(repo, subject.history.commits)
    by = {state: [s for s in found if s.state == state] for state in ("good", "forged", "none", "untold")}
    if not required and len(by["none"]) == len(found):
        return []
    if by["forged"]:
        return [changed("writings", f"the signature is not of this commit: {_some(by['forged'])}", _REMEDY)]
    if by["none"] and required:
        text = f"{len(by['none'])} of {len(found)} writing(s) are not signed: {_some(by['none'])}"
        return [changed("writings", text, _REMEDY)]
    if by["untold"]:
        text = f"whose signature it is cannot be told: {_some(by['untold'])}"
        return [unknown("writings", text, "gpg --import KEY, or set gpg.ssh.allowedSignersFile", needed=required)]
    who = ", ".join(dict.fromkeys(s.who for s in by["good"]))
    rest = f", {len(by['none'])} are not" if by["none"] else ""
    return [ok("writings", f"{len(by['good'])} writing(s) signed by {who}{rest}")]


def _some(signed: Sequence[Signed]) -> str:
    names = ", ".join(s.commit[:12] for s in signed[:_SHOWN])
    return names + (f" and {len(signed) - _SHOWN} more" if len(signed) > _SHOWN else "")
