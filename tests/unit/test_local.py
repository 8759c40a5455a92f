"""A folder of this machine as a manifest: its files, and what its links lead to."""

from pathlib import Path

import pytest

from git_rvexp.data.local import items


def listed(top: Path) -> dict[str, str]:
    """Digests by name."""
    return {item.name: item.digest for item in items(top, "data")}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a file, and another folder beside it."""
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/deep/a.csv").write_text("1")
    (tmp_path / "disk/train").mkdir(parents=True)
    (tmp_path / "disk/train/b.csv").write_text("2")
    return tmp_path / "data"


@pytest.mark.parametrize("target", ["../disk/train", "{}/disk/train", "../disk/train/b.csv"])
def test_what_changes_behind_a_link_changes_the_list(data: Path, target: str) -> None:
    """A link to a folder, relative or absolute, or to a file."""
    (data / "more").symlink_to(target.format(data.parent))
    before = listed(data)
    assert [kind.partition(":")[0] for kind in before.values()] == ["sha256", "sha256"]
    (data.parent / "disk/train/b.csv").write_text("3")
    after = listed(data)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == [n for n in before if n.startswith("data/more")]


def test_a_link_to_what_is_listed_anyway_is_listed_as_such(data: Path) -> None:
    """And one that leads nowhere."""
    for name, target in {"last": "deep/a.csv", "folder": "deep", "gone": "../none", "loop": "loop"}.items():
        (data / name).symlink_to(target)
    told = listed(data)
    assert {name: told[f"data/{name}"] for name in ("last", "folder", "gone", "loop")} == {
        "last": "link:deep/a.csv",
        "folder": "link:deep",
        "gone": "link:../none",
        "loop": "link:loop",
    }
    assert len(told) == 5


def test_links_that_lead_round_in_a_circle_end(data: Path) -> None:
    """Each folder is gone through once on every way into it."""
    (data / "up").symlink_to("../disk")
    (data.parent / "disk/back").symlink_to("../data")
    (data.parent / "disk/top").symlink_to("..")
    told = listed(data)
    assert told["data/up/back"] == "link:../data"
    assert "data/up/top/disk/train/b.csv" in told


def test_a_folder_that_is_a_link_itself_is_followed(data: Path) -> None:
    """Its files have the names that they would have without."""
    link = data.parent / "link"
    link.symlink_to("data")
    assert listed(link) == listed(data)
