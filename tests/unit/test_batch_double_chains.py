"""Jobs of the Batch double that hang together: parents, arrays, and being stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.doubles.driving import (
    describe,
    refused,
    submit,
)

if TYPE_CHECKING:
    from tests.doubles.batch import BatchDouble

pytest_plugins = ["tests.doubles.fixtures"]

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("exit_code", "child_status", "grandchild_status"), [(0, "RUNNABLE", "PENDING"), (1, "FAILED", "FAILED")]
)
def test_a_child_waits_for_its_parent_and_shares_its_failure(
    double: BatchDouble, batch: Any, exit_code: int, child_status: str, grandchild_status: str
) -> None:
    """PENDING until the parent ends; RUNNABLE on success, FAILED otherwise, all down the chain."""
    parent = submit(batch, "parent")
    child = submit(batch, "child", dependsOn=[{"jobId": parent}])
    grandchild = submit(batch, "grandchild", dependsOn=[{"jobId": child}])
    assert describe(batch, child)["status"] == "PENDING"
    with pytest.raises(ValueError, match="still waits"):
        double.advance(child, "RUNNING")
    double.run_to_end(parent, exit_code)
    assert describe(batch, child)["status"] == child_status
    assert describe(batch, grandchild)["status"] == grandchild_status


def test_a_job_that_depends_on_a_failure_says_so(double: BatchDouble, batch: Any) -> None:
    """Whether the parent fails later or had failed before the submit."""
    parent = submit(batch, "parent")
    child = submit(batch, "child", dependsOn=[{"jobId": parent}])
    double.run_to_end(parent, exit_code=1)
    late = submit(batch, "late", dependsOn=[{"jobId": parent}])
    for job in (child, late):
        assert describe(batch, job)["statusReason"] == "Dependent Job failed"


def test_an_array_parent_follows_its_children(double: BatchDouble, batch: Any) -> None:
    """PENDING while they run, FAILED when one of them failed, and each child knows its index."""
    parent = submit(batch, arrayProperties={"size": 3})
    double.advance(f"{parent}:1", "RUNNING")
    job = describe(batch, parent)
    assert (job["status"], job["arrayProperties"]["size"]) == ("PENDING", 3)
    assert job["arrayProperties"]["statusSummary"]["RUNNING"] == 1
    assert describe(batch, f"{parent}:1")["arrayProperties"] == {"index": 1}
    double.run_to_end(f"{parent}:1", exit_code=1)
    double.run_to_end(parent)
    job = describe(batch, parent)
    assert (job["status"], job["statusReason"]) == ("FAILED", "Array Child Job failed")
    assert {key: value for key, value in job["arrayProperties"]["statusSummary"].items() if value} == {
        "SUCCEEDED": 2,
        "FAILED": 1,
    }
    good = submit(batch, arrayProperties={"size": 2})
    double.run_to_end(good)
    assert describe(batch, good)["status"] == "SUCCEEDED"


def test_array_dependencies_by_index_and_in_sequence(double: BatchDouble, batch: Any) -> None:
    """N_TO_N waits for the same index, SEQUENTIAL for the one before, a plain one for the whole array."""
    first = submit(batch, arrayProperties={"size": 3})
    same = submit(batch, arrayProperties={"size": 3}, dependsOn=[{"jobId": first, "type": "N_TO_N"}])
    line = submit(batch, arrayProperties={"size": 3}, dependsOn=[{"type": "SEQUENTIAL"}])
    whole = submit(batch, dependsOn=[{"jobId": first}])
    double.run_to_end(f"{first}:1")
    assert [double.jobs[f"{same}:{n}"].status for n in range(3)] == ["PENDING", "RUNNABLE", "PENDING"]
    double.run_to_end(f"{line}:0", exit_code=1)
    assert [double.jobs[f"{line}:{n}"].status for n in range(3)] == ["FAILED", "FAILED", "FAILED"]
    assert double.jobs[whole].status == "PENDING"
    double.run_to_end(first)
    assert double.jobs[whole].status == "RUNNABLE"
    request = {"jobName": "a", "jobQueue": "main", "jobDefinition": "train", "arrayProperties": {"size": 2}}
    assert "same size" in refused(batch.submit_job, **request, dependsOn=[{"jobId": first, "type": "N_TO_N"}])


def test_the_largest_array_can_fail_in_sequence(double: BatchDouble, batch: Any) -> None:
    """Ten thousand children fall one after the other without exhausting the double."""
    parent = submit(batch, arrayProperties={"size": 10_000}, dependsOn=[{"type": "SEQUENTIAL"}])
    double.run_to_end(f"{parent}:0", exit_code=1)
    assert describe(batch, parent)["arrayProperties"]["statusSummary"]["FAILED"] == 10_000


def test_cancel_ends_what_waits_and_leaves_what_runs(double: BatchDouble, batch: Any) -> None:
    """CancelJob succeeds on a running job and does nothing; a job that waits for others ends after them."""
    waiting, running = submit(batch, "waiting"), submit(batch, "running")
    child = submit(batch, "child", dependsOn=[{"jobId": running}])
    double.advance(running, "RUNNING")
    for job in (waiting, running, child):
        batch.cancel_job(jobId=job, reason="enough")
    found = describe(batch, waiting)
    assert (found["status"], found["statusReason"], found["isCancelled"]) == ("FAILED", "enough", True)
    assert describe(batch, running)["status"] == "RUNNING"
    assert describe(batch, child)["status"] == "PENDING"
    double.run_to_end(running)
    assert describe(batch, child)["statusReason"] == "enough"


def test_terminate_ends_a_running_job_without_a_retry(double: BatchDouble, batch: Any) -> None:
    """The reason is kept, and an array is stopped with all its children."""
    job_id = submit(batch, retryStrategy={"attempts": 5})
    array = submit(batch, arrayProperties={"size": 2})
    for job in (job_id, f"{array}:0"):
        double.advance(job, "RUNNING")
    for job in (job_id, array):
        batch.terminate_job(jobId=job, reason="enough")
    found = describe(batch, job_id)
    assert (found["status"], found["statusReason"], found["isTerminated"]) == ("FAILED", "enough", True)
    assert (len(found["attempts"]), found["container"]["exitCode"]) == (1, 137)
    assert [double.jobs[f"{array}:{n}"].status for n in range(2)] == ["FAILED", "FAILED"]
    assert describe(batch, array)["status"] == "FAILED"


def test_a_terminated_job_may_take_its_time(double: BatchDouble, batch: Any) -> None:
    """Marked but RUNNING until its container has gone."""
    double.services.stop_at_once = False
    job = submit(batch)
    double.advance(job, "RUNNING")
    batch.terminate_job(jobId=job, reason="enough")
    found = describe(batch, job)
    assert (found["status"], found["isTerminated"]) == ("RUNNING", True)
    double.advance(job, "FAILED", exit_code=143)
    assert (describe(batch, job)["status"], describe(batch, job)["statusReason"]) == ("FAILED", "enough")


def test_stopping_checks_its_arguments(batch: Any) -> None:
    """The job must be there and the reason short enough; stopping an ended job is no error."""
    job = submit(batch)
    batch.terminate_job(jobId=job, reason="r" * 1024)
    batch.terminate_job(jobId=job, reason="again")
    for call in (batch.terminate_job, batch.cancel_job):
        assert "1024" in refused(call, jobId=job, reason="r" * 1025)
        assert "does not exist" in refused(call, jobId="gone", reason="r")
    assert describe(batch, job)["statusReason"] == "r" * 1024
