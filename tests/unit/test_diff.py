"""`git rvexp diff`: only what differs, on one page."""

import json
from typing import Any

import pytest

from git_rvexp.model import Resources, Snapshot
from tests.conftest import Clone
from tests.notebook import IMAGE, Notebook


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
        "state": ("SUCCEEDED", "FAILED"),
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
    left, right = book.ended(pair[0], seed=1), book.ended(pair[0], seed=5)
    assert changes(book, str(left.run), str(right.run)) == {"seed": (1, 5)}


def test_metrics_are_compared_with_their_difference(book: Notebook, pair: tuple[Snapshot, Snapshot]) -> None:
    """Old, new and by how much; one that only one side has stands alone, equal ones are left out."""
    for snapshot, values in zip(pair, ({"acc": 0.5, "n": 9, "old": 1}, {"acc": 0.75, "n": 9}), strict=True):
        run = book.ended(snapshot)
        book.tell(snapshot, "metrics", run=str(run.run), values=values)
    assert changes(book) == {"metrics acc": (0.5, 0.75), "metrics old": (1, None)}
    assert "metrics acc\n  - 0.5\n  + 0.75  (+0.25)\n" in book.clone.rvexp("diff", "one", "two").stdout
