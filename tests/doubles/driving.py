"""How tests drive the Batch double: a real boto3 client, a clock, and the requests that most of them make."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

NOW = 1_764_000_000_000
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/experiments@sha256:" + "ab" * 32
CONTAINER: Json = {
    "image": IMAGE,
    "command": ["python", "train.py"],
    "environment": [{"name": "MODE", "value": "full"}, {"name": "SEED", "value": "1"}],
    "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
}
SPOT_RULES = [{"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]


class Clock:
    """Milliseconds since 1970 that move only when told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        """The time now."""
        return self.now


@cache
def session() -> Any:
    """One session for all tests, so that botocore reads its models once."""
    return boto3.Session("AKIDEXAMPLE", "secret", region_name="us-east-1")


class Served(Protocol):
    """Whatever stands at a URL: the double, or a proxy in front of it."""

    @property
    def url(self) -> str:
        """The endpoint."""


def client(place: Served, service: str = "batch", *, validate: bool = True, **config: Any) -> Any:
    """A real client with a single attempt; without `validate` botocore sends what it would itself refuse."""
    settings = Config(retries={"total_max_attempts": 1}, parameter_validation=validate, **config)
    return session().client(service, endpoint_url=place.url, config=settings)


def register(batch: Any, name: str = "train", **changes: Any) -> str:
    """Register a definition and return its ARN with revision."""
    body: Json = {"type": "container", "containerProperties": CONTAINER, **changes}
    return str(batch.register_job_definition(jobDefinitionName=name, **body)["jobDefinitionArn"])


def submit(batch: Any, name: str = "job-1", **changes: Any) -> str:
    """Submit a job of the definition `train` (registered if need be) and return its id."""
    if "jobDefinition" not in changes:
        known = batch.describe_job_definitions(jobDefinitionName="train", status="ACTIVE")["jobDefinitions"]
        changes["jobDefinition"] = known[0]["jobDefinitionArn"] if known else register(batch)
    return str(batch.submit_job(jobName=name, **{"jobQueue": "main", **changes})["jobId"])


def describe(batch: Any, job_id: str) -> Json:
    """The one JobDetail of a job that must be there."""
    (found,) = batch.describe_jobs(jobs=[job_id])["jobs"]
    return dict(found)


def listed(batch: Any, **params: Any) -> list[str]:
    """Names of the jobs that ListJobs returns, all pages."""
    pages = batch.get_paginator("list_jobs").paginate(**params)
    return [job["jobName"] for page in pages for job in page["jobSummaryList"]]


def big_environment(characters: int) -> list[Json]:
    """Variables whose values have about this many characters in all."""
    return [{"name": f"V{index}", "value": "x" * 1000} for index in range(characters // 1000)]


def refused(call: Any, **params: Any) -> str:
    """The text of the ClientException that the call must raise."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    assert caught.value.response["Error"]["Code"] == "ClientException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(caught.value.response["Error"]["Message"])


def wait_until(condition: Callable[[], bool]) -> bool:
    """Poll for something that another thread will do; False when it has not come about in ten seconds."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()
