"""The documents that only a run prints, held against their schemas (which `Clone.rvexp` does)."""

import json
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import Stack, make_digits

CHAIN = """
[[step]]
name = "one"
command = ["true"]

[[step]]
name = "two"
command = ["true"]
after = ["one"]
"""


@pytest.fixture
def digits(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """The example with a snapshot."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = make_digits(stack, tmp_path / "digits")
    clone.write("two.toml", CHAIN)
    clone.rvexp("snapshot", "first")
    return clone


def schema(clone: Clone, *words: str) -> str:
    """The name of the schema of what a command printed; the document was checked."""
    done = clone.rvexp(*words)
    assert done.returncode in (0, 3), done.stderr
    return str(json.JSONDecoder().raw_decode(done.stdout)[0]["schema"])


def test_runs_plans_repeats_and_chains(digits: Clone) -> None:
    """One of each, as the engine really ran them."""
    assert schema(digits, "submit", "--wait", "--json", "first", "--", "true") == "rvexp.run/1"
    assert schema(digits, "submit", "--dry-run", "first", "--", "true") == "rvexp.plan/1"
    assert schema(digits, "repeat", "first", "--json") == "rvexp.run/1"
    assert schema(digits, "repeat", "first", "--wait", "--json") == "rvexp.repeat/1"
    assert schema(digits, "chain", "two.toml", "first", "--dry-run", "--json") == "rvexp.chain/1"
    assert schema(digits, "chain", "two.toml", "first", "--wait", "--json") == "rvexp.chain/1"
    assert schema(digits, "status", "--json") == "rvexp.status/1"
    assert schema(digits, "show", "first", "--json") == "rvexp.show/1"
