"""What verify says of tag, remote and record: everything as it was, and each single mutation on exactly its line."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_rvexp.commands.session import Session
from git_rvexp.git.plumbing import Repo
from git_rvexp.output import Speaker
from git_rvexp.workflow import sync
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.verifying.check import Verified, verify
from git_rvexp.workflow.verifying.link import Link, State
from tests.conftest import Clone
from tests.unit.study import NOTES, TAG, Study, make_study

FIRST = 'snapshot v=1 tag="al/roads'


@dataclass(frozen=True)
class Chain:
    """A published snapshot with a run in its record, and what verify says of it."""

    study: Study

    @property
    def clone(self) -> Clone:
        """The clone."""
        return self.study.clone

    @property
    def context(self) -> Context:
        """What a command in the clone works with."""
        return Session(os.environ, self.clone.path, Speaker.make(os.environ)).context

    def look(self) -> Verified:
        """Everything verify finds, of every snapshot there is or was: there is one."""
        (seen,) = verify(self.context, [])
        return seen

    def links(self) -> dict[str, Link]:
        """The links that hang on git alone, by name."""
        return {link.name: link for link in self.look().links}

    def odd(self) -> dict[str, State]:
        """Those of them that are not as recorded."""
        return {name: link.state for name, link in self.links().items() if link.state is not State.OK}

    def there(self, *args: str) -> str:
        """Plain git in the experiments remote."""
        return self.clone.git("--git-dir", str(self.study.experiments), *args)

    def note(self, *args: str, cwd: Path | None = None) -> str:
        """Plain `git notes` on the record."""
        return Clone(cwd or self.clone.path).git("notes", "--ref=rvexp", *args)

    def edit(self, old: str, new: str, cwd: Path | None = None) -> None:
        """Change a line of the note with plain git, as a commit on top."""
        text = self.note("show", TAG, cwd=cwd)
        assert old in text
        self.note("add", "-f", "-m", text.replace(old, new), TAG, cwd=cwd)

    def other(self, name: str = "other") -> Path:
        """Somebody else's clone of the experiments remote, tags and record."""
        path = self.clone.path.parent / name
        self.clone.git("init", "-q", str(path))
        git = Clone(path).git
        git("remote", "add", "origin", str(self.study.experiments))
        git("fetch", "-q", "origin", "+refs/tags/*:refs/tags/*", f"+{NOTES}:{NOTES}")
        return path


@pytest.fixture
def chain(new_clone: Callable[[str], Clone], tmp_path: Path) -> Chain:
    """Published and synced."""
    made = Chain(make_study(new_clone, tmp_path))
    sync.sync(made.context)
    made.note("append", "-m", '2026-01-02T10:00:00.000Z ended run="0000000001" state="SUCCEEDED" exit=0', TAG)
    made.note("append", "-m", '2026-01-02T09:00:00.000Z planned run="0000000001" executor="gone"', TAG)
    sync.sync(made.context)
    return made


def test_everything_as_recorded(chain: Chain) -> None:
    """All four links are ok, and the run of an executor we do not have can be told nothing about."""
    assert chain.odd() == {}
    assert list(chain.links()) == ["tag", "signature", "remote", "record"]
    assert chain.links()["record"].text == "3 line(s), none changed or lost in 3 writing(s)"


def test_verify_writes_nothing(chain: Chain) -> None:
    """No ref of the clone or of the remote is another one afterwards, though the remote has news."""
    other = chain.other()
    chain.note("append", "-m", '2026-01-02T11:00:00.000Z remark text="news"', TAG, cwd=other)
    Clone(other).git("push", "-q", "origin", NOTES)
    before = chain.clone.git("for-each-ref"), chain.there("for-each-ref")
    assert chain.links()["record"].text.startswith("4 line")
    assert (chain.clone.git("for-each-ref"), chain.there("for-each-ref")) == before


def test_moved_tag_on_the_remote_fails(chain: Chain) -> None:
    """The remote's line names both objects."""
    chain.there("update-ref", f"refs/tags/{TAG}", chain.there("rev-parse", f"{TAG}^{{}}"))
    assert chain.odd() == {"remote": State.CHANGED}
    assert "the tag moved there: recorded " in chain.links()["remote"].text


def test_deleted_tag_on_the_remote_fails(chain: Chain) -> None:
    """What was published and is gone is told apart from what was never there."""
    chain.there("update-ref", "-d", f"refs/tags/{TAG}")
    assert chain.odd() == {"remote": State.CHANGED}
    assert "deleted" in chain.links()["remote"].text


def test_tag_that_was_never_pushed_is_a_hazard(new_clone: Callable[[str], Clone], tmp_path: Path) -> None:
    """Nothing has changed, but one disk holds it all."""
    made = Chain(make_study(new_clone, tmp_path))
    assert made.odd() == {}
    assert made.links()["remote"].hazard


def test_moved_tag_in_this_clone_fails(chain: Chain) -> None:
    """Only the tag's line; the record is the published tag's."""
    chain.clone.git("tag", "-f", "-a", "-m", "moved", TAG, "HEAD")
    assert chain.odd() == {"tag": State.CHANGED}


def test_deleted_tag_in_this_clone_fails(chain: Chain) -> None:
    """What this clone had is not forgotten."""
    chain.clone.git("tag", "-d", TAG)
    assert chain.odd() == {"tag": State.CHANGED}


def test_tag_whose_message_says_another_tree_fails(chain: Chain) -> None:
    """The trailers are signed with the tag, so they must agree with it."""
    body = chain.clone.git("cat-file", "tag", TAG).replace("Rvexp-Tree: ", "Rvexp-Tree: f00")
    name = "al/roads/2026-01-02/two"
    body = body.replace(f"tag {TAG}", f"tag {name}").replace(f"Rvexp-Snapshot: {TAG}", f"Rvexp-Snapshot: {name}")
    made = subprocess.run(
        ["git", "mktag"], cwd=chain.clone.path, input=body + "\n", text=True, capture_output=True, check=True
    )
    chain.clone.git("update-ref", f"refs/tags/{name}", made.stdout.strip())
    (two,) = [v for v in verify(chain.context, []) if v.snapshot.tag == name]
    (tag,) = [link for link in two.links if link.name == "tag"]
    assert tag.state is State.CHANGED
    assert "says tree f00" in tag.text


@pytest.mark.parametrize(
    ("old", "new"),
    [("exit=0", "exit=1"), ('run="0000000001"', 'run="0000000002"'), (FIRST, 'snapshot v=1 tag="xx/roads')],
)
def test_edited_line_fails(chain: Chain, old: str, new: str) -> None:
    """An edit on top of the history, and the runs are still read as they were written."""
    before = [run.run.events for run in chain.look().runs]
    chain.edit(old, new)
    assert chain.odd() == {"record": State.CHANGED}
    assert "changed or removed in" in chain.links()["record"].text
    assert [run.run.events for run in chain.look().runs] == before


def test_edited_line_that_was_pushed_fails(chain: Chain) -> None:
    """Somebody else's edit is found before it is fetched, and after it was merged."""
    other = chain.other()
    chain.edit("exit=0", "exit=1", cwd=other)
    Clone(other).git("push", "-q", "origin", NOTES)
    assert chain.odd() == {"record": State.CHANGED}
    sync.sync(chain.context)
    assert chain.odd() == {"record": State.CHANGED}
    (run,) = chain.look().runs
    assert run.run.word == "ok"


def test_edited_line_that_a_merge_brought_back_fails(chain: Chain) -> None:
    """The union of both sides has the line again; that it was gone once is not forgotten."""
    other = chain.other()
    chain.note("append", "-m", '2026-01-02T11:00:00.000Z remark text="ours"', TAG)
    chain.edit("exit=0", "exit=1", cwd=other)
    Clone(other).git("push", "-q", "origin", NOTES)
    sync.sync(chain.context)
    assert "exit=0" in chain.note("show", TAG)
    assert chain.odd() == {"record": State.CHANGED}


def test_merge_that_drops_a_side_fails(chain: Chain) -> None:
    """A merge that keeps one side whole is no change to that side, and a loss to the other."""
    before = chain.clone.git("rev-parse", NOTES)
    chain.note("append", "-m", '2026-01-02T11:00:00.000Z remark text="lost"', TAG)
    ours = chain.clone.git("rev-parse", NOTES)
    merge = chain.clone.git("commit-tree", f"{before}^{{tree}}", "-p", before, "-p", ours, "-m", "merge")
    chain.clone.git("update-ref", NOTES, merge)
    assert chain.odd() == {"record": State.CHANGED}
    assert 'text="lost"' in chain.links()["record"].text


@pytest.mark.parametrize("reflog", ["true", "false"])
def test_rewritten_record_in_this_clone_fails(chain: Chain, reflog: str) -> None:
    """A history made anew holds every line but the edited one; the old one is known from the remote or the reflog."""
    if reflog == "true":
        chain.clone.git("update-ref", "-d", "refs/rvexp/seen/notes")
    else:
        shutil.rmtree(chain.study.common / "logs" / "refs" / "notes")
    chain.edit("exit=0", "exit=1")
    tree = chain.clone.git("rev-parse", f"{NOTES}^{{tree}}")
    chain.clone.git("update-ref", NOTES, chain.clone.git("commit-tree", tree, "-m", "anew"))
    found = chain.odd()
    assert found == {"record": State.CHANGED}
    assert chain.look().runs[0].run.word == "ok"
    assert "rewritten" in chain.links()["record"].text


def test_rewritten_record_on_the_remote_fails(chain: Chain) -> None:
    """An alarm with both commits; what is there is not believed."""
    other = chain.other()
    chain.edit("exit=0", "exit=1", cwd=other)
    tree = Clone(other).git("rev-parse", f"{NOTES}^{{tree}}")
    anew = Clone(other).git("commit-tree", tree, "-m", "anew")
    Clone(other).git("push", "-q", "-f", "origin", f"{anew}:{NOTES}")
    assert chain.odd() == {"remote": State.CHANGED}
    assert anew in chain.links()["remote"].text


def test_deleted_record_on_the_remote_fails(chain: Chain) -> None:
    """The same for a record that is gone."""
    chain.there("update-ref", "-d", NOTES)
    assert chain.odd() == {"remote": State.CHANGED}


def test_missing_first_line_fails(chain: Chain) -> None:
    """Removed with its note, or never written."""
    name = chain.study.snapshot("two")
    chain.note("remove", name)
    (two,) = [v for v in verify(chain.context, []) if v.snapshot.tag == name]
    (record,) = [link for link in two.links if link.name == "record"]
    assert record.state is State.CHANGED
    chain.clone.git("tag", "-a", "-m", "by hand", "al/roads/2026-01-02/three")
    (three,) = [v for v in verify(chain.context, []) if v.snapshot.tag.endswith("three")]
    (record,) = [link for link in three.links if link.name == "record"]
    assert "first line, which names the snapshot, is missing" in record.text


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('2026-01-02T09:00:01.000Z planned run="0000000001" executor="other"', "planned in 2 ways"),
        ('2026-01-02T10:00:01.000Z ended run="0000000001" state="FAILED" exit=1', "ended in 2 ways"),
        ('2026-01-02T10:00:01.000Z ended run="0000000009" state="FAILED" exit=1', "nobody planned"),
        ('2026-01-02T10:00:01.000Z snapshot tag="x" commit="0" tree="0"', "its first line says tag x"),
    ],
)
def test_line_that_contradicts_another_fails(chain: Chain, line: str, says: str) -> None:
    """Adding is allowed, so what is added is held against what was there."""
    chain.note("append", "-m", line, TAG)
    assert chain.odd() == {"record": State.CHANGED}
    assert says in chain.links()["record"].text


def test_damaged_line_fails_and_stops_no_repeat(chain: Chain) -> None:
    """The lines around it stay usable."""
    chain.note("append", "-m", "2026-01-02T12:00:00.000Z image ref=", TAG)
    assert chain.odd() == {"record": State.CHANGED}
    assert not chain.links()["record"].needed


def test_line_of_a_later_version_cannot_be_told(chain: Chain) -> None:
    """It is no damage, but what it says is not known here."""
    chain.note("append", "-m", "2026-01-02T12:00:00.000Z image v=2", TAG)
    assert chain.odd() == {"record": State.UNKNOWN}


def test_two_writers_are_no_loss(chain: Chain) -> None:
    """Lines of both sides, merged by union, notes moved by git itself: all of it is append-only."""
    other = chain.other()
    chain.note("append", "-m", '2026-01-02T11:00:00.000Z remark text="theirs"', TAG, cwd=other)
    Clone(other).git("push", "-q", "origin", NOTES)
    chain.note("append", "-m", '2026-01-02T11:00:00.000Z remark text="ours"', TAG)
    sync.sync(chain.context)
    assert chain.odd() == {}
    assert chain.links()["record"].text.startswith("5 line")


def test_remote_out_of_reach_cannot_be_told(chain: Chain) -> None:
    """Exit code 8, and only the remote's line: what is here can be judged here."""
    shutil.move(chain.study.experiments, f"{chain.study.experiments}.away")
    assert chain.odd() == {"remote": State.UNKNOWN}
    chain.note("remove", "--ignore-missing", TAG)
    assert chain.odd() == {"remote": State.UNKNOWN, "record": State.CHANGED}


def test_exit_codes_and_the_document(new_clone: Callable[[str], Clone], tmp_path: Path) -> None:
    """0 all ok, 1 something changed, 8 something cannot be told; --all and a snapshot are one too many."""
    study = make_study(new_clone, tmp_path)
    study.clone.rvexp("sync")
    seen = study.clone.rvexp("verify", "one")
    assert (seen.returncode, seen.stdout.splitlines()[-1]) == (0, "nothing ran yet: there is nothing to repeat")
    shutil.move(study.experiments, f"{study.experiments}.away")
    assert study.clone.rvexp("verify", "--all").returncode == 8
    study.clone.git("tag", "-d", TAG)
    seen = study.clone.rvexp("verify", "--all", "--json")
    assert seen.returncode == 1
    assert '"schema": "rvexp.verify/1"' in seen.stdout
    assert study.clone.rvexp("verify", "--all", "one").returncode == 2


def signed(chain: Chain, body: str = "") -> str:
    """A tag signed with a fresh ssh key, its content changed afterwards with `body`; its name."""
    key = chain.clone.path.parent / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(key)], check=True)
    chain.clone.git("config", "gpg.format", "ssh")
    chain.clone.git("config", "user.signingKey", str(key))
    name = "al/roads/2026-01-02/signed"
    chain.clone.git("tag", "-s", "-m", "signed", name)
    if body:
        content = chain.clone.git("cat-file", "tag", name).replace("\nsigned\n", f"\n{body}\n") + "\n"
        words = ["git", "hash-object", "-t", "tag", "-w", "--stdin"]
        made = subprocess.run(
            words, cwd=chain.clone.path, input=content, text=True, capture_output=True, check=True
        ).stdout
        chain.clone.git("update-ref", f"refs/tags/{name}", made.strip())
    return name


def signature_of(chain: Chain, name: str) -> Link:
    """What verify says of a tag's signature."""
    (seen,) = [v for v in verify(chain.context, []) if v.snapshot.tag == name]
    return next(link for link in seen.links if link.name == "signature")


def test_signature_of_a_known_signer_is_good(chain: Chain) -> None:
    """By git's own list of allowed signers; without one, whose signature it is cannot be told."""
    name = signed(chain)
    found = signature_of(chain, name)
    assert (found.state, found.needed) == (State.UNKNOWN, False)
    allowed = chain.clone.path.parent / "allowed"
    key = chain.clone.path.parent / "key.pub"
    allowed.write_text(f"ada@example.org {key.read_text()}")
    chain.clone.git("config", "gpg.ssh.allowedSignersFile", str(allowed))
    found = signature_of(chain, name)
    assert found.state is State.OK
    assert "ada@example.org" in found.text
    allowed.write_text("")
    assert signature_of(chain, name).state is State.UNKNOWN


def test_signature_over_another_message_fails(chain: Chain) -> None:
    """Whoever signed it did not sign this."""
    name = signed(chain, body="forged")
    allowed = chain.clone.path.parent / "allowed"
    allowed.write_text(f"ada@example.org {(chain.clone.path.parent / 'key.pub').read_text()}")
    chain.clone.git("config", "gpg.ssh.allowedSignersFile", str(allowed))
    assert signature_of(chain, name).state is State.CHANGED


def test_a_tag_without_a_tagger_contradicts_itself(chain: Chain) -> None:
    """Somebody pushed it under a snapshot's name: that is told, and all others are verified."""
    clone = chain.clone
    body = f"object {clone.git('rev-parse', 'HEAD')}\ntype commit\ntag x/y/2026-01-01/z\n\nmine\n"
    made = Repo.discover(clone.path, os.environ).git("hash-object", "-t", "tag", "-w", "--stdin", stdin=body.encode())
    clone.git("update-ref", "refs/tags/x/y/2026-01-01/z", made.text)
    done = clone.rvexp("verify", "--all")
    assert "it does not say who made it and when" in done.stdout, done.stderr
    assert "✓ tag        as recorded" in done.stdout
