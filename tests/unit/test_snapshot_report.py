"""`snapshot -n`: exactly what goes in, what stays out, and why; and what is named when a snapshot is taken."""

import os
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.unit.shapes import Site, objects


def test_every_kind_of_row(clone: Clone, tmp_path: Path) -> None:
    """The whole list, as a person reads it; nothing is written."""
    site = Site(clone, tmp_path)
    site.submodule()
    clone.write("gone.txt", "x\n")
    clone.write("in/a.txt", "a\n")
    clone.write("out/b.txt", "b\n")
    clone.commit()
    clone.git("sparse-checkout", "set", "--no-cone", "/*", "!/out/")
    (clone.path / "gone.txt").unlink()
    clone.write("train.py", "x" * 1500)
    clone.write(".gitignore", "*.log\ncache/\n")
    clone.write("Data.txt", "1")
    clone.write("data.txt", "2")
    clone.write("aux.txt", "3")
    clone.write("a.log", "x")
    clone.write("cache/x", "x")
    os.mkfifo(clone.path / "pipe")
    (clone.path / "empty").mkdir()
    stored = objects(clone)
    done = clone.rvexp("snapshot", "-n", "demo", "--date", "2026-01-02")
    assert done.stdout.splitlines() == [
        "would tag al/roads/2026-01-02/demo: 1 modified, 4 new, 1 deleted",
        "  modified  train.py  1.5 kB",
        "  new       .gitignore  13 B",
        "  new       Data.txt  1 B",
        "  new       aux.txt  1 B",
        "  new       data.txt  1 B",
        "  deleted   gone.txt",
        f"  recorded  lib/  a submodule at {clone.git('rev-parse', 'HEAD:lib')[:12]}; its files are not in the tree",
        "  as HEAD   1 file  outside the sparse checkout",
        "  left out  a.log  ignored by .gitignore:1 (*.log)",
        "  left out  cache/  ignored by .gitignore:2 (cache/)",
        "  left out  pipe  neither a file nor a link",
        "  left out  empty/  an empty folder, which git cannot hold",
        "  note      Data.txt  differs from another name only by case: macOS and Windows keep one of them",
        "  note      aux.txt  is a name that Windows cannot have",
        "  note      data.txt  differs from another name only by case: macOS and Windows keep one of them",
    ], done.stderr
    assert objects(clone) == stored


def test_embedded_files_are_listed(clone: Clone, tmp_path: Path) -> None:
    """With --submodules=embed the files are changes like others."""
    Site(clone, tmp_path).other("third", inside=True)
    lines = clone.rvexp("snapshot", "-n", "demo", "--submodules=embed").stdout.splitlines()
    assert "  new       third/inner.txt  6 B" in lines
    assert "  embedded  third/  the files of a repository inside" in lines


def test_a_submodule_whose_files_stay_out_is_named(clone: Clone, tmp_path: Path) -> None:
    """It is clean and no row of `git status`, and its code is in no run; with its files taken along nothing is said."""
    Site(clone, tmp_path).submodule()
    told = clone.rvexp("snapshot", "one").stderr
    assert "warning: the files of submodules are not in the snapshot" in told
    assert "  lib/\n" in told
    assert "git rvexp snapshot --submodules embed" in told
    assert "the files of submodules" not in clone.rvexp("snapshot", "two", "--submodules", "embed").stderr


@pytest.mark.parametrize(
    ("copy", "named"),
    [
        ("COPY weights.bin /w/", ["weights.bin"]),
        ("COPY data /data", ["data/big.csv"]),
        ("COPY --from=base weights.bin /w/", []),
        ("COPY . /src", []),
        ("ADD nothing.txt /x/", []),
    ],
)
def test_ignored_files_that_the_dockerfile_copies_are_named(clone: Clone, copy: str, named: list[str]) -> None:
    """Those it names; what a copy of everything leaves out is in the list of -n."""
    clone.write(".gitignore", "*.bin\n*.csv\n")
    clone.write("weights.bin", "x")
    clone.write("data/big.csv", "x")
    clone.write("data/small.txt", "x")
    clone.write("other/more.csv", "x")
    clone.write("Dockerfile", f"FROM base\n{copy}\n")
    done = clone.rvexp("snapshot", "demo")
    assert done.returncode == 0, done.stderr
    warned = "the Dockerfile copies what git ignores" in done.stderr
    assert (warned, [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")]) == (
        bool(named),
        named,
    )


def test_names_that_are_no_utf8_are_noted(clone: Clone) -> None:
    """They are captured; other systems may not take them."""
    Path(os.fsdecode(os.fsencode(clone.path) + b"/caf\xe9.txt")).write_text("latin\n")
    assert "is not UTF-8" in clone.rvexp("snapshot", "-n", "demo").stdout
