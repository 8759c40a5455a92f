"""`git rvexp diff`: only what differs, on one page."""

import json
from typing import Any

import pytest

from git_rvexp.data.manifest import Item, taken
from git_rvexp.model import Resources, Snapshot
from git_rvexp.names import RunId
from git_rvexp.workflow.repeating.manifests import told
from tests.conftest import Clone
from tests.notebook import IMAGE, Notebook, digest


@pytest.fixture
def book(clone: Clone) -> Notebook:
    """A clone."""
    return Notebook(clone)


@pytest.fixture
def pair(book: Notebook) -> tuple[Snapshot, Snapshot]:
    """Two snapshots of the same code, published alike."""
    made = []
    for nickname in ("one", "two"):
        snapshot = book.snapshot(f"al/roads/2026-11-01/{nickname}", code="print(1)\n")
        body = {"containerProperties": {"image": IMAGE, "memory": 1024}, "tags": {"rvexp:tag": nickname}}
        book.tell(snapshot, "image", ref=IMAGE, id="sha256:" + "cd" * 32)
        book.tell(snapshot, "definition", arn=f"arn/{nickname}:1", name=nickname, body=body)
        made.append(snapshot)
    return made[0], made[1]


def changes(book: Notebook, *args: str) -> dict[str, tuple[Any, Any]]:
    """What -> both values, by diff --json."""
    told = json.loads(book.clone.rvexp("diff", *(args or ("one", "two")), "--json").stdout)
    return {c["what"]: (c["a"], c["b"]) for c in told["changes"]}


def test_equal_ones_do_not_differ(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """Same code, image, definition (but for its tags) and request: nothing, and exit 0."""
    for snapshot in pair:
        book.ended(snapshot, env={"RVEXP_TAG": snapshot.tag, "MODE": "x"})
    done = book.clone.rvexp("diff", "one", "two", "--exit-code")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert "nothing differs" in done.stderr


def test_what_differs_is_told_and_nothing_else(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """Command, variables one by one, seed, resources, outcome and the definition's leaves."""
    one, two = pair
    book.ended(one, env={"RVEXP_TAG": "1", "MODE": "x", "ONLY": "here"}, seed=1)
    changed = {"containerProperties": {"image": IMAGE, "memory": 2048}}
    book.tell(two, "definition", arn="arn/two:2", name="two", body=changed)
    book.ended(
        two, 1, env={"RVEXP_TAG": "2", "MODE": "y"}, seed=2, command=("python", "other.py"), resources=Resources(4)
    )
    assert changes(book) == {
        "definition containerProperties.memory": (1024, 2048),
        "command": (["python", "train.py"], ["python", "other.py"]),
        "env MODE": ("x", "y"),
        "env ONLY": ("here", None),
        "seed": (1, 2),
        "vcpus": (None, 4),
        "state": ("ok", "failed"),
        "exit": (0, 1),
    }
    assert book.clone.rvexp("diff", "one", "two", "--exit-code").returncode == 1


def test_code_is_compared_by_git_without_the_users_programs(
    book: Notebook, pair: tuple[Snapshot, Snapshot], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The files and, with -p, the patch; a diff program or text converter of the repository is never started."""
    canary = tmp_path_factory.mktemp("canary") / "ran"
    book.snapshot("al/roads/2026-11-01/three", code="print(3)\n")
    book.clone.git("config", "diff.external", f"touch {canary}")
    book.clone.git("config", "diff.evil.textconv", f"touch {canary}; cat")
    (book.clone.path / ".git" / "info").mkdir(exist_ok=True)
    (book.clone.path / ".git" / "info" / "attributes").write_text("*.py diff=evil\n")
    assert "train.py | 2 +-" in book.clone.rvexp("diff", "one", "three").stdout
    patch = book.clone.rvexp("diff", "-p", "one", "three").stdout
    assert "-print(1)\n+print(3)" in patch
    assert not canary.exists()
    told = json.loads(book.clone.rvexp("diff", "one", "three", "--json").stdout)
    assert told["files"] == [{"status": "M", "path": "train.py"}]


def test_two_runs_of_one_snapshot(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """By run id: the code is the same by nature, the request is compared."""
    left = book.ended(pair[0], seed=1, env={"PYTHONHASHSEED": "1"})
    right = book.ended(pair[0], seed=5, env={"PYTHONHASHSEED": "5"})
    assert changes(book, str(left.run), str(right.run)) == {"seed": (1, 5)}  # said once
    other = book.ended(pair[0], seed=5, env={"PYTHONHASHSEED": "0"})
    assert changes(book, str(right.run), str(other.run)) == {"env PYTHONHASHSEED": (None, "0")}


def test_metrics_are_compared_with_their_difference(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """Old, new and by how much; equal ones are left out, and NaN is no number to count with."""
    for snapshot, values in zip(pair, ({"acc": 0.5, "n": 9, "old": 1}, {"acc": 0.75, "n": 9}), strict=True):
        run = book.ended(snapshot)
        words = {"worst": "Infinity", **({} if "old" in values else {"old": "NaN"})}
        book.tell(snapshot, "metrics", run=str(run.run), values=values, not_finite=words)
    assert changes(book) == {"metrics acc": (0.5, 0.75), "metrics old": (1, "NaN")}
    assert "metrics acc\n  - 0.5\n  + 0.75  (+0.25)\n" in book.clone.rvexp("diff", "one", "two").stdout


def manifest(book: Notebook, **files: str) -> dict[str, Any]:
    """The recorded fields of a manifest of files with these contents, its text kept in the record."""
    items = [Item(f"{name}.tif", len(text), str(digest(text))) for name, text in sorted(files.items())]
    return told(book.context, taken(items))


INPUT = "s3://bucket/tiles"


def test_inputs_and_outputs_are_compared_file_by_file(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """By address: how many, how large, which hash, and which files changed, came or went."""
    lists = [manifest(book, a="same", b="old", c="gone"), manifest(book, a="same", b="new!", d="came")]
    for snapshot, of in zip(pair, lists, strict=True):
        run = book.ended(snapshot, extra={"inputs": [{"uri": INPUT, **of}]})
        book.tell(snapshot, "outputs", run=str(run.run), **of)
    told_changes = changes(book)
    assert list(told_changes) == [f"input {INPUT}", "outputs"]
    left, right = told_changes["outputs"]
    assert left == f"3 files in 11 bytes, {lists[0]['manifest']}"
    assert right == f"3 files in 12 bytes, {lists[1]['manifest']}"
    page = book.clone.rvexp("diff", "one", "two").stdout
    assert page.count("    1 changed (b.tif), 1 missing (c.tif), 1 extra (d.tif)\n") == 2
    document = json.loads(book.clone.rvexp("diff", "one", "two", "--json").stdout)
    assert document["changes"][0]["files"] == {"changed": 1, "missing": 1, "extra": 1}


def test_equal_data_does_not_differ(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """Equal hashes, and outputs of which only S3's versions are others, are the same."""
    for snapshot, version in zip(pair, ("v1", "v2"), strict=True):
        run = book.ended(snapshot, extra={"inputs": [{"uri": INPUT, **manifest(book, a="same")}]})
        outputs = told(book.context, taken([Item("a.tif", 4, str(digest("same")), version)]))
        book.tell(snapshot, "outputs", run=str(run.run), **outputs)
    assert changes(book) == {}


def test_data_of_one_side_and_lists_that_were_not_kept_are_told(
    book: Notebook, pair: tuple[Snapshot, Snapshot]
) -> None:
    """An input that only one read, one that could not be listed, and two hashes without their lists."""
    bare = [{"manifest": f"sha256:{c * 64}", "count": 1, "bytes": 7} for c in "ab"]
    refused = {"uri": "s3://bucket/shut", "why": "access denied"}
    book.ended(pair[0], extra={"inputs": [{"uri": INPUT, **bare[0]}, {"uri": "s3://bucket/only", **bare[0]}, refused]})
    book.ended(pair[1], extra={"inputs": [{"uri": INPUT, **bare[1]}, {"uri": "s3://bucket/shut", **bare[1]}]})
    told_changes = changes(book)
    assert told_changes["input s3://bucket/only"] == (f"1 file in 7 bytes, {bare[0]['manifest']}", None)
    assert told_changes["input s3://bucket/shut"][0] == "not listed (access denied)"
    assert f"input {INPUT}" in told_changes
    assert "which differ cannot be told" in book.clone.rvexp("diff", "one", "two").stdout


def test_what_a_run_waits_for_is_compared_by_step(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """Two chains have other run ids by nature; another step, another pace or a run of no chain differs."""
    for snapshot, step in zip(pair, ("chip", "chip"), strict=True):
        first = book.ended(snapshot, extra={"chain": str(RunId.new()), "step": step})
        book.ended(snapshot, after=(str(first.run),))
    assert changes(book) == {}
    other = book.ended(pair[1])
    book.ended(pair[1], after_each=(str(other.run),), sequential=True, array=3)
    told_changes = changes(book)
    assert told_changes["after"] == (["step chip"], None)
    assert told_changes["after each"] == (None, [str(other.run)])
    assert told_changes["sequential"] == (None, True)


def test_the_image_and_definition_of_a_run_are_its_own(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """A later publication of the snapshot is not what an earlier run used."""
    plans = [book.ended(pair[0], definition="arn/one:1"), book.ended(pair[1], definition="arn/two:1")]
    other = IMAGE.replace("ab" * 32, "ef" * 32)
    book.tell(pair[1], "image", ref=other, id="sha256:" + "12" * 32)
    book.tell(pair[1], "definition", arn="arn/two:2", name="two", body={"containerProperties": {"memory": 9}})
    assert changes(book) == {}
    book.ended(pair[1], definition="arn/two:2", image=other)
    told_changes = changes(book, str(plans[0].run), "two")
    assert told_changes["image"] == (IMAGE, other)
    assert told_changes["definition containerProperties.memory"] == (1024, 9)
