"""Notes found in the trees that hold them, wherever git's fan-out or ours has put them."""

import os
from collections.abc import Mapping

import pytest

from git_rvexp.errors import GitError
from git_rvexp.git import notes
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.ledger import Ledger
from tests.conftest import Clone

OID = "ab" * 20
OTHER = "abcd" + "0" * 36


def tree(repo: Repo, files: Mapping[str, str]) -> str:
    """The tree with these files, by path."""
    here = [f"100644 blob {blob(repo, text)}\t{path}" for path, text in files.items() if "/" not in path]
    folders = dict.fromkeys(path.partition("/")[0] for path in files if "/" in path)
    for folder in folders:
        inside = {path.partition("/")[2]: text for path, text in files.items() if path.startswith(f"{folder}/")}
        here.append(f"040000 tree {tree(repo, inside)}\t{folder}")
    return repo.git("mktree", stdin="".join(f"{line}\n" for line in here).encode()).text


def blob(repo: Repo, text: str) -> str:
    """The blob that holds `text`."""
    return repo.git("hash-object", "-w", "--stdin", stdin=text.encode()).text


def commit(clone: Clone, files: Mapping[str, str]) -> tuple[Repo, notes.Tip]:
    """A clone's record made of these files."""
    repo = Repo.discover(clone.path, os.environ)
    made = clone.git("commit-tree", "-m", "notes", tree(repo, files))
    clone.git("update-ref", notes.REF, made)
    return repo, notes.Tip(made)


def test_each_fan_out_is_found(clone: Clone) -> None:
    """Flat, one level and two levels deep, of one object joined in this order; what is not there is left out."""
    files = {OID: "flat\n", f"{OID[:2]}/{OID[2:]}": "one\n", f"{OID[:2]}/{OID[2:4]}/{OID[4:]}": "two\n"}
    repo, at = commit(clone, files)
    assert notes.read(repo, at, [OID, OTHER]) == {OID: "flat\none\ntwo\n"}
    assert dict(notes.read_now(repo, [OID, OTHER])) == {OID: "flat\none\ntwo\n"}


def test_a_folder_with_the_name_of_a_note_is_none(clone: Clone) -> None:
    """Only files are notes."""
    repo, at = commit(clone, {f"{OID}/file": "no note\n", OTHER: "a note\n"})
    assert notes.read(repo, at, [OID, OTHER]) == {OTHER: "a note\n"}


@pytest.mark.parametrize("of", [f"{notes.REF}^{{tree}}", f"{notes.REF}:ab", f"{notes.REF}:ab/{OID[2:]}"])
def test_what_is_gone_is_told_and_looked_past(clone: Clone, of: str) -> None:
    """The whole tree, one on the way or the note itself: who writes next must know; a look shows what there is."""
    repo, at = commit(clone, {f"{OID[:2]}/{OID[2:]}": "a note\n"})
    gone = clone.git("rev-parse", of)
    (clone.path / ".git" / "objects" / gone[:2] / gone[2:]).unlink()
    with pytest.raises(GitError, match=r"the record is damaged: the object .* is missing"):
        notes.read(repo, at, [OID])
    assert list(notes.read_now(repo, [OID])) == []


def test_a_clone_without_a_record_has_no_notes(clone: Clone) -> None:
    """There is nothing to find, and nothing wrong."""
    repo = Repo.discover(clone.path, os.environ)
    assert list(notes.read_now(repo, [OID])) == []
    assert notes.read(repo, notes.tip(repo), [OID]) == {}


@pytest.mark.parametrize("place", [OID, f"{OID[:2]}/{OID[2:]}"], ids=["flat", "fanned out"])
def test_a_submodule_with_the_name_of_a_note_is_none(clone: Clone, place: str) -> None:
    """Whoever may push the record may put one there; a look passes it over, and a line can be written in its place."""
    repo = Repo.discover(clone.path, os.environ)
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{'c' * 40},{place}")
    clone.git("update-index", "--add", "--cacheinfo", f"100644,{blob(repo, 'a note')},{OTHER}")
    made = clone.git("commit-tree", "-m", "notes", clone.git("write-tree"))
    clone.git("update-ref", notes.REF, made)
    wanted = {OTHER: "a note"}
    assert notes.read(repo, notes.Tip(made), [OID, OTHER]) == wanted
    many = [OID, OTHER, *(f"{number:040x}" for number in range(200))]
    assert dict(notes.read_now(repo, many)) == wanted
    assert list(notes.listed(repo, notes.Tip(made))) == [OTHER]
    ledger = Ledger(repo)
    ledger.append(OID, ledger.event("remark", {"text": "here"}))
    assert [event.get("text") for event in ledger.record(OID).events] == ["here"]


def test_two_fan_outs_of_one_note_do_not_run_into_each_other(clone: Clone) -> None:
    """Plain git writes a note without its last newline where it is told to; alone such a text stays as it is."""
    files = {OID: "one", f"{OID[:2]}/{OID[2:]}": "two", OTHER: "alone"}
    repo, at = commit(clone, files)
    assert notes.read(repo, at, [OID, OTHER]) == {OID: "one\ntwo\n", OTHER: "alone"}
