"""A real server and a fault proxy before it, for `pytest_plugins = ["tests.faults.fixtures"]`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.faults.origin import Handler, Origin, Server
from tests.faults.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A real HTTP server on a free port."""
    server = Server(("127.0.0.1", 0), Handler)
    server.origin = made = Origin(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.gate.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(origin: Origin) -> Iterator[FaultProxy]:
    """A proxy without rules in front of it."""
    with FaultProxy(origin.url) as made:
        yield made
