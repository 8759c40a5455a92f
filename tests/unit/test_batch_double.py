"""What the Batch double takes and refuses, driven with real boto3: every limit, once kept and once broken.

A rule that is not shown in these files is not promised to the tests that rely on the double.
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.doubles.driving import (
    CONTAINER,
    SPOT_RULES,
    big_environment,
    client,
    listed,
    refused,
    register,
)

if TYPE_CHECKING:
    from tests.doubles.batch import BatchDouble

pytest_plugins = ["tests.doubles.fixtures"]

Json = dict[str, Any]


def test_unknown_members_and_wrong_types_are_refused_by_the_server(double: BatchDouble) -> None:
    """What botocore's own validation would stop is stopped by the double too."""
    loose = client(double, validate=False)
    assert "jobQueue is required" in refused(loose.submit_job, jobName="a", jobDefinition="b")
    assert "int is not a integer" in refused(loose.list_jobs, jobQueue="main", maxResults=2**31)
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


def test_an_unsigned_request_is_refused(double: BatchDouble) -> None:
    """Whatever skips boto3's signing does not pass for a client."""
    connection = http.client.HTTPConnection(double.url.removeprefix("http://"), timeout=10)
    connection.request("POST", "/v1/describejobqueues", b"{}")
    reply = connection.getresponse()
    assert (reply.status, reply.headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException")
    connection.close()


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


def test_describing_definitions_has_limits_too(batch: Any) -> None:
    """A hundred references or rows are taken, one more is not; what is not there cannot be deregistered."""
    arn = register(batch)
    assert batch.describe_job_definitions(jobDefinitions=[arn] * 100)["jobDefinitions"][0]["revision"] == 1
    assert batch.describe_job_definitions(maxResults=100)["jobDefinitions"]
    assert "100" in refused(batch.describe_job_definitions, jobDefinitions=[arn] * 101)
    assert "100" in refused(batch.describe_job_definitions, maxResults=101)
    batch.deregister_job_definition(jobDefinition=arn)
    assert "does not exist" in refused(batch.deregister_job_definition, jobDefinition="train:9")


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
