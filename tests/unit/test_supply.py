"""What the package is made from: pinned, hashed, in step with pyproject.toml, and named without places."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WANTED = {
    "runtime": PROJECT["dependencies"],
    "dev": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
}


def locked(name: str) -> dict[str, tuple[int, ...]]:
    """The packages of a lock and their versions as numbers."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pairs = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([0-9.]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", n).lower(): _numbers(v) for n, v in pairs}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)


@pytest.mark.parametrize("name", WANTED)
def test_the_locks_hold_what_pyproject_asks_for(name: str) -> None:
    """At a version that is new enough; `dev/supply lock` mends it."""
    there = locked(name)
    for wanted in WANTED[name]:
        found = re.fullmatch(r"([A-Za-z0-9_-]+)(?:\[[^]]*\])?>=([0-9.]+)", wanted)
        assert found, f"{wanted}: a floor, and nothing else"
        package = re.sub(r"[-_.]+", "-", found[1]).lower()
        assert there.get(package, ()) >= _numbers(found[2]), f"{wanted}: dev/supply lock"


def test_the_lock_names_the_extras_that_are_wanted() -> None:
    """A dependency on `coverage[toml]` is no pin of it to pip before 23.3 when the lock says `coverage` alone."""
    extras = set(re.findall(r"^([A-Za-z0-9_.-]+)\[", (ROOT / "requirements" / "dev.txt").read_text(), re.MULTILINE))
    wanted = {found[1] for each in WANTED["dev"] if (found := re.match(r"([A-Za-z0-9_.-]+)\[", each))}
    assert "coverage" in wanted
    assert wanted <= extras


@pytest.mark.parametrize("name", WANTED)
def test_every_package_has_hashes_and_no_place(name: str) -> None:
    """Where packages come from is each machine's own configuration."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "index" not in "".join(line for line in text.splitlines() if line.startswith("-"))


def test_actions_of_others_are_pinned_by_their_commit() -> None:
    """A tag can be moved; a commit cannot."""
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        for used in re.findall(r"uses:\s*(\S+)", path.read_text()):
            assert re.search(r"@[0-9a-f]{40}$", used), used
