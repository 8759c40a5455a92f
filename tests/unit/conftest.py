"""Fixtures that several unit tests start from."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import gallery
from tests.conftest import Clone
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import client, register
from tests.gallery import Shown
from tests.lab import Lab


@pytest.fixture
def lab(new_clone: Callable[[str], Clone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A snapshot in two clones, an empty queue."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    one, remote, two = new_clone("roads"), tmp_path / "experiments.git", Clone(tmp_path / "two")
    one.git("init", "-q", "--bare", str(remote))
    one.git("clone", "-q", str(one.path), str(two.path))
    for clone in (one, two):
        clone.git("config", "rvexp.experimentsRemote", str(remote))
    assert one.rvexp("snapshot", "demo").returncode == 0
    assert two.rvexp("sync").returncode == 0
    with BatchDouble() as double:
        double.add_queue("main")
        yield Lab(one, two, remote, double, register(client(double)))


@pytest.fixture
def shown(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The gallery in a clone with an experiments remote; written once, then copied."""
    return gallery.copied(clone, tmp_path_factory.getbasetemp() / "gallery")
