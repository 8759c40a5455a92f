"""The tag: here as it was recorded, agreeing with itself; its signature; and what the experiments remote has of it."""

import re
from collections.abc import Iterator

from git_rvexp.errors import RvexpError
from git_rvexp.git import notes, remote, signing
from git_rvexp.git.tags import HERE, Told
from git_rvexp.model import Snapshot
from git_rvexp.record.asking import Answer
from git_rvexp.record.moved import moved
from git_rvexp.workflow.verifying.link import Link, changed, hazard, ok, unknown
from git_rvexp.workflow.verifying.outside import Outside
from git_rvexp.workflow.verifying.subject import Subject

_SYNC = "git rvexp sync"
_ASK = "ask who did it"
_FORGED = re.compile(r"\[GNUPG:\] BADSIG|incorrect signature|Signature verification failed", re.IGNORECASE)


def tag(outside: Outside, subject: Subject) -> Link:
    """The tag in this clone is the recorded one, and what its object says is what the objects are."""
    recorded = subject.snapshot
    if not recorded.tag:
        return unknown("tag", "this run has no snapshot: which code it ran is not recorded", needed=False)
    elsewhere = _elsewhere(outside, subject)
    if elsewhere:
        return elsewhere
    repo = outside.context.repo
    wrong = list(_contradictions(outside, recorded))
    if wrong:
        return changed("tag", "the tag contradicts itself: " + "; ".join(wrong))
    missing = repo.git("rev-list", "--objects", "--missing=print", "--no-walk", recorded.commit).lines
    lacking = [line for line in missing if line.startswith("?")]
    if lacking:
        fetch = f"git fetch --refetch {remote.NAME} refs/tags/{recorded.tag}    (git 2.36 or newer)"
        return unknown("tag", f"{len(lacking)} objects of its tree are not in this clone", fetch)
    return ok("tag", f"as recorded: commit {recorded.commit[:12]}, tree {recorded.tree[:12]}")


def _elsewhere(outside: Outside, subject: Subject) -> Link | None:
    """What became of a tag that does not stand here as it was recorded."""
    recorded, here = subject.snapshot, subject.here
    now = here.oid if here else outside.context.repo.resolve(f"{HERE}/{recorded.tag}")[0]
    found = moved(outside.context.ledger, {recorded.tag: now}) if now else []
    if found:
        return changed("tag", str(found[0]), found[0].remedy)
    if not now:
        return changed("tag", f"{recorded.tag} was deleted in this clone; it was {recorded.oid}", _SYNC)
    if now != recorded.oid:
        return changed("tag", f"{recorded.tag} is not the published one: published {recorded.oid}, here {now}", _ASK)
    return None


def _contradictions(outside: Outside, snapshot: Snapshot) -> Iterator[str]:
    repo = outside.context.repo
    body = repo.git("cat-file", "tag", snapshot.oid).text
    named = next((line[4:] for line in body.split("\n") if line.startswith("tag ")), "")
    if named != snapshot.tag:
        yield f"its own name is {named}"
    try:
        trailers = Told.parse(body).trailers
    except RvexpError:
        yield "it does not say who made it and when"
        return
    parents = repo.git("rev-list", "--parents", "-n1", snapshot.commit).text.split(" ")[1:]
    facts = {"Snapshot": snapshot.tag, "Tree": snapshot.tree, "Base": parents[0] if parents else "none"}
    for key, fact in facts.items():
        told = trailers.get(f"Rvexp-{key}", fact)
        if told != fact:
            yield f"its message says {key.lower()} {told}, git says {fact}"


def signature(outside: Outside, subject: Subject) -> Link:
    """The tag's signature, where it has one, by git's own means."""
    repo, oid = outside.context.repo, subject.snapshot.oid
    required = signing.asks(repo, signing.REQUIRE, record=False)
    text = repo.git("cat-file", "tag", oid).text if subject.snapshot.tag else ""
    if signing.without(text) == text:
        if required and text:
            return changed("signature", "not signed, and rvexp.local.requireSigned asks for it", "ask who made it")
        return ok("signature", "not signed")
    done = repo.git("verify-tag", "--raw", oid, ok=(0, 1, 128))
    told = [line for line in (done.text + "\n" + done.err).split("\n") if line.strip()]
    if done.code == 0:
        good = next((line for line in told if line.startswith(("Good", "[GNUPG:] GOODSIG"))), "good")
        return ok("signature", good.removeprefix("[GNUPG:] GOODSIG ").strip())
    if _FORGED.search(done.err + done.text):
        return changed("signature", "the signature does not belong to this tag", "ask who signed it")
    reasons = [line for line in told if "error" in line or "NO_PUBKEY" in line] or told[-1:] or ["git gives no reason"]
    why = reasons[0]
    remedy = "gpg --import KEY, or set gpg.ssh.allowedSignersFile"
    return unknown("signature", why.removeprefix("error: "), remedy, needed=required)


def experiments(outside: Outside, subject: Subject) -> Link:
    """The experiments remote has the same tag, and its record goes on from what it showed last."""
    try:
        there, record, goes_on = outside.answer, outside.remote_notes, outside.remote_goes_on
    except RvexpError as why:
        return unknown("remote", why)
    if not goes_on:
        text = f"{notes.REF} was rewritten there: recorded {there.seen.commit}, remote {record.commit or 'none'}"
        return changed("remote", text, "ask who did it; git rvexp sync --accept keeps both sides' lines")
    if not subject.snapshot.tag:
        return ok("remote", "its record goes on from what it showed last")
    return _tag_there(there, subject.snapshot)


def _tag_there(there: Answer, snapshot: Snapshot) -> Link:
    now = there.refs.get(f"refs/tags/{snapshot.tag}", "")
    if now == snapshot.oid:
        return ok("remote", "has the same tag, and its record goes on from what it showed last")
    if now:
        return changed("remote", f"the tag moved there: recorded {snapshot.oid}, remote {now}", _ASK)
    if snapshot.tag in there.published:
        remedy = f"git push {remote.NAME} {snapshot.tag}"
        return changed("remote", f"the tag was deleted there: recorded {snapshot.oid}", remedy)
    return hazard("remote", "does not have the tag yet: it is in this clone only", _SYNC)
