"""How a job of the Batch double lives and how it is described: overrides, attempts, retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.doubles.driving import (
    CONTAINER,
    IMAGE,
    NOW,
    SPOT_RULES,
    Clock,
    describe,
    refused,
    register,
    submit,
)

if TYPE_CHECKING:
    from tests.doubles.batch import BatchDouble

pytest_plugins = ["tests.doubles.fixtures"]

Json = dict[str, Any]


def test_describe_answers_for_known_ids_only_and_for_at_most_a_hundred(batch: Any) -> None:
    """An empty list asks for nothing; unknown ids are left out without an error."""
    job = submit(batch)
    assert [found["jobId"] for found in batch.describe_jobs(jobs=["gone", job])["jobs"]] == [job]
    assert batch.describe_jobs(jobs=[])["jobs"] == []
    assert batch.describe_jobs(jobs=["x"] * 100)["jobs"] == []
    assert "100" in refused(batch.describe_jobs, jobs=["x"] * 101)


def test_a_job_is_described_with_its_overrides_applied(batch: Any) -> None:
    """Command replaced, environment merged by name, image and ids as they were asked for."""
    overrides = {"command": ["sh"], "environment": [{"name": "SEED", "value": "2"}]}
    job = describe(batch, submit(batch, containerOverrides=overrides, tags={"rvexp:run": "k3v9q2"}))
    assert job["container"]["image"] == IMAGE
    assert job["container"]["command"] == ["sh"]
    assert {pair["name"]: pair["value"] for pair in job["container"]["environment"]} == {"MODE": "full", "SEED": "2"}
    assert (job["status"], job["createdAt"], job["attempts"], job["tags"]) == (
        "SUBMITTED",
        NOW,
        [],
        {"rvexp:run": "k3v9q2"},
    )
    assert not job.keys() & {"startedAt", "stoppedAt", "statusReason"}


def test_a_run_is_described_from_start_to_end(double: BatchDouble, batch: Any, clock: Clock) -> None:
    """Log stream from RUNNING on, times in ms, exit code and attempt at the end."""
    job_id = submit(batch)
    double.advance(job_id, "STARTING")
    assert "logStreamName" not in describe(batch, job_id)["container"]
    clock.now += 5000
    double.advance(job_id, "RUNNING")
    running = describe(batch, job_id)
    assert (running["startedAt"], running["attempts"]) == (NOW + 5000, [])
    assert running["container"]["logStreamName"].startswith("train/default/")
    clock.now += 1000
    double.advance(job_id, "FAILED", exit_code=3)
    ended = describe(batch, job_id)
    (attempt,) = ended["attempts"]
    assert (ended["status"], ended["stoppedAt"], ended["container"]["exitCode"]) == ("FAILED", NOW + 6000, 3)
    assert (attempt["startedAt"], attempt["stoppedAt"]) == (NOW + 5000, NOW + 6000)
    assert attempt["statusReason"] == "Essential container in task exited"
    assert attempt["container"]["logStreamName"] == running["container"]["logStreamName"]


def test_a_multi_container_job_has_its_logs_in_the_tasks(double: BatchDouble, batch: Any) -> None:
    """With ecsProperties the container is empty and each attempt lists its containers."""
    container = {key: value for key, value in CONTAINER.items() if key != "environment"}
    task = {"containers": [{**container, "name": "main"}, {**container, "name": "side"}]}
    made = batch.register_job_definition(
        jobDefinitionName="pair", type="container", ecsProperties={"taskProperties": [task]}
    )
    arn = made["jobDefinitionArn"]
    job_id = submit(batch, jobDefinition=arn)
    double.run_to_end(job_id)
    job = describe(batch, job_id)
    (attempt,) = job["attempts"]
    assert job["container"] == {}
    assert [(each["name"], each["exitCode"]) for each in attempt["taskProperties"][0]["containers"]] == [
        ("main", 0),
        ("side", 0),
    ]
    request = {"jobName": "a", "jobQueue": "main", "jobDefinition": arn}
    assert "containerProperties" in refused(batch.submit_job, **request, containerOverrides={"command": ["x"]})


def test_jobs_can_be_hidden_for_a_while_and_forgotten_for_good(double: BatchDouble, batch: Any, clock: Clock) -> None:
    """Listings may lag behind a submit; after the retention a finished job is unknown."""
    double.services.visibility_lag_ms = 1000
    job = submit(batch)
    assert batch.describe_jobs(jobs=[job])["jobs"] == []
    clock.now += 1000
    assert describe(batch, job)["status"] == "SUBMITTED"
    with pytest.raises(ValueError, match="not ended"):
        double.forget(job)
    double.run_to_end(job)
    double.forget(job)
    assert batch.describe_jobs(jobs=[job])["jobs"] == []


def test_jobs_can_move_by_themselves_while_they_are_watched(double: BatchDouble, batch: Any) -> None:
    """With autorun each look finds a job one state further, up to the end it was given."""
    job = submit(batch)
    double.services.autorun = 4
    states = [describe(batch, job)["status"] for _ in range(6)]
    assert states == ["PENDING", "RUNNABLE", "STARTING", "RUNNING", "FAILED", "FAILED"]
    assert describe(batch, job)["container"]["exitCode"] == 4


def test_a_job_can_be_stuck_with_a_reason_but_not_go_back(double: BatchDouble, batch: Any) -> None:
    """A RUNNABLE job may carry a status reason; states never move backwards."""
    job = submit(batch)
    double.advance(job, "RUNNABLE", reason="CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY")
    assert describe(batch, job)["statusReason"] == "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
    with pytest.raises(ValueError, match="cannot become"):
        double.advance(job, "SUBMITTED")


def test_a_spot_kill_is_retried_and_a_plain_failure_is_not(double: BatchDouble, batch: Any) -> None:
    """The recommended rules: the host's death costs an attempt, the program's own failure ends the job."""
    job_id = submit(batch, retryStrategy={"attempts": 3, "evaluateOnExit": SPOT_RULES})
    double.spot_kill(job_id)
    killed = describe(batch, job_id)
    assert killed["status"] == "RUNNABLE"
    assert killed["attempts"][0]["statusReason"].startswith("Host EC2 (instance i-")
    assert "exitCode" not in killed["attempts"][0]["container"]
    double.run_to_end(job_id, exit_code=1)
    ended = describe(batch, job_id)
    assert (ended["status"], len(ended["attempts"])) == ("FAILED", 2)
    streams = [attempt["container"]["logStreamName"] for attempt in ended["attempts"]]
    assert streams[0] != streams[1]
    assert ended["container"]["logStreamName"] == streams[1]


@pytest.mark.parametrize(
    ("strategy", "attempts"),
    [
        (None, 1),
        ({"attempts": 3}, 3),
        ({"attempts": 3, "evaluateOnExit": [{"onExitCode": "7", "action": "EXIT"}]}, 1),
        ({"attempts": 3, "evaluateOnExit": [{"onExitCode": "8", "action": "EXIT"}]}, 3),
        ({"attempts": 3, "evaluateOnExit": [{"onExitCode": "7", "onReason": "OOM*", "action": "EXIT"}]}, 3),
        ({"attempts": 3, "evaluateOnExit": [{"onReason": "*", "action": "exit"}]}, 1),
    ],
)
def test_evaluate_on_exit_decides(double: BatchDouble, batch: Any, strategy: Json | None, attempts: int) -> None:
    """All conditions of a rule must hold, the first such rule decides, and no match means retry."""
    own: Json = {"retryStrategy": strategy} if strategy else {}
    job = submit(batch, **own)
    double.run_to_end(job, exit_code=7)
    assert len(describe(batch, job)["attempts"]) == attempts


def test_the_definitions_retries_count_unless_the_request_has_its_own(double: BatchDouble, batch: Any) -> None:
    """A strategy at submit replaces the definition's."""
    arn = register(batch, retryStrategy={"attempts": 2})
    counts = []
    choices: list[Json] = [{}, {"retryStrategy": {"attempts": 1}}]
    for own in choices:
        job = submit(batch, jobDefinition=arn, **own)
        double.run_to_end(job, exit_code=1)
        counts.append(len(describe(batch, job)["attempts"]))
    assert counts == [2, 1]


def test_time_outs_and_image_pulls(double: BatchDouble, batch: Any) -> None:
    """A timeout is never retried; an image that cannot be pulled fails before the container has a log."""
    retry: Json = {"retryStrategy": {"attempts": 2}}
    late, unpullable = submit(batch, **retry), submit(batch, **retry)
    double.time_out(late)
    assert (describe(batch, late)["status"], len(describe(batch, late)["attempts"])) == ("FAILED", 1)
    for _ in range(2):
        double.advance(unpullable, "STARTING")
        double.advance(unpullable, "FAILED", reason="Task failed to start", container_reason="CannotPullContainerError")
    job = describe(batch, unpullable)
    assert (job["status"], job["container"]["reason"]) == ("FAILED", "CannotPullContainerError")
    assert not job["container"].keys() & {"exitCode", "logStreamName"}
