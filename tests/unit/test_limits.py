"""Batch's limits: the last value that passes, the first that does not, and the measured size in the message."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from git_rvexp.errors import UsageError
from git_rvexp.executors import limits
from git_rvexp.model import Plan
from git_rvexp.names import RunId

if TYPE_CHECKING:
    from tests.conftest import Clone

PLAN = Plan(RunId("k3v9q2k3v9"), "batch", "rvexp-k3v9q2k3v9-first", "r@sha256:" + "a" * 64, ("python", "train.py"))


def refused(**changes: Any) -> str:
    """What is said to a plan with these changes."""
    with pytest.raises(UsageError) as caught:
        limits.check_plan(dataclasses.replace(PLAN, **changes))
    return str(caught.value)


def test_an_ordinary_plan_passes() -> None:
    """And so do all the limits themselves."""
    limits.check_plan(PLAN)
    limits.check_plan(
        dataclasses.replace(PLAN, job_name="a" * 128, array=10_000, attempts=10, timeout=60, after=("j",) * 20)
    )
    limits.check_plan(dataclasses.replace(PLAN, job_name="a", array=2, env={"A": "", "MY_AWS_BATCH": "1"}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"job_name": "a" * 129}, "does not fit Batch"),
        ({"job_name": "-a"}, "does not fit Batch"),
        ({"job_name": "a.b"}, "does not fit Batch"),
        ({"job_name": "Upper"}, "does not fit Batch"),
        ({"job_name": "a\n"}, "does not fit Batch"),
        ({"command": ()}, "no command"),
        ({"command": ("python", "")}, "word 2 of the command is empty"),
        ({"env": {"AWS_BATCH_JOB_ID": "1"}}, "AWS_BATCH_JOB_ID cannot be set"),
        ({"env": {"A=B": "1"}}, "'A=B' cannot be the name"),
        ({"env": {"": "1"}}, "'' cannot be the name"),
        ({"array": 1}, "not 1"),
        ({"array": 10_001}, "not 10,001"),
        ({"attempts": 0}, "not 0"),
        ({"attempts": 11}, "not 11"),
        ({"timeout": 59}, "not 59"),
        ({"after": ("j",) * 21}, "not 21"),
    ],
)
def test_a_plan_beyond_a_limit_is_refused_with_the_measure(changes: dict[str, Any], says: str) -> None:
    """One step past each limit."""
    assert says in refused(**changes)


@pytest.mark.parametrize("member", ["containerOverrides", "ecsPropertiesOverride", "eksPropertiesOverride"])
def test_overrides_are_measured_as_json_characters(member: str) -> None:
    """Batch would accept the job and then fail it."""
    room = limits.OVERRIDES_CHARACTERS - len(json.dumps({"command": [""]}, separators=(",", ":")))
    # Characters, not bytes: an é takes two of them.
    limits.check_request({member: {"command": ["é" + "e" * (room - 1)]}})
    with pytest.raises(UsageError, match=r"take 8,193 characters"):
        limits.check_request({member: {"command": ["é" + "e" * room]}})


def test_a_request_is_measured_in_bytes() -> None:
    """Everything counts, not only the overrides."""
    room = limits.REQUEST_BYTES - 1 - len(json.dumps({"jobName": ""}))
    limits.check_request({"jobName": "a" * room})
    with pytest.raises(UsageError, match=r"takes 30,720 bytes; it must be below 30,720"):
        limits.check_request({"jobName": "a" * (room + 1)})


def test_tags_are_counted_and_measured() -> None:
    """Fifty of them, keys of 128, values of 256, none of AWS's own."""
    limits.check_request({"tags": {f"{i:0128}": "v" * 256 for i in range(50)}})
    for tags, says in (
        ({str(i): "" for i in range(51)}, "51 tags"),
        ({"k" * 129: ""}, "key of 129"),
        ({"k": "v" * 257}, "value of 257"),
        ({"AWS:x": "1"}, "belongs to AWS"),
    ):
        with pytest.raises(UsageError, match=says):
            limits.check_request({"tags": tags})


def test_a_definition_is_measured_with_its_name() -> None:
    """24 KiB and not one byte more."""
    room = limits.DEFINITION_BYTES - len(json.dumps({"jobDefinitionName": "n", "type": ""}))
    limits.check_definition("n", {"type": "x" * room}, [])
    with pytest.raises(UsageError, match="takes 24,577 bytes"):
        limits.check_definition("n", {"type": "x" * (room + 1)}, [])


@pytest.mark.parametrize("name", ["", "a/b", "a.b", "a" * 129, "é"])
def test_names_of_definitions_outside_the_grammar_are_refused(name: str) -> None:
    """Letters, digits, hyphens and underscores, 1 to 128 of them."""
    with pytest.raises(UsageError, match="cannot name a job definition"):
        limits.check_definition(name, {}, [])


def test_an_image_reference_has_255_characters_at_most() -> None:
    """A deep repository path with a digest can reach that."""
    limits.check_definition("n", {}, ["r" * 255])
    with pytest.raises(UsageError, match="has 256 characters"):
        limits.check_definition("n", {}, ["r" * 256])


def test_options_that_only_batch_has_are_told_on_docker(clone: Clone) -> None:
    """By name, in one warning; on Batch they mean something, and what is only configured is for both."""
    assert clone.rvexp("snapshot", "one").returncode == 0
    given = ("--attempts", "5", "--share", "x", "--priority", "0", "--job-tag", "a=b", "--queue", "q")
    told = "warning: --queue, --share, --priority, --job-tag, --attempts mean nothing on docker"
    done = clone.rvexp("submit", "one", "-n", "--executor", "docker", *given, "--", "true")
    assert told in done.stderr
    assert "warning: --share means" in clone.rvexp("submit", "one", "-n", "--share", "x", "--", "true").stderr
    assert "warning" not in clone.rvexp("submit", "one", "-n", *given, "--", "true").stderr  # a queue is Batch's
    usual = clone.rvexp("submit", "one", "-n", "--", "true", env={"RVEXP_JOB_SHARE": "x", "RVEXP_JOB_ATTEMPTS": "3"})
    assert "warning" not in usual.stderr


@pytest.mark.parametrize("size", ["0", "1", "-1", "10001"])
def test_an_array_that_is_none(clone: Clone, size: str) -> None:
    """The same words for each, before anything else is looked at."""
    done = clone.rvexp("submit", "--array", size, "--", "true")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: an array has 2 to 10,000 jobs, not {int(size):,}\nhint: leave --array out")
