"""Calls of the Batch double that go wrong on purpose: what the caller sees, and what was done all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.doubles.driving import (
    client,
    register,
    session,
    wait_until,
)

if TYPE_CHECKING:
    from tests.doubles.batch import BatchDouble

pytest_plugins = ["tests.doubles.fixtures"]

Json = dict[str, Any]


def attempt(batch: Any) -> str:
    """Submit once and say what the caller saw: a job, an AWS error code, or the kind of exception."""
    try:
        reply = batch.submit_job(jobName="a", jobQueue="main", jobDefinition="train")
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except (ConnectionClosedError, ReadTimeoutError) as error:
        return type(error).__name__
    return "job" if "jobId" in reply else "no job id"


@pytest.mark.parametrize(
    ("kind", "seen", "jobs"),
    [
        ("lost_reply", "ConnectionClosedError", 1),
        ("reset_before", "ConnectionClosedError", 0),
        ("500_before", "ServerException", 0),
        ("500_after", "ServerException", 1),
        ("429_before", "TooManyRequestsException", 0),
        ("429_after", "TooManyRequestsException", 1),
        ("client_exception", "ClientException", 0),
        ("access_denied", "AccessDeniedException", 0),
        ("expired_token", "ExpiredTokenException", 0),
        ("held", "ConnectionClosedError", 0),
    ],
)
def test_a_failure_spoils_one_call(double: BatchDouble, batch: Any, kind: str, seen: str, jobs: int) -> None:
    """The caller sees the failure, the jobs tell whether the work was done, and the next call is well again."""
    register(batch)
    double.fail_next("SubmitJob", kind)
    assert (attempt(batch), len(double.jobs)) == (seen, jobs)
    assert (attempt(batch), len(double.jobs)) == ("job", jobs + 1)


@pytest.mark.parametrize("kind", ["garbage_after", "truncated_after"])
def test_a_spoilt_reply_is_unreadable_though_the_work_is_done(double: BatchDouble, batch: Any, kind: str) -> None:
    """Whatever the client makes of such a reply, it has no job id, and there is a job."""
    register(batch)
    double.fail_next("SubmitJob", kind)
    assert attempt(batch) != "job"
    assert len(double.jobs) == 1


def test_a_slow_reply_outlives_the_clients_patience(double: BatchDouble, batch: Any) -> None:
    """The job exists although its caller gave up; a patient caller gets the answer."""
    register(batch)
    double.fail_next("SubmitJob", "slow_after", delay=30)
    assert attempt(client(double, read_timeout=0.5)) == "ReadTimeoutError"
    assert wait_until(lambda: len(double.jobs) == 1)
    double.fail_next("SubmitJob", "slow_after", delay=0.01)
    assert attempt(batch) == "job"


def test_a_held_request_lands_when_it_is_released(double: BatchDouble, batch: Any) -> None:
    """The late landing: nothing is there when the caller looks, and a job appears afterwards."""
    register(batch)
    double.fail_next("SubmitJob", "held")
    assert (attempt(batch), len(double.jobs)) == ("ConnectionClosedError", 0)
    assert (double.release(), len(double.jobs), double.release()) == (1, 1, 0)


def test_failures_are_counted_per_operation(double: BatchDouble, batch: Any) -> None:
    """Other operations are untouched; unknown kinds are a mistake in the test."""
    register(batch)
    double.fail_next("SubmitJob", "500_before", count=2)
    assert batch.describe_jobs(jobs=[])["jobs"] == []
    assert [attempt(batch) for _ in range(3)] == ["ServerException", "ServerException", "job"]
    with pytest.raises(ValueError, match="unknown kind"):
        double.fail_next("SubmitJob", "gremlins")


def test_default_retries_turn_one_lost_reply_into_two_jobs(double: BatchDouble, batch: Any) -> None:
    """Why SubmitJob must be sent with a single attempt."""
    register(batch)
    double.fail_next("SubmitJob", "lost_reply")
    eager = session().client("batch", endpoint_url=double.url, config=Config(retries={"total_max_attempts": 2}))
    assert (attempt(eager), len(double.jobs)) == ("job", 2)
