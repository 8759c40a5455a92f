"""Shapes that real repositories have: how each is made, and what a snapshot of it must do (docs/snapshots.md)."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import Clone


@dataclass(frozen=True)
class Site:
    """Where a shape is made: the clone to snapshot, and a folder beside it."""

    clone: Clone
    beside: Path

    def other(self, name: str, *, inside: bool = False) -> Clone:
        """Another repository with one commit, beside the clone or in it."""
        made = Clone((self.clone.path if inside else self.beside) / name)
        made.path.mkdir(parents=True)
        made.git("init", "-q")
        made.write("inner.txt", "inner\n")
        made.commit()
        return made

    def submodule(self, path: str = "lib") -> Clone:
        """A submodule at `path`, committed and pushed."""
        home = self.other(f"{path}-home")
        self.clone.git("submodule", "--quiet", "add", str(home.path), path)
        self.clone.commit("submodule")
        return Clone(self.clone.path / path)

    def elsewhere(self, *options: str) -> None:
        """Make the clone a clone of what it was, by `git clone` with these options."""
        origin = self.beside / "origin.git"
        self.clone.git("clone", "-q", "--bare", str(self.clone.path), str(origin))
        self.clone.git(f"--git-dir={origin}", "config", "uploadpack.allowFilter", "true")
        subprocess.run(["rm", "-rf", str(self.clone.path)], check=True)
        self.clone.path.mkdir()
        self.clone.git("clone", "-q", *options, f"file://{origin}", ".")


Make = Callable[[Site], None]


@dataclass(frozen=True)
class Shape:
    """`outcome` begins with "captured" or "refused" and is the table's second column, after `title`.

    `holds` are paths of the snapshot and what stands there (None: nothing may); `says` what stderr must hold.
    """

    title: str
    outcome: str
    make: Make
    holds: Mapping[str, str | bytes | None] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    args: tuple[str, ...] = ()

    @property
    def captured(self) -> bool:
        """Whether there is a snapshot afterwards."""
        return self.outcome.startswith("captured")


def content(clone: Clone, tag: str, path: str) -> bytes | None:
    """What stands at `path` of a snapshot, read by plain git."""
    done = subprocess.run(
        ["git", "cat-file", "blob", f"{tag}:{path}"], cwd=clone.path, capture_output=True, check=False
    )
    return done.stdout if done.returncode == 0 else None


def objects(clone: Clone) -> set[str]:
    """Every object of the clone's own store."""
    store = Path(clone.git("rev-parse", "--path-format=absolute", "--git-common-dir")) / "objects"
    return {str(p.relative_to(store)) for p in store.rglob("*") if p.is_file()}


def prove(shape: Shape, site: Site) -> None:
    """Make the shape, snapshot it, and hold the outcome against what the table says."""
    clone = site.clone
    shape.make(site)
    before, stored = clone.git("status", "--porcelain=v2", "-uall"), objects(clone)
    done = clone.rvexp("snapshot", "shape", *shape.args)
    assert clone.git("status", "--porcelain=v2", "-uall") == before, "the work tree or the index was touched"
    for text in shape.says:
        assert text in done.stderr, done.stderr
    if not shape.captured:
        assert (done.returncode, done.stdout, clone.git("tag")) == (1, "", ""), done.stderr
        assert "hint: " in done.stderr
        assert objects(clone) == stored, "what was refused left objects behind"
        return
    assert done.returncode == 0, done.stderr
    tag = done.stdout.strip()
    for path, wanted in shape.holds.items():
        assert content(clone, tag, path) == (wanted.encode() if isinstance(wanted, str) else wanted), path
    assert clone.git("fsck", "--strict", "--no-dangling", "--connectivity-only") == ""
