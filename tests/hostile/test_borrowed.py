"""Repeating a plan that a hostile colleague wrote: our secrets and our money go where we say, or nowhere."""

import dataclasses
import os
from typing import Any

import pytest

from git_rvexp.config import Config
from git_rvexp.errors import UsageError
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Plan
from git_rvexp.names import RunId
from git_rvexp.record.ledger import Ledger
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating import borrowed, roles
from git_rvexp.workflow.repeating.borrowed import Leave
from tests.conftest import Clone
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import CONTAINER, register

pytest_plugins = ["tests.doubles.fixtures"]

IMAGE = "registry.example/experiments@sha256:" + "a" * 64
SETTINGS = Settings(ecr_repo="registry.example/experiments", batch_queue="gpu")
PLAN = Plan(RunId("k3v9q2abcd"), "batch", "rvexp-k3v9q2abcd-x", IMAGE, ("true",), queue="gpu")


def check(clone: Clone, plan: Plan, executor: str = "batch", **given: object) -> None:
    """As `repeat` does."""
    repo = Repo.discover(clone.path, os.environ)
    leave = Leave(**given)  # type: ignore[arg-type]
    borrowed.check(repo, SETTINGS, plan, executor, leave, again="git rvexp repeat RUN")


def test_a_plan_that_goes_where_the_settings_do_needs_no_word(clone: Clone) -> None:
    """A colleague with the same settings file is repeated as ever."""
    check(clone, PLAN)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"image": "evil.example/x@sha256:" + "a" * 64}, "image evil.example/x@"),
        ({"image": "registry.example/experiments.evil.example/x@sha256:" + "a" * 64}, "image registry"),
        ({"queue": "expensive"}, "queue expensive   (batch_queue: gpu)"),
    ],
)
def test_a_plan_that_goes_elsewhere_is_shown_and_refused(clone: Clone, change: dict[str, str], told: str) -> None:
    """Until the user stands by it."""
    plan = dataclasses.replace(PLAN, **change)  # type: ignore[arg-type]
    with pytest.raises(UsageError) as caught:
        check(clone, plan)
    assert told in str(caught.value)
    assert "--trust-record" in str(caught.value.hint)
    check(clone, plan, trusted=True)


def test_a_queue_of_my_own_choice_is_no_question(clone: Clone) -> None:
    """And on an engine there is no queue."""
    plan = dataclasses.replace(PLAN, queue="theirs")
    check(clone, plan, queue="mine")
    check(clone, plan, "docker")


def test_secrets_go_only_where_each_is_named(clone: Clone) -> None:
    """A plan may ask for any variable of the environment: none is handed over unasked, not even with trust."""
    plan = dataclasses.replace(PLAN, executor="docker", secret_env=("AWS_SECRET_ACCESS_KEY", "TOKEN"))
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY, TOKEN"):
        check(clone, plan, "docker", trusted=True)
    with pytest.raises(UsageError, match="asks for variables of yours: AWS_SECRET_ACCESS_KEY\n"):
        check(clone, plan, "docker", secrets=("TOKEN",))
    check(clone, plan, "docker", secrets=("TOKEN", "AWS_SECRET_ACCESS_KEY"))


def test_what_this_clone_planned_is_ours_until_a_word_of_it_changes(clone: Clone) -> None:
    """A line forged under our run's id is not ours."""
    plan = dataclasses.replace(PLAN, executor="docker", queue="old", secret_env=("TOKEN",))
    borrowed.remember(Repo.discover(clone.path, os.environ), plan)
    check(clone, plan, "docker")
    check(clone, Plan.from_fields(plan.fields()), "docker")
    for change in ({"command": ("sh", "-c", "env")}, {"image": "x@sha256:" + "b" * 64}, {"secret_env": ("AWS",)}):
        with pytest.raises(UsageError):
            check(clone, dataclasses.replace(plan, **change), "docker")


MINE, ADMIN = (f"arn:aws:iam::123456789012:role/{name}" for name in ("jobs", "admin"))
BODIES: list[Any] = [
    {"containerProperties": {"jobRoleArn": ADMIN}},
    {"containerProperties": {"executionRoleArn": ADMIN}},
    {"ecsProperties": {"taskProperties": [{"taskRoleArn": ADMIN}]}},
    {"eksProperties": {"podProperties": {"serviceAccountName": ADMIN}}},
    {"nodeProperties": {"nodeRangeProperties": [{"container": {"jobRoleArn": role}} for role in (MINE, ADMIN)]}},
]


def check_roles(clone: Clone, settings: Settings, plan: Plan, now: Any, then: Any = None) -> list[str]:
    """As `repeat` does; what was warned of."""
    warned: list[str] = []
    repo = Repo.discover(clone.path, os.environ)
    context = Context(repo, Config(settings), Ledger(repo), os.environ, warned.append, warned.append)
    roles.check(context, settings, plan, now, now if then is None else then, again="git rvexp repeat RUN")
    return warned


@pytest.mark.parametrize("body", BODIES, ids=lambda body: next(iter(body)))
def test_a_role_that_only_the_record_names_is_refused(clone: Clone, body: Any) -> None:
    """In any shape of a definition, recorded as such or not; a run of this clone's own may have it."""
    settings = dataclasses.replace(SETTINGS, job_role_arn=MINE)
    recorded: list[Any] = [body, {}]
    for then in recorded:
        with pytest.raises(UsageError, match="role/admin") as caught:
            check_roles(clone, settings, PLAN, body, then)
        assert "role/jobs" not in str(caught.value)
        assert "--trust-record" in str(caught.value.hint)
    borrowed.remember(Repo.discover(clone.path, os.environ), PLAN)
    assert check_roles(clone, settings, PLAN, body) == []


@pytest.mark.usefixtures("aws_credentials")
def test_a_role_of_the_users_own_needs_no_word(clone: Clone, double: BatchDouble, batch: Any) -> None:
    """That of the settings, or of the base definition: as the same name for the same thing only."""
    body = {"containerProperties": {"jobRoleArn": MINE}}
    assert check_roles(clone, dataclasses.replace(SETTINGS, job_role_arn=MINE), PLAN, body) == []
    with pytest.raises(UsageError):
        check_roles(clone, dataclasses.replace(SETTINGS, job_execution_role_arn=MINE), PLAN, body)
    assert check_roles(clone, SETTINGS, PLAN, {"containerProperties": {"image": IMAGE}}) == []
    register(batch, "base", containerProperties={**CONTAINER, "jobRoleArn": MINE})
    reached = {"aws_endpoint_url": double.url, "aws_region": "us-east-1"}
    based = dataclasses.replace(SETTINGS, batch_job_def_name="base", **reached)  # type: ignore[arg-type]
    assert check_roles(clone, based, PLAN, body) == []
    with pytest.raises(UsageError):
        check_roles(clone, based, PLAN, BODIES[0])


def test_another_role_than_the_recorded_one_is_told(clone: Clone) -> None:
    """Even of our own run: the record says one, and the definition has another. Trust is asked for it."""
    settings = dataclasses.replace(SETTINGS, job_role_arn=MINE)
    borrowed.remember(Repo.discover(clone.path, os.environ), PLAN)
    then: Any = {"containerProperties": {"jobRoleArn": ADMIN}}
    warned = check_roles(clone, settings, PLAN, {"containerProperties": {"jobRoleArn": MINE}}, then)
    assert warned == [f"the definition acts under another role than the record has: jobRoleArn {MINE}"]
    with pytest.raises(UsageError, match="role/admin"):
        check_roles(clone, settings, PLAN, then, {"containerProperties": {"jobRoleArn": MINE}})
