"""The Batch double as pytest fixtures; a test module takes them with `pytest_plugins = ["tests.doubles.fixtures"]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.doubles.batch import BatchDouble
from tests.doubles.driving import Clock, client
from tests.notebook import Notebook, told_by_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_rvexp.model import Snapshot
    from tests.conftest import Clone


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def double(clock: Clock) -> Iterator[BatchDouble]:
    """A double with an enabled queue `main`."""
    with BatchDouble(clock=clock) as made:
        made.add_queue("main")
        yield made


@pytest.fixture
def batch(double: BatchDouble) -> Any:
    return client(double)


@pytest.fixture
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that the double takes, and reads that give up at the first failure."""
    for name, value in {"ACCESS_KEY_ID": "testing", "SECRET_ACCESS_KEY": "testing", "MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture
def book(clone: Clone, double: BatchDouble, aws_credentials: None) -> Notebook:
    """A clone configured for the double."""
    return told_by_settings(clone, double.url)


@pytest.fixture
def snapshot(book: Notebook) -> Snapshot:
    """Its one snapshot."""
    return book.snapshot("al/roads/2026-11-01/first")
