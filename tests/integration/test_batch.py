"""Definitions and jobs on a Batch that really runs containers, checked with the aws CLI and skopeo."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING

import pytest

from git_rvexp import aws
from git_rvexp.executors.batch import BatchExecutor
from git_rvexp.model import Image, JobState, Phase, Plan, Snapshot
from git_rvexp.names import Digest, RunId, TagName
from git_rvexp.settings import Settings
from git_rvexp.workflow.defining import describe, ensure_definition, ensure_registered

if TYPE_CHECKING:
    from git_rvexp.executors.definition import Definition
    from tests.integration.parts import BatchWorld, Stack

TAG = TagName("al", "roads", "2026-11-22", "first")
SNAPSHOT = Snapshot(str(TAG), "1" * 40, "2" * 40, "3" * 40)


@pytest.fixture
def settings(stack: Stack, batch_world: BatchWorld, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that reach the stack's AWS and this test's own queue and base definition."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", stack.aws_access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", stack.aws_secret_access_key)
    return Settings(
        batch_queue=batch_world.queue,
        batch_job_def_name=batch_world.job_definition,
        aws_endpoint_url=stack.aws_endpoint,
        aws_region=stack.aws_region,
    )


@pytest.fixture
def image(stack: Stack, registry_repo: str) -> Image:
    """The base image, pushed to a repository of this test's own and named by its digest."""
    return pushed(stack, stack.base_image, f"{registry_repo}:one")


def pushed(stack: Stack, local: str, reference: str) -> Image:
    """`local` under `reference` in the registry; the digest is what skopeo reads there."""
    stack.run("docker", "tag", local, reference)
    stack.run("docker", "push", "--quiet", reference)
    stack.run("docker", "rmi", reference)
    seen = json.loads(stack.run("skopeo", "inspect", "--tls-verify=false", f"docker://{reference}").stdout)
    image_id = stack.run("docker", "image", "inspect", "--format", "{{.Id}}", local).stdout.strip()
    return Image(f"{reference.rpartition(':')[0]}@{seen['Digest']}", Digest(image_id), "linux/amd64")


def plan_for(definition: Definition, image: Image, settings: Settings, *command: str) -> Plan:
    """A run of `command` on a derived definition."""
    run = RunId.new()
    return Plan(
        run,
        "batch",
        run.job_name("first"),
        image.ref,
        command,
        env={"RVEXP_TAG": str(TAG), "RVEXP_RUN": str(run)},
        queue=settings.batch_queue,
        definition=definition.arn,
    )


def ended(executor: BatchExecutor, job: str) -> JobState:
    """The job's state once it is over; fails after two minutes."""
    deadline = time.monotonic() + 120
    while True:
        state = executor.states([job])[job]
        if state.phase.over:
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.5)


def test_a_derived_definition_runs_our_image_and_is_found_again(
    stack: Stack, batch_world: BatchWorld, settings: Settings, image: Image
) -> None:
    """Registered once, equal to its base in everything else; the job succeeds, and the aws CLI agrees."""
    said: list[str] = []
    made = ensure_definition(settings, TAG, SNAPSHOT, image, said.append)
    again = ensure_definition(settings, TAG, SNAPSHOT, image, said.append)
    assert (made.registered, again.registered, again.arn) == (True, False, made.arn)
    assert said == [f"registered definition {made.name}", f"definition {made.name} is registered already"]

    kept, base = (
        stack.aws("batch", "describe-job-definitions", "--job-definitions", arn)["jobDefinitions"][0]
        for arn in (made.arn, batch_world.job_definition_arn)
    )
    assert kept["containerProperties"] == {**base["containerProperties"], "image": image.ref}
    assert kept["timeout"] == base["timeout"] == {"attemptDurationSeconds": 600}
    assert kept["tags"]["rvexp:base"] == batch_world.job_definition_arn
    assert kept["tags"]["rvexp:tag"] == str(TAG)

    executor = BatchExecutor(settings)
    code = "import os; print(os.environ['RVEXP_TAG'], os.environ['BASE_DEFINITION'])"
    plan = plan_for(made, image, settings, "python3", "-c", code)
    executor.check(plan)
    job = executor.submit(plan)
    assert executor.find(plan) == [job]
    state = ended(executor, job)
    assert (state.phase, state.exit_code) == (Phase.SUCCEEDED, 0)
    assert list(executor.logs(job)) == [f"{TAG} {batch_world.queue}"]  # the base's own variable holds that name
    seen = stack.aws("batch", "describe-jobs", "--jobs", job)["jobs"][0]
    assert (seen["status"], seen["jobName"], seen["jobDefinition"]) == ("SUCCEEDED", plan.job_name, made.arn)
    assert seen["tags"]["rvexp:run"] == str(plan.run)


def test_a_failing_job_has_its_exit_code(settings: Settings, image: Image) -> None:
    """Wherever the service tells it."""
    made = ensure_definition(settings, TAG, SNAPSHOT, image, print)
    executor = BatchExecutor(settings)
    job = executor.submit(plan_for(made, image, settings, "python3", "-c", "raise SystemExit(7)"))
    state = ended(executor, job)
    assert (state.phase, state.exit_code) == (Phase.FAILED, 7)


def test_a_running_job_is_stopped(settings: Settings, image: Image) -> None:
    """Its reason is kept."""
    made = ensure_definition(settings, TAG, SNAPSHOT, image, print)
    executor = BatchExecutor(settings)
    plan = plan_for(made, image, settings, "sleep", "600")
    job = executor.submit(plan)
    while executor.states([job])[job].phase is not Phase.RUNNING:
        time.sleep(0.2)
    executor.cancel(job, "seen enough", run=str(plan.run))
    assert ended(executor, job).phase is Phase.FAILED
    assert "seen enough" in executor.states([job])[job].reason


def test_a_waiting_job_runs_what_was_pushed_for_it(
    stack: Stack, settings: Settings, image: Image, registry_repo: str
) -> None:
    """Other content under the same image tag, pushed while the job waits, is not what runs."""
    made = ensure_definition(settings, TAG, SNAPSHOT, image, print)
    executor = BatchExecutor(settings)
    first = executor.submit(plan_for(made, image, settings, "sleep", "3"))
    which = plan_for(made, image, settings, "python3", "-c", "print('the real one')")
    second = executor.submit(dataclasses.replace(which, after=(first,)))
    overwritten = pushed(stack, stack.tiny_image, f"{registry_repo}:one")
    assert overwritten.ref != image.ref
    assert executor.states([second])[second].phase is Phase.SUBMITTED
    assert ended(executor, second).phase is Phase.SUCCEEDED
    assert list(executor.logs(second)) == ["the real one"]


def test_without_a_base_the_settings_make_the_definition(settings: Settings, image: Image) -> None:
    """And a job of it runs."""
    bare = dataclasses.replace(settings, batch_job_def_name="", job_vcpus=1.0, job_memory=256)
    tag = dataclasses.replace(TAG, nickname=f"made-{RunId.new()}")
    made = ensure_definition(bare, tag, SNAPSHOT, image, print)
    assert made.registered
    executor = BatchExecutor(bare)
    job = executor.submit(plan_for(made, image, bare, "python3", "--version"))
    assert ended(executor, job).phase is Phase.SUCCEEDED


def test_a_base_with_our_image_is_used_as_it_is(settings: Settings, image: Image) -> None:
    """For people who may not register definitions."""
    made = ensure_definition(settings, TAG, SNAPSHOT, image, print)
    mine = dataclasses.replace(settings, batch_job_def_name=made.arn)
    used = ensure_definition(mine, TAG, SNAPSHOT, image, print)
    assert (used.arn, used.registered) == (made.arn, False)


def test_a_deregistered_definition_is_registered_again_from_its_body(
    stack: Stack, settings: Settings, image: Image
) -> None:
    """The recorded body is enough, and the new one has an ARN of its own."""
    made = ensure_definition(settings, TAG, SNAPSHOT, image, print)
    stack.run("aws", f"--endpoint-url={stack.aws_endpoint}", "batch", "deregister-job-definition",
              f"--job-definition={made.arn}")  # fmt: skip
    again = ensure_registered(settings, made.name, made.body, print)
    assert again.registered
    assert again.arn != made.arn
    assert describe(settings, again.arn).body == describe(settings, made.name).body


def test_who_we_are(stack: Stack, settings: Settings) -> None:
    """The account that the aws CLI names, and the region of the settings."""
    assert aws.identity(settings) == (stack.aws("sts", "get-caller-identity")["Account"], stack.aws_region)
