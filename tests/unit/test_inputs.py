"""Which places a run reads, before any of them is looked at."""

import pytest

from git_rvexp.data.manifest import Item, taken
from git_rvexp.errors import UsageError
from git_rvexp.model import Snapshot
from git_rvexp.settings import Settings
from git_rvexp.workflow.repeating.inputs import drift, look, wanted
from git_rvexp.workflow.repeating.manifests import told
from tests.conftest import Clone
from tests.notebook import Notebook


def named(clone: Clone, *files: str, tag: str = "al/roads/2026-11-02/one") -> list[str]:
    """The URIs that count as inputs of `cat s3://team/labels.csv` with these patterns set."""
    clone.write(
        "conf/deep/train.yaml", "train: s3://team/train/\nlabels: 's3://team/labels.csv'\nout: s3://team/out/x\n"
    )
    clone.write("notes.md", "see s3://team/elsewhere/\n")
    (clone.path / "conf" / "binary.yaml").write_bytes(b"\0 s3://team/binary/\n")
    clone.commit()
    commit, tree = (clone.git("rev-parse", name) for name in ("HEAD", "HEAD^{tree}"))
    clone.write("conf/deep/train.yaml", "train: s3://team/edited/\n")
    book = Notebook(clone, Settings(run_input_files=files))
    snapshot = Snapshot(tag, commit, commit, tree)
    found = wanted(book.context, snapshot, ["cat", "s3://team/labels.csv"], [], ["s3://team/out/"])
    return [str(entry["uri"]) for entry in found]


def test_addresses_in_configured_files_count(clone: Clone) -> None:
    """As the snapshot has them, not the work tree; each once; outputs and binary files do not."""
    assert named(clone, "conf/*.yaml") == ["s3://team/labels.csv", "s3://team/train/"]


def test_without_the_setting_files_are_not_looked_at(clone: Clone) -> None:
    """Only the command counts then."""
    assert named(clone) == ["s3://team/labels.csv"]


def test_a_pattern_that_matches_nothing_adds_nothing(clone: Clone) -> None:
    """No error either: the file may come later."""
    assert named(clone, "absent/*.toml") == ["s3://team/labels.csv"]


def test_a_run_without_a_snapshot_has_no_files(clone: Clone) -> None:
    """The definition runs what it runs, not the commit's files."""
    assert named(clone, "conf/*.yaml", tag="") == ["s3://team/labels.csv"]


def of_this_machine(clone: Clone, path: str) -> tuple[list[str], list[str]]:
    """The inputs of a plan that declares `path`, and the warnings; data/ is ignored and conf/ committed."""
    clone.write(".gitignore", "data/\n")
    clone.write("conf/a.yaml", "a: 1\n")
    clone.commit()
    clone.write("data/t.csv", "1,2\n")
    commit, tree = (clone.git("rev-parse", name) for name in ("HEAD", "HEAD^{tree}"))
    book = Notebook(clone)
    found = wanted(book.context, Snapshot("al/roads/2026-11-02/one", commit, commit, tree), [], [path], [])
    return [str(entry["uri"]) for entry in found], book.warned


@pytest.mark.parametrize(("path", "warned"), [("data", True), ("/etc/hosts", True), ("conf", False), (".", False)])
def test_a_path_that_the_run_does_not_get_is_warned_of(clone: Clone, path: str, *, warned: bool) -> None:
    """It is watched all the same; what the snapshot holds is in the image."""
    found, told = of_this_machine(clone, path)
    assert found == [str((clone.path / path).resolve())]
    assert ["the run does not get it" in line for line in told] == [True] * warned


def test_a_path_that_is_not_there_is_an_error(clone: Clone) -> None:
    """Before anything is built or recorded."""
    with pytest.raises(UsageError, match="dtaa is not there"):
        of_this_machine(clone, "dtaa")


@pytest.mark.parametrize(
    ("then", "now", "certain"),
    [
        ([("a", 3, "opaque:1")], [("a", 3, "opaque:2")], [False]),
        ([("a", 3, "opaque:1"), ("b", 3, "etag:1")], [("a", 3, "opaque:2"), ("b", 3, "etag:2")], [True]),
        ([("a", 3, "opaque:1")], [("a", 4, "opaque:2")], [True]),
        ([("a", 3, "etag:1")], [("a", 3, "etag:1")], []),
    ],
)
def test_checksums_that_cannot_be_compared_prove_no_change(
    clone: Clone, then: list[tuple[str, int, str]], now: list[tuple[str, int, str]], certain: list[bool]
) -> None:
    """Only what is surely another file has surely changed."""
    context = Notebook(clone).context
    before, after = ({"uri": "s3://b/k", **told(context, taken(Item(*i) for i in of))} for of in (then, now))
    assert [d.certain for d in drift(context, [before], [after])] == certain


def test_a_path_says_nothing_of_what_another_machine_has_there(clone: Clone) -> None:
    """The same bytes are the same anywhere; others, or none, are a change only where they were."""
    book = Notebook(clone)
    clone.write("data/t.csv", "1,2\n")
    plan = book.plan(book.snapshot("al/roads/2026-11-02/one"))
    here = look(book.context, plan, {"uri": str(clone.path / "data"), "declared": True})
    there = {**here, "machine": "elsewhere"}
    assert drift(book.context, [there], [here]) == []
    clone.write("data/t.csv", "1,3\n")
    now = look(book.context, plan, here)
    assert [d.certain for d in drift(book.context, [here, there], [now])] == [True, False]
