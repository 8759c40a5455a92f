"""Throttled after the job was made, and the look-up fails too: it is not sent again, and nothing is called refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from git_rvexp.errors import AmbiguousError
from git_rvexp.executors.batch import BatchExecutor
from git_rvexp.workflow.submit import submit
from tests.doubles.batch import BatchDouble
from tests.faults.world import World, stocked


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchDouble]:
    """A Batch with a queue."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with BatchDouble() as made:
        yield made


def handed_over(tmp_path: Path, double: BatchDouble) -> World:
    """A run that was handed over by a snapshot's clone and left ambiguous."""
    world = World.make(tmp_path / "world")
    world.endpoint = double.url
    plan = world.plan(stocked(double))
    assert world.clone.rvexp("snapshot", "demo").returncode == 0
    context = world.context(world.clone)
    executor = BatchExecutor(context.settings, sleep=lambda _seconds: None, read_seconds=2)
    with pytest.raises(AmbiguousError):
        submit(context, world.snapshot(world.clone), plan, executor)
    return world


@pytest.mark.parametrize("look", ["expired_token", "access_denied", "500_before", "truncated_after", "reset_before"])
def test_a_look_up_that_failed_is_no_leave_to_send_again(tmp_path: Path, double: BatchDouble, look: str) -> None:
    """Whether the job was made cannot be told: the run stays open, one call was made, and a sync adopts the job."""
    double.fail_next("SubmitJob", "429_after")
    double.fail_next("ListJobs", look)
    world = handed_over(tmp_path, double)
    assert (len(double.called("SubmitJob")), len(double.jobs)) == (1, 1)
    fresh = world.fresh("fresh")
    for clone in (fresh, world.clone):
        world.sync(clone)
    world.check(double, world.clone, fresh)


def test_a_refusal_of_the_second_try_says_nothing_of_the_first(tmp_path: Path, double: BatchDouble) -> None:
    """Throttled but made, not listed yet, and the second try refused: not refused but open, and adopted later."""
    double.services.visibility_lag_ms = 3_600_000
    double.fail_next("SubmitJob", "429_after")
    double.fail_next("SubmitJob", "client_exception")
    world = handed_over(tmp_path, double)
    assert len(double.jobs) == 1
    double.services.visibility_lag_ms = 0
    fresh = world.fresh("fresh")
    for clone in (fresh, world.clone):
        world.sync(clone)
    world.check(double, world.clone, fresh)
