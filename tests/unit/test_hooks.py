"""The pre-push guard, by real pushes between real repositories."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.unit.study import NOTES, TAG, Study, make_study


@pytest.fixture
def study(new_clone: Callable[[str], Clone], tmp_path: Path) -> Study:
    return make_study(new_clone, tmp_path)


_LEAKS = {
    "by name": ["public", TAG],
    "all tags": ["public", "--tags"],
    "follow-tags from a branch on the snapshot": ["public", "--follow-tags", "grown"],
    "everything": ["public", "--mirror"],
    "the commit as a branch": ["public", f"{TAG}^{{}}:refs/heads/innocent"],
    "the commit by its id": ["public", "COMMIT:refs/heads/innocent"],
    "the tag object under another name": ["public", "OBJECT:refs/tags/v1"],
    "a branch grown from it": ["public", "grown"],
    "all branches": ["public", "--all"],
    "its tree": ["public", f"{TAG}^{{tree}}:refs/tags/innocent"],
    "one of its files": ["public", f"{TAG}:train.py:refs/tags/innocent"],
    "the record": ["public", NOTES],
    "the record under another name": ["public", f"{NOTES}:refs/heads/innocent"],
    "the record by its id": ["public", "RECORD:refs/heads/innocent"],
    "our own refs": ["public", "refs/rvexp/kept:refs/heads/innocent"],
    "among other refs": ["public", "main", TAG, "HEAD:refs/heads/other"],
    "from an expression with spaces": ["public", "grown@{0 days ago}:refs/heads/innocent"],
    "to a path": ["PUBLIC", TAG],
    "to a file URL": ["file://PUBLIC", "grown"],
}


@pytest.mark.parametrize("words", _LEAKS.values(), ids=_LEAKS)
def test_nothing_of_a_snapshot_leaks(study: Study, words: list[str]) -> None:
    """Each way to push a snapshot, its commit, tree or record to another remote is refused with nothing sent."""
    git = study.clone.git
    git("branch", "grown", f"{TAG}^{{}}")
    git("update-ref", "refs/rvexp/kept", git("commit-tree", "-m", "no snapshot", "HEAD^{tree}"))
    named = {
        "COMMIT": git("rev-parse", f"{TAG}^{{}}"),
        "OBJECT": git("rev-parse", TAG),
        "RECORD": git("rev-parse", NOTES),
        "PUBLIC": str(study.public),
    }
    for word, value in named.items():
        words = [w.replace(word, value) for w in words]
    before = study.refs(study.public)
    done = study.push(*words)
    assert done.returncode == 1, done.stderr
    assert "git rvexp: refused to push" in done.stderr
    assert "hint: " in done.stderr
    assert study.refs(study.public) == before


@pytest.mark.parametrize("key", ["remote.experiments.pushurl", "url.PUBLIC.pushInsteadOf"])
def test_the_place_decides_not_the_name(study: Study, key: str) -> None:
    """A push to `experiments` that the configuration sends to another remote's URL is refused."""
    if key.startswith("url"):
        study.clone.git("config", key.replace("PUBLIC", str(study.public)), str(study.experiments))
    else:
        study.clone.git("config", key, str(study.public))
    done = study.push("experiments", TAG)
    assert done.returncode == 1
    assert "refused to push refs/tags/al/roads/2026-01-02/one to" in done.stderr
    assert list(study.refs(study.public)) == ["refs/heads/main"]


def test_follow_tags_by_configuration(study: Study) -> None:
    """push.followTags on a branch that holds a snapshot is refused too."""
    study.clone.git("config", "push.followTags", "true")
    study.clone.git("checkout", "-q", "-f", "-b", "grown", f"{TAG}^{{}}")
    assert study.push("public", "grown").returncode == 1
    assert list(study.refs(study.public)) == ["refs/heads/main"]


def test_a_refusal_shows_no_password(study: Study) -> None:
    """A URL is told without what stands before the @."""
    hook = study.common / "rvexp" / "hooks" / "pre-push"
    line = f"refs/tags/{TAG} {study.clone.git('rev-parse', TAG)} refs/tags/{TAG} {'0' * 40}\n"
    url = "https://ada:sesame@example.org/x.git"
    done = subprocess.run(
        ["sh", str(hook), "other", url],
        cwd=study.clone.path,
        input=line,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "sesame" not in done.stderr
    assert "https://example.org/x.git" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["public", "HEAD"],
        ["public", "HEAD:refs/heads/new"],
        ["public", "v1.0"],
        ["public", "--follow-tags", "main"],
        ["public", "--dry-run", "main"],
        ["public", "other/roads/2026-01-02/x/five"],
        ["PUBLIC", "main"],
        ["public", "refs/notes/commits"],
    ],
    ids=" ".join,
)
def test_other_pushes_pass(study: Study, words: list[str]) -> None:
    """What holds no snapshot goes where it is pushed, though the clone holds snapshots."""
    git = study.clone.git
    git("commit", "-q", "--allow-empty", "-m", "more")
    git("tag", "-a", "-m", "release", "v1.0")
    git("tag", "other/roads/2026-01-02/x/five")
    git("notes", "--ref=commits", "add", "-m", "a note of mine")
    done = study.push(*(w.replace("PUBLIC", str(study.public)) for w in words))
    assert (done.returncode, "rvexp" in done.stderr) == (0, False), done.stderr


def test_a_branch_that_the_remote_has_is_looked_at_from_there_on(study: Study) -> None:
    """Only its new commits are walked, and not every ref is read; a snapshot among them is found all the same."""
    git = study.clone.git
    git("checkout", "-q", "-b", "work")
    study.clone.commit("mine")
    assert study.push("public", "work").returncode == 0
    git("merge", "-q", "--no-edit", "-s", "ours", f"{TAG}^{{}}")
    done = study.push("public", "work")
    assert done.returncode == 1, done.stderr
    assert "it is a commit of a snapshot" in done.stderr
    trace = study.common / "trace"
    git("reset", "-q", "--hard", "HEAD^")
    study.clone.commit("more")
    git("push", "-q", "public", "work", env={"GIT_TRACE2": str(trace)})
    (look,) = [line for line in trace.read_text().splitlines() if " start " in line and "Rvexp-Snapshot" in line]
    assert "--remotes" not in look


def test_what_another_branch_of_the_remote_has_already_may_follow(study: Study) -> None:
    """Somebody took a snapshot for a branch of theirs with --no-verify: it cannot be leaked again."""
    git = study.clone.git
    assert study.push("--no-verify", "public", f"{TAG}^{{}}:refs/heads/taken").returncode == 0
    git("checkout", "-q", "-b", "work")
    assert study.push("public", "work").returncode == 0
    git("merge", "-q", "--no-edit", "-s", "ours", f"{TAG}^{{}}")
    assert study.push("public", "work").returncode == 0


def test_a_branch_that_holds_commits_we_lack_is_looked_at_all_the_same(
    study: Study, new_clone: Callable[[str], Clone]
) -> None:
    """A forced push over a colleague's commits, which tell nothing here: the remote's other branches bound the walk."""
    other = new_clone("other")
    other.git("remote", "add", "public", str(study.public))
    assert study.push("--force", "public", "main:refs/heads/work").returncode == 0
    other.git("push", "-q", "--force", "public", "HEAD:refs/heads/work")
    assert study.push("--force", "public", f"{TAG}^{{}}:refs/heads/work").returncode == 1
    assert study.push("--force", "public", "main:refs/heads/work").returncode == 0


def test_a_leaked_tag_can_be_removed(study: Study) -> None:
    """Deleting a snapshot's tag from a remote that should never have had it is allowed."""
    study.push("--no-verify", "public", TAG)
    assert f"refs/tags/{TAG}" in study.refs(study.public)
    assert study.push("public", f":refs/tags/{TAG}").returncode == 0
    assert list(study.refs(study.public)) == ["refs/heads/main"]


@pytest.mark.parametrize("where", ["experiments", "URL", "URL/"])
def test_the_experiments_remote_takes_them(study: Study, where: str) -> None:
    """`git push experiments TAG` works, by name and by URL, and so does the record."""
    done = study.push(where.replace("URL", str(study.experiments)), TAG, NOTES)
    assert done.returncode == 0, done.stderr
    assert list(study.refs(study.experiments)) == [NOTES, f"refs/tags/{TAG}"]


@pytest.mark.parametrize(
    "words",
    [
        ["--delete", "experiments", TAG],
        ["experiments", f":refs/tags/{TAG}"],
        ["--force", "experiments", f"HEAD:refs/tags/{TAG}"],
        ["experiments", f"+moved:refs/tags/{TAG}"],
        ["experiments", f":{NOTES}"],
        ["--force", "experiments", f"HEAD:{NOTES}"],
        ["--prune", "experiments", "refs/tags/none*:refs/tags/*"],
    ],
    ids=" ".join,
)
def test_nothing_is_moved_or_deleted_there(study: Study, words: list[str]) -> None:
    """Deleting, moving or rewinding on the experiments remote itself is refused."""
    git = study.clone.git
    assert study.push("experiments", TAG, NOTES).returncode == 0
    before = study.refs(study.experiments)
    git("tag", "-a", "-m", "another", "moved")
    done = study.push(*words)
    assert done.returncode == 1
    target = NOTES if NOTES in words[-1] else f"refs/tags/{TAG}"
    assert f"{target} to {study.experiments}\n" in done.stderr
    rewound = words[-1] == f"HEAD:{NOTES}"
    assert ("drop lines of the record" if rewound else "never moved or deleted") in done.stderr
    assert study.refs(study.experiments) == before


def test_a_linked_worktree_is_guarded(study: Study, tmp_path: Path) -> None:
    """The guard holds in every work tree of the clone."""
    study.clone.git("worktree", "add", "-q", str(tmp_path / "linked"))
    done = study.push("public", TAG, cwd=tmp_path / "linked")
    assert done.returncode == 1
    assert "refused to push" in done.stderr


def test_packed_snapshots_are_guarded(study: Study) -> None:
    """After `git gc` the commit of a snapshot is still known."""
    study.clone.git("gc", "-q")
    assert study.push("public", f"{TAG}^{{}}:refs/heads/x").returncode == 1


def test_origin_may_be_the_experiments_remote(study: Study) -> None:
    """One URL for both is refused, but where this clone allows it."""
    study.clone.git("remote", "add", "origin", str(study.experiments))
    assert study.push("origin", TAG).returncode == 1
    study.clone.git("config", "rvexp.local.alloworigin", "true")
    assert study.push("origin", TAG).returncode == 0


def test_commits_are_looked_at_only_where_there_are_snapshots(clone: Clone, tmp_path: Path) -> None:
    """Before the first snapshot a push starts no git process of ours, after it one, packed or not."""
    public, trace = tmp_path / "public.git", tmp_path / "trace"
    clone.git("init", "-q", "--bare", str(public))
    clone.rvexp("hook", "install")

    def looks() -> int:
        trace.unlink(missing_ok=True)
        clone.commit()
        clone.git("push", "-q", str(public), "HEAD", env={"GIT_TRACE2": str(trace)})
        starts = [line for line in trace.read_text().splitlines() if " start " in line]
        return sum("Rvexp-Snapshot" in line for line in starts)

    assert looks() == 0
    clone.rvexp("snapshot", "one", "--no-push")
    assert looks() == 1
    clone.git("pack-refs", "--all")
    assert looks() == 1


def test_a_snapshot_without_its_record_is_enough(study: Study) -> None:
    """Where only the tag is in the clone, its commit is known all the same."""
    study.clone.git("update-ref", "-d", NOTES)
    assert not (study.common / "packed-refs").exists()
    assert study.push("public", f"{TAG}^{{}}:refs/heads/x").returncode == 1
