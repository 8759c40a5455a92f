"""Repeating a plan that a hostile colleague wrote: our secrets and our money go where we say, or nowhere."""

import dataclasses
import os

import pytest

from git_rvexp.errors import UsageError
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Plan
from git_rvexp.names import RunId
from git_rvexp.settings import Settings
from git_rvexp.workflow.repeating import borrowed
from tests.conftest import Clone

IMAGE = "registry.example/experiments@sha256:" + "a" * 64
SETTINGS = Settings(ecr_repo="registry.example/experiments", batch_queue="gpu")
PLAN = Plan(RunId("k3v9q2abcd"), "batch", "rvexp-k3v9q2abcd-x", IMAGE, ("true",), queue="gpu")


def check(clone: Clone, plan: Plan, executor: str = "batch", **given: object) -> None:
    """As `repeat` does."""
    repo = Repo.discover(clone.path, os.environ)
    words = {"secrets": (), "queue": "", "trusted": False} | given
    borrowed.check(repo, SETTINGS, plan, executor, **words)  # type: ignore[arg-type]


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
