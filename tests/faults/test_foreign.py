"""Jobs that somebody else put on our definitions: listed, adopted on request, once, whoever asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.batch import BatchDouble
from tests.doubles.driving import client, register
from tests.doubles.driving import submit as submit_job
from tests.faults.world import World, stocked


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchDouble]:
    """A Batch with a queue."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with BatchDouble() as made:
        stocked(made)
        yield made


@pytest.fixture
def world(tmp_path: Path, double: BatchDouble) -> World:
    """A snapshot whose record names a definition of ours, on which there is one job of ours and one foreign."""
    made = World.make(tmp_path / "world")
    made.endpoint = double.url
    assert made.clone.rvexp("snapshot", "demo").returncode == 0
    context, oid = made.context(made.clone), made.snapshot(made.clone).oid
    arn = register(client(double), "al-roads-demo")
    plan = made.plan(arn)
    for kind, fields in (
        ("definition", {"arn": arn, "name": "al-roads-demo", "image": "r/x@sha256:" + "ab" * 32}),
        ("planned", plan.fields()),
    ):
        context.ledger.append(oid, context.ledger.event(kind, fields))
    submit_job(client(double), plan.job_name, jobDefinition=arn)
    made.sync(made.clone)
    return made


def by_hand(double: BatchDouble, name: str = "by-hand", definition: str = "al-roads-demo:1") -> str:
    """A colleague's job, with a secret in its environment."""
    overrides = {"command": ["sleep", "1"], "environment": [{"name": "TOKEN", "value": "hunter2"}]}
    return submit_job(client(double), name, jobDefinition=definition, containerOverrides=overrides)


def test_a_foreign_job_is_listed_and_ours_is_not(world: World, double: BatchDouble) -> None:
    """The job on our definition is told with its name, state and snapshot; nothing is written."""
    job = by_hand(double)
    before = world.clone.git("rev-parse", "refs/notes/rvexp")
    done = world.clone.rvexp("sync", "--foreign", env=world.environ())
    tag = world.snapshot(world.clone).tag
    assert done.stdout == f"foreign\t{job}\tSUBMITTED\tby-hand\t{tag}\n", done.stderr
    assert world.clone.git("rev-parse", "refs/notes/rvexp") == before


def test_another_revision_under_our_name_is_nobodys(world: World, double: BatchDouble) -> None:
    """Somebody registers a revision under our definition's name: ours is pinned, and its jobs are not ours."""
    register(client(double), "al-roads-demo")
    by_hand(double, definition="al-roads-demo:2")
    assert world.clone.rvexp("sync", "--foreign", env=world.environ()).stdout == ""


def test_two_clones_that_adopt_a_job_make_one_record(world: World, double: BatchDouble) -> None:
    """Both write the same lines, so that the merged record names the job once; its environment's values stay out."""
    job = by_hand(double)
    other = world.fresh("other")
    world.sync(other)
    world.experiments.rename(world.experiments.with_name("away.git"))
    for clone in (world.clone, other):
        context, oid = world.context(clone), world.snapshot(clone).oid
        from git_rvexp.workflow import foreign  # noqa: PLC0415

        (one,) = foreign.foreign(context)
        context.ledger.append(oid, *foreign._events(context, one))
    world.experiments.with_name("away.git").rename(world.experiments)
    for clone in (world.clone, other, world.clone):
        world.sync(clone)
    world.check(double, world.clone, other)
    note = world.clone.git("notes", "show", world.snapshot(world.clone).tag)
    assert note.count(job) == 1
    assert "TOKEN" in note
    assert "hunter2" not in note


def test_adopting_from_the_command_line(world: World, double: BatchDouble) -> None:
    """By name or id; the second time, and for a job that is not there, exit 2 with what there is."""
    job = by_hand(double)
    first = world.clone.rvexp("sync", "--adopt", "by-hand", env=world.environ())
    assert first.returncode == 0, first.stderr
    assert first.stdout.endswith("\tadopted by-hand\n")
    assert job in world.recorded(world.clone)
    again = world.clone.rvexp("sync", "--adopt", job, env=world.environ())
    assert again.returncode == 2
    assert "is no foreign job" in again.stderr
    fresh = world.fresh("fresh")
    world.sync(fresh)
    world.check(double, world.clone, fresh)


def test_denied_listing_is_not_none(world: World, double: BatchDouble) -> None:
    """A list that AWS denies is told, and never taken for empty."""
    by_hand(double)
    double.fail_next("ListJobs", "access_denied", count=9)
    done = world.clone.rvexp("sync", "--foreign", env=world.environ())
    assert "denies it to these credentials" in done.stderr
