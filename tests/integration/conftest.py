"""Fixtures over the development stack. A part that is missing fails the tests that need it; nothing is skipped."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.parts import (
    BatchWorld,
    ForgeRepo,
    Stack,
    StackMissingError,
    dev_stack,
    find_stack,
    make_batch_world,
    make_forge_repo,
)

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as `integration`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


def _unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The running development stack; brought up when it is down."""
    try:
        return find_stack()
    except StackMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def readers() -> str:
    """The Python that has other people's readers of what we write; made when it is missing."""
    try:
        return dev_stack("readers").strip()
    except StackMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def newest_git() -> str:
    """The folder, to stand first on PATH, of the newest git of Debian; brought when it is missing."""
    try:
        return dev_stack("git").strip()
    except StackMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def buildx() -> str:
    """The newest buildx of Debian, a plugin for the docker command; brought when it is missing."""
    try:
        return dev_stack("buildx").strip()
    except StackMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def pythons() -> list[str]:
    """A Python of each supported version that can be had here; those that are missing are brought."""
    try:
        return dev_stack("pythons").split("\n")[:-1]
    except StackMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def forge_repo(stack: Stack) -> Callable[[], ForgeRepo]:
    """Makes a new bare repository on the forge at each call."""
    return lambda: make_forge_repo(stack, _unique("exp"))


@pytest.fixture
def batch_world(stack: Stack) -> BatchWorld:
    """A queue and a base job definition in Batch of this test's own."""
    return make_batch_world(_unique("world"))


@pytest.fixture
def registry_repo(stack: Stack) -> str:
    """A repository of this test's own in the open registry: localhost:PORT/name."""
    return f"{stack.registry}/{_unique('images')}"
