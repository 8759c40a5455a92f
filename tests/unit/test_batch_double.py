"""What the Batch double takes and refuses, driven with real boto3: every limit, once kept and once broken.

A rule that is not shown in these files is not promised to the tests that rely on the double.
"""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.doubles.batch import BatchDouble
from tests.doubles.driving import (
    CONTAINER,
    SPOT_RULES,
    big_environment,
    client,
    describe,
    listed,
    refused,
    register,
    submit,
)

pytest_plugins = ["tests.doubles.fixtures"]

Json = dict[str, Any]


def test_unknown_members_and_wrong_types_are_refused_by_the_server(double: BatchDouble) -> None:
    """What botocore's own validation would stop is stopped by the double too."""
    loose = client(double, validate=False)
    assert "jobQueue is required" in refused(loose.submit_job, jobName="a", jobDefinition="b")
    assert "int is not a string" in refused(loose.submit_job, jobName=7, jobQueue="main", jobDefinition="b")
    assert loose.describe_job_queues(jobQueues=["main"])["jobQueues"]
    loose.meta.events.register("before-call", lambda params, **_: params.update(body=b'{"jobQueue": "main"}'))
    assert "unknown member jobQueue" in refused(loose.describe_job_queues)


def test_enum_values_outside_the_model_are_refused(batch: Any) -> None:
    """Botocore sends unknown enum values; the service does not take them."""
    assert listed(batch, jobQueue="main", jobStatus="FAILED") == []
    assert "not one of" in refused(batch.list_jobs, jobQueue="main", jobStatus="DONE")


def test_another_region_is_refused(double: BatchDouble) -> None:
    """A client configured for another region does not get answers by accident."""
    assert client(double).describe_job_queues()["jobQueues"]
    elsewhere = boto3.client(
        "batch", "eu-west-1", endpoint_url=double.url, aws_access_key_id="a", aws_secret_access_key="b"
    )
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        elsewhere.describe_job_queues()


def test_an_operation_the_double_lacks_is_unknown(batch: Any) -> None:
    """Newer operations answer as an older service would."""
    with pytest.raises(ClientError) as caught:
        batch.describe_scheduling_policies(arns=["arn:aws:batch:us-east-1:123456789012:scheduling-policy/x"])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_calls_are_recorded_with_their_parameters(double: BatchDouble, batch: Any) -> None:
    """Refused calls are recorded as well as accepted ones."""
    batch.describe_jobs(jobs=["x"])
    refused(batch.list_jobs)
    assert [tuple(call) for call in double.calls] == [("DescribeJobs", {"jobs": ["x"]}), ("ListJobs", {})]
    assert double.called("ListJobs") == [{}]


def test_registering_equal_content_makes_a_new_revision(batch: Any) -> None:
    """Revisions count up, and are independent of one another."""
    first = register(batch, retryStrategy={"attempts": 3}, parameters={"a": "b"})
    second = register(batch)
    assert (first[-2:], second[-2:]) == (":1", ":2")
    (body,) = batch.describe_job_definitions(jobDefinitions=[second])["jobDefinitions"]
    assert "retryStrategy" not in body
    assert body["parameters"] == {}


def test_a_definition_comes_back_as_registered_plus_what_the_service_adds(batch: Any) -> None:
    """Members that were left out come back empty, and four members are the service's own."""
    arn = register(batch, tags={"team": "roads"}, propagateTags=True)
    (body,) = batch.describe_job_definitions(jobDefinitions=["train:1"])["jobDefinitions"]
    assert body["containerProperties"].items() >= CONTAINER.items()
    assert body["containerProperties"]["volumes"] == []
    added = {key: body[key] for key in ("jobDefinitionArn", "revision", "status", "containerOrchestrationType")}
    assert added == {
        "jobDefinitionArn": arn,
        "revision": 1,
        "status": "ACTIVE",
        "containerOrchestrationType": "ECS",
    }
    assert body["tags"] == {"team": "roads"}


def test_definitions_are_found_by_name_status_and_page(double: BatchDouble, batch: Any) -> None:
    """A listing pages, and leaves out what has another name or status."""
    arns = [register(batch) for _ in range(5)]
    register(batch, "other")
    batch.deregister_job_definition(jobDefinition=arns[0])
    double.services.pager.limit = 2
    pages = batch.get_paginator("describe_job_definitions").paginate(jobDefinitionName="train", status="ACTIVE")
    sizes = [[body["revision"] for body in page["jobDefinitions"]] for page in pages]
    assert sizes == [[5, 4], [3, 2]]


def test_an_unrevisioned_name_describes_nothing(batch: Any) -> None:
    """DescribeJobDefinitions takes ARNs and name:revision in its list."""
    register(batch)
    assert batch.describe_job_definitions(jobDefinitions=["train"])["jobDefinitions"] == []
    assert batch.describe_job_definitions(jobDefinitions=[])["jobDefinitions"] == []
    assert "other parameters" in refused(
        batch.describe_job_definitions, jobDefinitions=["train:1"], jobDefinitionName="train"
    )


@pytest.mark.parametrize(("name", "good"), [("a" * 128, True), ("a" * 129, False), ("a/b", False), ("a.b", False)])
def test_definition_names(batch: Any, name: str, good: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """At most 128 of letters, digits, hyphen, underscore."""
    if good:
        assert register(batch, name).endswith(f"{name}:1")
    else:
        assert "jobDefinitionName" in refused(batch.register_job_definition, jobDefinitionName=name, type="container")


def _definition(**changes: Any) -> Json:
    return {"containerProperties": {**CONTAINER, **changes}}


@pytest.mark.parametrize(
    ("good", "bad", "why"),
    [
        (_definition(image="i" * 255), _definition(image="i" * 256), "255"),
        (_definition(environment=big_environment(20_000)), _definition(environment=big_environment(25_000)), "24 KiB"),
        (
            _definition(environment=[{"name": "MY_AWS_BATCH", "value": "1"}]),
            _definition(environment=[{"name": "AWS_BATCH_X", "value": "1"}]),
            "AWS_BATCH",
        ),
        (_definition(vcpus=1), _definition(resourceRequirements=[]), "VCPU is required"),
        ({"timeout": {"attemptDurationSeconds": 60}}, {"timeout": {"attemptDurationSeconds": 59}}, "60"),
        ({"retryStrategy": {"attempts": 10}}, {"retryStrategy": {"attempts": 11}}, "between 1 and 10"),
        (
            {"retryStrategy": {"attempts": 2, "evaluateOnExit": SPOT_RULES[:1] * 5}},
            {"retryStrategy": {"attempts": 2, "evaluateOnExit": SPOT_RULES[:1] * 6}},
            "at most 5",
        ),
        (
            {"retryStrategy": {"attempts": 2, "evaluateOnExit": SPOT_RULES}},
            {"retryStrategy": {"evaluateOnExit": SPOT_RULES}},
            "attempts is required",
        ),
        (
            {"retryStrategy": {"attempts": 2, "evaluateOnExit": [{"onReason": "Host EC2*", "action": "retry"}]}},
            {"retryStrategy": {"attempts": 2, "evaluateOnExit": [{"onReason": "Host EC2 (*", "action": "RETRY"}]}},
            "not a valid pattern",
        ),
        (
            {"retryStrategy": {"attempts": 2, "evaluateOnExit": [{"onExitCode": "13*", "action": "EXIT"}]}},
            {"retryStrategy": {"attempts": 2, "evaluateOnExit": [{"onExitCode": "!0", "action": "EXIT"}]}},
            "digits",
        ),
        ({"tags": {"aws-like": "x"}}, {"tags": {"aws:cloudformation:stack-id": "x"}}, "may not begin with aws:"),
        (
            {"tags": {f"k{n}": "" for n in range(50)}},
            {"tags": {f"k{n}": "" for n in range(51)}},
            "above the maximum of 50",
        ),
        ({"tags": {"k" * 128: "v" * 256}}, {"tags": {"k": "v" * 257}}, "above the maximum of 256"),
        (
            {"platformCapabilities": ["FARGATE"], **_definition(executionRoleArn="arn:aws:iam::1:role/x")},
            {"platformCapabilities": ["FARGATE"]},
            "executionRoleArn",
        ),
    ],
)
def test_definition_limits(batch: Any, good: Json, bad: Json, why: str) -> None:
    """Each limit on a definition: the last value that is taken, and the first that is not."""
    register(batch, **good)
    body = {"type": "container", "containerProperties": CONTAINER, **bad}
    assert why in refused(batch.register_job_definition, jobDefinitionName="train", **body)


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
    assert "100" in refused(batch.describe_job_queues, jobQueues=["x"] * 101)


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
