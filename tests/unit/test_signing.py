"""Signing by git's own means: tags and the record's commits, and what verify says of those that are not."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.workflow.verifying.check import verify
from git_rvexp.workflow.verifying.link import Link, State
from tests.conftest import Clone
from tests.unit.study import make_study
from tests.unit.test_verify_record import Chain

NOTES = "refs/notes/rvexp"


@pytest.fixture
def signer(new_clone: Callable[[str], Clone], tmp_path: Path) -> Chain:
    """A clone whose owner signs everything with an ssh key that git knows, and asks the same of others."""
    chain = Chain(make_study(new_clone, tmp_path))
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(key)], check=True)
    (tmp_path / "allowed").write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    settings = {
        "gpg.format": "ssh",
        "user.signingKey": str(key),
        "gpg.ssh.allowedSignersFile": str(tmp_path / "allowed"),
        "rvexp.local.sign": "all",
        "rvexp.local.requireSigned": "all",
    }
    for name, value in settings.items():
        chain.clone.git("config", name, value)
    assert chain.clone.rvexp("snapshot", "signed").returncode == 0
    return chain


def links(chain: Chain) -> dict[str, Link]:
    """What verify says of the newest snapshot's signatures."""
    seen = next(v for v in verify(chain.context, []) if v.snapshot.tag.endswith("/signed"))
    return {link.name: link for link in seen.links if link.name in ("tag", "signature", "record", "writings")}


def states(chain: Chain) -> dict[str, State]:
    """Their states."""
    return {name: link.state for name, link in links(chain).items()}


ALL_OK = dict.fromkeys(("tag", "signature", "record", "writings"), State.OK)


def test_tag_commit_and_record_are_signed(signer: Chain) -> None:
    """Plain git finds the signatures good, and everything else reads the tag as ever."""
    name = next(t for t in signer.clone.git("tag", "--list").splitlines() if t.endswith("/signed"))
    for words in (("verify-tag", name), ("verify-commit", f"{name}^{{commit}}"), ("verify-commit", NOTES)):
        signer.clone.git(*words)
    assert " snapshot v=1 " in signer.clone.git("notes", "show", name)
    assert states(signer) == ALL_OK
    assert "ada@example.org" in links(signer)["writings"].text


def test_unsigned_writing_is_named_where_that_is_asked_for(signer: Chain) -> None:
    """A line that somebody appends with plain git; without the policy it is only counted."""
    name = next(t for t in signer.clone.git("tag", "--list").splitlines() if t.endswith("/signed"))
    signer.note("append", "-m", '2026-01-02T10:00:00.000Z remark text="unsigned"', name)
    commit = signer.clone.git("rev-parse", NOTES)
    assert states(signer) == {**ALL_OK, "writings": State.CHANGED}
    assert commit[:12] in links(signer)["writings"].text
    signer.clone.git("config", "rvexp.local.requireSigned", "tags")
    assert states(signer) == ALL_OK
    assert "1 are not" in links(signer)["writings"].text


def test_borrowed_signature_is_named_whatever_is_asked_for(signer: Chain) -> None:
    """The signature of another commit does not fit."""
    name = next(t for t in signer.clone.git("tag", "--list").splitlines() if t.endswith("/signed"))
    before = signer.clone.git("cat-file", "commit", NOTES)
    borrowed = before[before.index("gpgsig ") : before.index("\n\n")]
    signer.note("append", "-m", '2026-01-02T10:00:00.000Z remark text="forged"', name)
    forged = signer.clone.git("cat-file", "commit", NOTES).replace("\n\n", f"\n{borrowed}\n\n", 1) + "\n"
    words = ["git", "hash-object", "-t", "commit", "-w", "--stdin"]
    made = subprocess.run(words, cwd=signer.clone.path, input=forged, text=True, capture_output=True, check=True)
    signer.clone.git("update-ref", NOTES, made.stdout.strip())
    signer.clone.git("config", "--unset", "rvexp.local.requireSigned")
    assert states(signer) == {**ALL_OK, "writings": State.CHANGED}
    assert "is not of this commit" in links(signer)["writings"].text


def test_unknown_signer_cannot_be_told(signer: Chain, tmp_path: Path) -> None:
    """A key that nobody has allowed proves nothing, and with the policy no repeat is called possible."""
    (tmp_path / "allowed").write_text("")
    assert states(signer) == {**ALL_OK, "signature": State.UNKNOWN, "writings": State.UNKNOWN}
    assert all(links(signer)[name].needed for name in ("signature", "writings"))
    signer.clone.git("config", "--unset", "rvexp.local.requireSigned")
    assert not any(links(signer)[name].needed for name in ("signature", "writings"))


def test_unsigned_tag_is_named_where_that_is_asked_for(signer: Chain) -> None:
    """The older snapshot has none; nobody minds before it is asked for."""
    older = next(v for v in verify(signer.context, []) if not v.snapshot.tag.endswith("/signed"))
    assert next(x for x in older.links if x.name == "signature").state is State.CHANGED
    signer.clone.git("config", "--unset", "rvexp.local.requireSigned")
    older = next(v for v in verify(signer.context, []) if not v.snapshot.tag.endswith("/signed"))
    assert next(x for x in older.links if x.name == "signature").state is State.OK


def test_without_a_key_nothing_is_made(signer: Chain) -> None:
    """No half-signed snapshot, and the next command to type."""
    tags = signer.clone.git("tag", "--list")
    record = signer.clone.git("rev-parse", NOTES)
    signer.clone.git("config", "user.signingKey", "/nowhere/key")
    done = signer.clone.rvexp("snapshot", "second")
    assert done.returncode == 128
    assert "cannot sign" in done.stderr
    assert "user.signingKey" in done.stderr
    assert (signer.clone.git("tag", "--list"), signer.clone.git("rev-parse", NOTES)) == (tags, record)
    signer.clone.git("config", "rvexp.local.sign", "maybe")
    assert signer.clone.rvexp("snapshot", "second").returncode == 2
