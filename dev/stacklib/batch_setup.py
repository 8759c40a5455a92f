"""A small Batch world in moto: compute environment, queue and base job definition, all named after one word.

Needs boto3, so it is run by the virtual environment's Python: `dev/stack batch NAME`.
"""

import json
import os
import sys
from typing import Any

import boto3  # type: ignore[import-untyped, unused-ignore]

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["batch.amazonaws.com", "ecs-tasks.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


def client(service: str) -> Any:
    """A boto3 client for the stack's AWS, whatever profile and variables the user has."""
    return boto3.client(
        service,
        endpoint_url=os.environ["RVEXP_DEV_AWS_ENDPOINT"],
        region_name=os.environ["RVEXP_DEV_AWS_REGION"],
        aws_access_key_id=os.environ["RVEXP_DEV_AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["RVEXP_DEV_AWS_SECRET_ACCESS_KEY"],
    )


def make(name: str) -> dict[str, str]:
    """Make the world `name` and return the names and ARNs of what it holds."""
    batch, iam = client("batch"), client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    environment = batch.create_compute_environment(
        computeEnvironmentName=name, type="UNMANAGED", state="ENABLED", serviceRole=role
    )["computeEnvironmentArn"]
    queue = batch.create_job_queue(
        jobQueueName=name,
        state="ENABLED",
        priority=1,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
    )["jobQueueArn"]
    definition = batch.register_job_definition(
        jobDefinitionName=f"{name}-base",
        type="container",
        containerProperties={
            "image": os.environ["RVEXP_DEV_BASE_IMAGE"],
            "command": ["python3", "--version"],
            "jobRoleArn": role,
            "environment": [{"name": "BASE_DEFINITION", "value": name}],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
        },
        timeout={"attemptDurationSeconds": 600},
    )["jobDefinitionArn"]
    return {
        "queue": name,
        "queue_arn": queue,
        "job_definition": f"{name}-base",
        "job_definition_arn": definition,
        "compute_environment_arn": environment,
        "role_arn": role,
    }


if __name__ == "__main__":
    print(json.dumps(make(sys.argv[1])))
