"""What SubmitJob of the Batch double takes and refuses, and what stands around the jobs: queues, tags, identity."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.doubles.batch import BatchDouble
from tests.doubles.dialects import Refusal
from tests.doubles.driving import (
    CONTAINER,
    IMAGE,
    big_environment,
    client,
    describe,
    refused,
    register,
    submit,
)

pytest_plugins = ["tests.doubles.fixtures"]

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("good", "bad", "why"),
    [
        ({"jobName": "a" * 128}, {"jobName": "a" * 129}, "jobName"),
        ({"jobName": "1"}, {"jobName": "-a"}, "jobName"),
        ({"jobName": "a_b-c"}, {"jobName": "a.b"}, "jobName"),
        ({"arrayProperties": {"size": 2}}, {"arrayProperties": {"size": 1}}, "between 2 and 10,000"),
        ({}, {"arrayProperties": {"size": 10_001}}, "between 2 and 10,000"),
        ({"containerOverrides": {"command": ["a", " "]}}, {"containerOverrides": {"command": ["a", ""]}}, "empty"),
        (
            {"containerOverrides": {"environment": [{"name": "RVEXP", "value": ""}]}},
            {"containerOverrides": {"environment": [{"name": "AWS_BATCH_JOB_ARRAY_INDEX", "value": "0"}]}},
            "AWS_BATCH",
        ),
        (
            {"containerOverrides": {"environment": big_environment(29_000)}},
            {"containerOverrides": {"environment": big_environment(31_000)}},
            "Job size must be less than 30 KiB",
        ),
        ({}, {"containerOverrides": {"environment": [{"name": "", "value": "x"}]}}, "may not be empty"),
        ({"timeout": {"attemptDurationSeconds": 60}}, {"timeout": {"attemptDurationSeconds": 5}}, "60"),
        ({"retryStrategy": {"attempts": 1}}, {"retryStrategy": {"attempts": 0}}, "between 1 and 10"),
        ({"tags": {"a": "b"}}, {"tags": {"AWS:x": "b"}}, "may not begin with aws:"),
        ({}, {"shareIdentifier": "a"}, "scheduling policy"),
        ({"schedulingPriorityOverride": 9999}, {"schedulingPriorityOverride": 10_000}, "0 to 9999"),
        ({}, {"jobQueue": "nowhere"}, "not found"),
        ({"jobDefinition": "train"}, {"jobDefinition": "train:7"}, "does not exist"),
        ({}, {"dependsOn": [{"jobId": "no-such-job"}]}, "does not exist"),
        ({}, {"dependsOn": [{"type": "SEQUENTIAL"}]}, "array jobs"),
        ({"arrayProperties": {"size": 2}, "dependsOn": [{"type": "SEQUENTIAL"}]}, {"dependsOn": [{}]}, "jobId"),
    ],
)
def test_submit_limits(batch: Any, good: Json, bad: Json, why: str) -> None:
    """Each limit on a request: the last value that is taken, and the first that is not."""
    request = {"jobName": "ok", "jobQueue": "main", "jobDefinition": register(batch)}
    batch.submit_job(**{**request, **good})
    assert why in refused(batch.submit_job, **{**request, **bad})


def test_sizes_count_the_request_as_it_is_sent(batch: Any) -> None:
    """24 KiB of definition are the last that is taken; a submit must stay below 30 KiB."""
    body = {"jobDefinitionName": "train", "type": "container", "containerProperties": CONTAINER}
    room = 24 * 1024 - len(json.dumps({**body, "parameters": {"p": ""}}))
    batch.register_job_definition(**body, parameters={"p": "x" * room})
    assert "24 KiB" in refused(batch.register_job_definition, **body, parameters={"p": "x" * (room + 1)})
    request: Json = {"jobName": "a", "jobQueue": "main", "jobDefinition": "train"}
    room = 30 * 1024 - 1 - len(json.dumps({**request, "parameters": {"p": ""}}))
    batch.submit_job(**request, parameters={"p": "x" * room})
    assert "30 KiB" in refused(batch.submit_job, **request, parameters={"p": "x" * (room + 1)})


def test_a_definition_has_one_kind_of_properties(batch: Any) -> None:
    """Container, ECS or EKS properties, and a multinode definition its nodes."""
    nodes = {"numNodes": 1, "mainNode": 0, "nodeRangeProperties": [{"targetNodes": "0:"}]}
    call = batch.register_job_definition
    assert call(jobDefinitionName="many", type="multinode", nodeProperties=nodes)["revision"] == 1
    assert "nodeProperties is required" in refused(call, jobDefinitionName="many", type="multinode")
    ecs = {"taskProperties": [{"containers": [{"image": IMAGE}]}]}
    both = {"containerProperties": CONTAINER, "ecsProperties": ecs}
    assert "exactly one" in refused(call, jobDefinitionName="both", type="container", **both)
    assert "exactly one" in refused(call, jobDefinitionName="none", type="container")


def test_at_most_twenty_dependencies_and_none_twice(batch: Any) -> None:
    """Twenty parents are taken, twenty-one or the same one twice are not."""
    parents = [{"jobId": submit(batch, f"p{index}")} for index in range(21)]
    submit(batch, dependsOn=parents[:20])
    request = {"jobName": "a", "jobQueue": "main", "jobDefinition": "train"}
    assert "at most 20" in refused(batch.submit_job, **request, dependsOn=parents)
    assert "twice" in refused(batch.submit_job, **request, dependsOn=parents[:1] * 2)


def test_inactive_definitions_and_disabled_queues_take_no_jobs(double: BatchDouble, batch: Any) -> None:
    """A name without revision means the newest ACTIVE revision; an INACTIVE one given exactly is refused."""
    first, second = register(batch), register(batch)
    batch.deregister_job_definition(jobDefinition=second)
    assert describe(batch, submit(batch, jobDefinition="train"))["jobDefinition"] == first
    request = {"jobName": "a", "jobQueue": "main"}
    assert "ACTIVE" in refused(batch.submit_job, **request, jobDefinition=second)
    double.add_queue("closed", state="DISABLED")
    request["jobQueue"] = "closed"
    assert "ENABLED" in refused(batch.submit_job, **request, jobDefinition=first)


def test_a_share_identifier_is_required_where_there_is_a_scheduling_policy(double: BatchDouble, batch: Any) -> None:
    """Given and not given, on a fair-share queue."""
    double.add_queue("fair", scheduling_policy="arn:aws:batch:us-east-1:123456789012:scheduling-policy/p")
    submit(batch, jobQueue="fair", shareIdentifier="roads*")
    request = {"jobName": "a", "jobQueue": "fair", "jobDefinition": "train"}
    assert "shareIdentifier" in refused(batch.submit_job, **request)
    assert "alphanumeric" in refused(batch.submit_job, **request, shareIdentifier="a-b")


def test_long_overrides_are_accepted_and_the_job_then_fails(double: BatchDouble, batch: Any) -> None:
    """8192 characters of overrides run; one more is taken by Batch and refused by ECS when the task starts."""
    overhead = len('{"command":[""]}')
    fits = submit(batch, containerOverrides={"command": ["x" * (8192 - overhead)]})
    too_long = submit(batch, containerOverrides={"command": ["x" * (8193 - overhead)]})
    for job_id in (fits, too_long):
        double.run_to_end(job_id)
    assert describe(batch, fits)["status"] == "SUCCEEDED"
    failed = describe(batch, too_long)
    assert (failed["status"], failed["statusReason"]) == ("FAILED", "Container Overrides length must be at most 8192")
    assert failed["attempts"] == []


def test_propagated_tags_over_fifty_fail_the_job(double: BatchDouble, batch: Any) -> None:
    """Fifty tags in all run; fifty-one do not, and only when they are propagated."""
    arn = register(batch, tags={f"d{n}": "" for n in range(30)})
    states = []
    for count, propagate in ((20, True), (21, True), (21, False)):
        job = submit(batch, jobDefinition=arn, tags={f"j{n}": "" for n in range(count)}, propagateTags=propagate)
        double.run_to_end(job)
        states.append(describe(batch, job)["status"])
    assert states == ["SUCCEEDED", "FAILED", "SUCCEEDED"]


def test_queues_and_compute_environments_are_described(double: BatchDouble, batch: Any) -> None:
    """All of them, or those asked for; the queue leads to its compute environment."""
    double.add_queue("small", max_vcpus=4, status="INVALID")
    assert [queue["jobQueueName"] for queue in batch.describe_job_queues()["jobQueues"]] == ["main", "small"]
    (queue,) = batch.describe_job_queues(jobQueues=["small", "gone"])["jobQueues"]
    assert (queue["state"], queue["status"]) == ("ENABLED", "INVALID")
    place = queue["computeEnvironmentOrder"][0]["computeEnvironment"]
    (environment,) = batch.describe_compute_environments(computeEnvironments=[place])["computeEnvironments"]
    assert environment["computeResources"]["maxvCpus"] == 4
    assert batch.describe_job_queues(jobQueues=[])["jobQueues"] == []
    assert batch.describe_job_queues(jobQueues=["small"] * 100)["jobQueues"] == [queue]
    assert "100" in refused(batch.describe_job_queues, jobQueues=["x"] * 101)
    with pytest.raises(Refusal, match="name 'a/b' is invalid"):
        double.add_queue("a/b")


def test_the_snapshot_shows_runnable_jobs_in_order(double: BatchDouble, batch: Any) -> None:
    """First come first served, and nothing that is not RUNNABLE."""
    ids = [submit(batch, f"j{index}") for index in range(3)]
    for job in (ids[2], ids[0]):
        double.advance(job, "RUNNABLE")
    front = batch.get_job_queue_snapshot(jobQueue="main")["frontOfQueue"]["jobs"]
    assert [job["jobArn"].rpartition("/")[2] for job in front] == [ids[0], ids[2]]
    assert "not found" in refused(batch.get_job_queue_snapshot, jobQueue="gone")


def test_tags_are_added_up_to_fifty(double: BatchDouble, batch: Any) -> None:
    """On jobs and definitions; not on array children, not under aws:."""
    job, definition = submit(batch, tags={"a": "1"}), register(batch)
    arn = describe(batch, job)["jobArn"]
    for each in (arn, definition):
        batch.tag_resource(resourceArn=each, tags={"b": "2"})
    assert describe(batch, job)["tags"] == {"a": "1", "b": "2"}
    assert "at most 50" in refused(batch.tag_resource, resourceArn=arn, tags={f"t{n}": "" for n in range(49)})
    assert "aws:" in refused(batch.tag_resource, resourceArn=arn, tags={"aws:x": ""})
    array = submit(batch, arrayProperties={"size": 2})
    child = describe(batch, f"{array}:0")["jobArn"]
    assert "does not exist" in refused(batch.tag_resource, resourceArn=child, tags={"b": "2"})


def test_the_caller_has_an_identity() -> None:
    """The account is the one the double was made with, in the ARNs too."""
    with BatchDouble(account="999999999999") as double:
        assert client(double, "sts").get_caller_identity()["Account"] == "999999999999"
        assert ":999999999999:" in double.add_queue("main").arn
        double.fail_next("GetCallerIdentity", "expired_token")
        with pytest.raises(ClientError, match=r"ExpiredToken\)"):
            client(double, "sts").get_caller_identity()
