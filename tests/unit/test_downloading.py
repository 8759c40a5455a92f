"""The folder that a run's files are put into: what others named cannot leave it, and nothing in it is written over."""

import hashlib
from pathlib import Path

import pytest

from git_rvexp.errors import RvexpError
from git_rvexp.workflow.downloading.folder import Folder, LeftError

LONG = "n" * 255  # what file systems take


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder."""
    (tmp_path / "there").mkdir()
    return Folder(tmp_path / "there")


def below(folder: Folder) -> list[str]:
    """All that is in it."""
    return sorted(str(p.relative_to(folder.top)) for p in folder.top.rglob("*"))


@pytest.mark.parametrize(
    "parts", [[], [""], ["."], [".."], ["a", "..", "b"], ["..", "owned"], ["/etc", "x"], ["a/b"], ["a\0b"]]
)
def test_a_name_that_leads_out_makes_nothing(folder: Folder, parts: list[str]) -> None:
    """Whatever way it is written."""
    with pytest.raises(LeftError, match="none that a file here may have"):
        folder.put(parts, [b"theirs"])
    assert below(folder) == []
    assert sorted(p.name for p in folder.top.parent.iterdir()) == ["there"]


def test_any_other_name_is_a_file(folder: Folder) -> None:
    """As long as it may be, with bytes that are no UTF-8, and twice."""
    for name in (LONG, "a\nb", "\udcff", "-o"):
        assert folder.put(["deep", name], [b"con", b"tent"])
        assert not folder.put(["deep", name], [b"content"])
        assert (folder.top / "deep" / name).read_bytes() == b"content"
    assert len(below(folder)) == len(["deep", LONG, "a\nb", "\udcff", "-o"])


@pytest.mark.parametrize("kind", ["file", "link", "dangling", "folder", "link above", "file above"])
def test_what_is_there_stays(folder: Folder, tmp_path: Path, kind: str) -> None:
    """Of every kind, a link to the same content too; nothing goes through a link, and no half is left."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "same").write_bytes(b"content")
    place = folder.top / "above" / "name"
    if kind == "link above":
        place.parent.symlink_to(outside)
    elif kind == "file above":
        place.parent.write_bytes(b"mine")
    else:
        place.parent.mkdir()
    if kind == "file":
        place.write_bytes(b"mine")
    elif kind in ("link", "dangling"):
        place.symlink_to(outside / ("same" if kind == "link" else "nothing"))
    elif kind == "folder":
        place.mkdir()
    before = below(folder)
    with pytest.raises(LeftError, match="is there already and"):
        folder.put(["above", "name"], [b"content"])
    assert below(folder) == before
    assert [p.name for p in outside.iterdir()] == ["same"]


def test_what_is_not_as_expected_leaves_nothing(folder: Folder) -> None:
    """Another content than the record's, and a source that breaks off."""
    right = hashlib.sha256(b"content").hexdigest()
    with pytest.raises(LeftError, match="it has changed since"):
        folder.put(["name"], [b"other"], right)

    def broken() -> object:
        yield b"con"
        raise RvexpError("it broke off")

    with pytest.raises(RvexpError, match="it broke off"):
        folder.put(["name"], broken(), right)  # type: ignore[arg-type]
    assert below(folder) == []
    assert folder.put(["name"], [b"content"], right)
