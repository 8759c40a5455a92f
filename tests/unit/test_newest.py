"""The newest snapshots are found in git's files of refs: always the ones that git itself would name."""

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.git.catalogue import cards
from git_rvexp.git.newest import dates
from git_rvexp.git.packedrefs import PackedRefs
from git_rvexp.git.plumbing import Repo
from tests.conftest import Clone
from tests.notebook import Notebook

FOREIGN = ("v1.0", "zz", "al/x", "a/b/c/d", "al/roads/9999-99-99/no", "al/roads/2026-01-01/light")


def repo(clone: Clone) -> Repo:
    """The clone, opened anew."""
    return Notebook(clone).repo


def make(clone: Clone, *names: str) -> None:
    """Annotated tags of these names, with times of their own."""
    head = clone.git("rev-parse", "HEAD")
    known = len(clone.git("tag", "-l").splitlines())
    text = "".join(
        f"tag {name}\nfrom {head}\ntagger A <a@b.org> {1_790_000_000 + known + n} +0000\ndata 2\nx\n"
        for n, name in enumerate(names)
    )
    subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=clone.path, input=text, text=True, check=True)


def newest(clone: Clone, number: int, initials: str = "*", project: str = "*") -> list[str]:
    """The names of the newest, as `list` finds them."""
    return [c.snapshot.tag for c in cards(repo(clone), initials=initials, project=project, newest=number)]


def by_git(clone: Clone, number: int, initials: str = "*", project: str = "*") -> list[str]:
    """The same from all tags."""
    found = cards(repo(clone), initials=initials, project=project)
    return [c.snapshot.tag for c in found][:number]


def name(chance: random.Random) -> str:
    """A snapshot's name on one of a few dates."""
    initials, project = chance.choice(["al", "al-b", "gh"]), chance.choice(["roads", "roads2", "a"])
    return (
        f"{initials}/{project}/2026-{chance.randrange(1, 4):02d}-{chance.randrange(1, 9):02d}/n{chance.randrange(99)}"
    )


@pytest.mark.parametrize("seed", range(6))
def test_whatever_plain_git_does_the_newest_are_the_newest(clone: Clone, seed: int) -> None:
    """Tags added, deleted, moved and packed in any order, among foreign ones: the same as from all of them."""
    chance = random.Random(seed)
    steps: list[Callable[[], object]] = [
        lambda: make(clone, *{name(chance) for _ in range(chance.randrange(1, 12))}),
        lambda: clone.git("tag", "-d", *chance.sample(tags, min(3, len(tags)))) if tags else None,
        lambda: clone.git("tag", "-f", "-a", "-m", "moved", chance.choice(tags)) if tags else None,
        lambda: clone.git("pack-refs", "--all", *chance.choice([[], ["--no-prune"]])),
        lambda: clone.git("gc", "-q", "--prune=now"),
        lambda: clone.git(
            "tag",
            "-f",
            chance.choice(FOREIGN),
        ),
    ]
    for _ in range(12):
        tags = clone.git("tag", "-l", "*/*/2026-*/n*").splitlines()
        chance.choice(steps)()
        for number in (1, 3, 20):
            assert newest(clone, number) == by_git(clone, number)
            assert newest(clone, number, "al", "roads") == by_git(clone, number, "al", "roads")


@pytest.mark.parametrize("packed", [True, False])
def test_only_the_last_dates_are_looked_at(clone: Clone, packed: bool) -> None:  # noqa: FBT001  a parameter of a test
    """So many dates as hold enough tags, in every project that has them; none when there are too few tags."""
    make(clone, *(f"al/roads/2026-01-0{day}/{nick}" for day in range(1, 6) for nick in ("a", "b")))
    make(clone, "gh/clouds/2026-01-05/c", "gh/clouds/2026-01-02/d")
    if packed:
        clone.git("pack-refs", "--all")
    last = {"refs/tags/al/roads/2026-01-05", "refs/tags/gh/clouds/2026-01-05"}
    assert set(dates(repo(clone), "*", "*", 1) or ()) == last
    assert set(dates(repo(clone), "*", "*", 3) or ()) == last
    assert set(dates(repo(clone), "*", "*", 4) or ()) == last | {"refs/tags/al/roads/2026-01-04"}
    assert dates(repo(clone), "gh", "*", 2) == ["refs/tags/gh/clouds/2026-01-05", "refs/tags/gh/clouds/2026-01-02"]
    assert dates(repo(clone), "*", "*", 13) is None


def packed_refs(clone: Clone) -> Path:
    """Git's file."""
    return clone.path / ".git" / "packed-refs"


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text(path.read_text().replace(" sorted", "")),
        lambda path: path.write_text(path.read_text().partition("\n")[2]),
        lambda path: (path.parent / "config").open("a").write("[extensions]\n\tRefStorage = files\n"),
    ],
    ids=["not sorted", "without traits", "another store"],
)
def test_what_looks_unusual_is_left_to_git(clone: Clone, change: Callable[[Path], object]) -> None:
    """The answer is the same, from git alone."""
    make(clone, "al/roads/2026-01-01/a", "al/roads/2026-01-02/b", "al/roads/2026-01-03/c")
    clone.git("pack-refs", "--all")
    assert dates(repo(clone), "*", "*", 1) is not None
    change(packed_refs(clone))
    assert dates(repo(clone), "*", "*", 1) is None
    assert newest(clone, 2) == ["al/roads/2026-01-03/c", "al/roads/2026-01-02/b"]


def test_many_foreign_tags_are_left_to_git(clone: Clone) -> None:
    """A repository with more releases than are worth looking at one by one."""
    make(clone, "al/roads/2026-01-01/a", *(f"v1.{n}" for n in range(300)))
    clone.git("pack-refs", "--all")
    assert dates(repo(clone), "*", "*", 1) is None
    assert newest(clone, 1) == ["al/roads/2026-01-01/a"]


def test_a_pattern_for_projects_is_gits_business(clone: Clone) -> None:
    """`--project 'r*'` means what it means to git."""
    make(clone, "al/roads/2026-01-01/a", "al/clouds/2026-01-02/b")
    assert newest(clone, 1, project="r*") == ["al/roads/2026-01-01/a"]


def test_a_worktree_sees_the_tags_of_its_clone(clone: Clone, tmp_path: Path) -> None:
    """Tags belong to all work trees."""
    make(clone, "al/roads/2026-01-01/a", "al/roads/2026-01-02/b")
    clone.git("worktree", "add", "-q", str(tmp_path / "other"))
    assert newest(Clone(tmp_path / "other"), 1) == ["al/roads/2026-01-02/b"]
    assert dates(repo(Clone(tmp_path / "other")), "*", "*", 1) == ["refs/tags/al/roads/2026-01-02"]


def test_every_packed_ref_is_found_by_search(clone: Clone) -> None:
    """Each at its place, with the one before it, peeled lines or not."""
    make(clone, *(f"al/roads/2026-01-{day:02d}/n" for day in range(1, 30)))
    for number in range(0, 30, 3):
        clone.git("tag", f"light-{number}")
    clone.git("pack-refs", "--all")
    refs = [line.split(" ")[1].encode() for line in packed_refs(clone).read_text().splitlines() if line[0] not in "#^"]
    packed = PackedRefs(packed_refs(clone))
    places = [packed.first(ref) for ref in refs]
    assert [packed.ref(at) for at in places] == refs
    assert [packed.before(at) for at in places] == [b"", *refs[:-1]]
    assert [packed.first(ref + b"\0") for ref in refs] == [*places[1:], packed.end]
    assert packed.count(places[3], places[9]) == 6
    assert packed.first(b"") == places[0]
