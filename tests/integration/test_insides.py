"""`git rvexp diff --packages` between two images of a real engine."""

import json
import uuid
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import Stack

STATUS = "Package: {name}\\nStatus: install ok installed\\nVersion: {version}\\n"


@pytest.fixture
def two(clone: Clone, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Two snapshots whose images differ in a variable, a package's version and one more package."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    for nickname, variable, lists in (("one", "a", [("libx", "1")]), ("two", "b", [("libx", "2"), ("liby", "1")])):
        text = "\\n".join(STATUS.format(name=name, version=version) for name, version in lists)
        made = f"mkdir -p /var/lib/dpkg && printf '{text}' > /var/lib/dpkg/status"
        clone.write("Dockerfile", f"FROM {stack.tiny_image}\nENV MODE={variable} SAME=x\nRUN {made}\n")
        clone.write("unique.txt", uuid.uuid4().hex)
        for words in (["snapshot", nickname], ["build", nickname]):
            done = clone.rvexp(*words)
            assert done.returncode == 0, done.stderr
    return clone


def test_what_differs_inside_is_told_when_it_is_asked_for(two: Clone) -> None:
    """Variables, layers and packages; nothing that is the same, and nothing of it without the flag."""
    done = two.rvexp("diff", "one", "two", "--packages", "--json")
    assert done.returncode == 0, done.stderr
    changes = {c["what"]: (c["a"], c["b"]) for c in json.loads(done.stdout)["changes"]}
    assert changes["image env MODE"] == ("a", "b")
    assert changes["package deb libx"] == ("1", "2")
    assert changes["package deb liby"] == (None, "1")
    assert "image env SAME" not in changes
    assert all(len(side) >= 1 for side in changes["image layers of its own"])
    assert "package" not in two.rvexp("diff", "one", "two").stdout


def test_an_image_that_is_not_here_is_said(two: Clone, stack: Stack) -> None:
    """No pull, no guess: an error that names the snapshot."""
    two.write("unique.txt", "never built")
    two.rvexp("snapshot", "three")
    done = two.rvexp("diff", "one", "three", "--packages")
    assert (done.returncode, done.stdout) == (1, "")
    assert "three has no image" in done.stderr
