"""The job definition of an image: looked up by content, registered at most once, against a strict double."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from git_rvexp import aws
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.model import Image, Snapshot
from git_rvexp.names import Digest, TagName
from git_rvexp.settings import Settings
from git_rvexp.workflow.defining import describe, ensure_definition, ensure_registered
from tests.doubles.driving import CONTAINER, IMAGE, register
from tests.doubles.server import LoopbackServer, Reply, Request

if TYPE_CHECKING:
    from tests.doubles.batch import BatchDouble

pytest_plugins = ["tests.doubles.fixtures"]

TAG = TagName("al", "roads", "2026-11-22", "first")
SNAPSHOT = Snapshot(str(TAG), "1" * 40, "2" * 40, "3" * 40)
OURS = Image(IMAGE, Digest("sha256:" + "cd" * 32), "linux/amd64")
BASE = {**CONTAINER, "image": IMAGE.partition("@")[0] + ":latest"}
BODY = {"type": "container", "containerProperties": CONTAINER, "tags": {"rvexp:tag": "t"}}


@pytest.fixture
def settings(double: BatchDouble, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return Settings(batch_job_def_name="base", aws_endpoint_url=double.url, aws_region="us-east-1")


def ensured(settings: Settings, said: list[str] | None = None) -> Any:
    """ensure_definition for our snapshot and image."""
    return ensure_definition(settings, TAG, SNAPSHOT, OURS, (said if said is not None else []).append)


def registered(double: BatchDouble) -> int:
    """How many RegisterJobDefinition calls the double has had, since the base's own."""
    return sum("rvexp:tag" in call.get("tags", {}) for call in double.called("RegisterJobDefinition"))


def test_the_newest_active_revision_of_the_base_is_derived(settings: Settings, double: BatchDouble, batch: Any) -> None:
    """By name the newest; by name:revision or ARN that one; past pages of revisions."""
    arns = [register(batch, "base", containerProperties={**BASE, "user": f"u{n}"}) for n in range(103)]
    batch.deregister_job_definition(jobDefinition=arns[102])
    assert describe(settings, "base").arn == arns[101]
    assert describe(settings, "base:1").arn == arns[0]
    assert describe(settings, arns[5]).body["containerProperties"]["user"] == "u5"
    for reference in ("nothing", "base:103", arns[0].replace("us-east-1", "eu-west-1")):
        with pytest.raises(UsageError, match="no ACTIVE job definition"):
            describe(settings, reference)


def test_registered_once_then_found_by_content(settings: Settings, double: BatchDouble, batch: Any) -> None:
    """The second time nothing is registered, although Batch describes more than it was told."""
    register(batch, "base", containerProperties=BASE)
    said: list[str] = []
    first, second = ensured(settings, said), ensured(settings, said)
    assert (first.arn, first.registered, second.registered) == (second.arn, True, False)
    assert registered(double) == 1
    assert said == [f"registered definition {first.name}", f"definition {first.name} is registered already"]


@pytest.mark.parametrize("kind", ["lost_reply", "500_after", "429_after", "garbage_after", "truncated_after"])
def test_a_lost_reply_is_looked_up_and_adopted(settings: Settings, double: BatchDouble, batch: Any, kind: str) -> None:
    """One call, one definition."""
    register(batch, "base", containerProperties=BASE)
    double.fail_next("RegisterJobDefinition", kind)
    made = ensured(settings)
    assert registered(double) == 1
    assert made.arn in double.services.definitions.by_arn


def test_a_request_that_got_lost_is_an_error_after_some_looks(settings: Settings, double: BatchDouble) -> None:
    """Sent once; the same command again then does it."""
    double.fail_next("RegisterJobDefinition", "reset_before")
    waited: list[float] = []
    with pytest.raises(aws.UnreachableError):
        ensure_registered(settings, "ours", BODY, print, sleep=waited.append)
    assert (registered(double), waited) == (1, [1, 2, 4])
    assert ensure_registered(settings, "ours", BODY, print).registered


def test_a_definition_that_shows_late_is_waited_for(settings: Settings, double: BatchDouble) -> None:
    """The request lands after its connection has died."""

    def sleep(_: float) -> None:
        double.release()

    double.fail_next("RegisterJobDefinition", "held")
    made = ensure_registered(settings, "ours", BODY, print, sleep=sleep)
    assert registered(double) == 1
    assert made.arn.endswith("/ours:1")


def test_a_refused_registration_is_final(settings: Settings, double: BatchDouble) -> None:
    """With the server's words, and nothing is waited for."""
    double.fail_next("RegisterJobDefinition", "client_exception")
    waited: list[float] = []
    with pytest.raises(aws.ServiceError, match="refused by the test"):
        ensure_registered(settings, "ours", BODY, print, sleep=waited.append)
    assert (registered(double), waited) == (1, [])


def test_without_the_right_to_register_the_way_out_is_named(
    settings: Settings, double: BatchDouble, batch: Any
) -> None:
    """Once refused, not tried again."""
    register(batch, "base", containerProperties=BASE)
    double.fail_next("RegisterJobDefinition", "access_denied")
    with pytest.raises(aws.DeniedError) as caught:
        ensured(settings)
    assert "iam:PassRole" in str(caught.value.hint)
    assert registered(double) == 1


def test_a_base_that_runs_our_image_already_is_used(settings: Settings, double: BatchDouble, batch: Any) -> None:
    """No registration, no right to register needed."""
    arn = register(batch, "base")
    assert ensured(settings).arn == arn
    assert registered(double) == 0


def test_another_revision_under_our_name_is_not_taken(settings: Settings, double: BatchDouble, batch: Any) -> None:
    """Somebody changed the command in the console: ours is found if it is there, and registered again if not."""
    register(batch, "base", containerProperties=BASE)
    ours = ensured(settings)
    body = {k: v for k, v in ours.body.items() if k != "containerProperties"}
    batch.register_job_definition(
        jobDefinitionName=ours.name, **body, containerProperties={**ours.body["containerProperties"], "user": "evil"}
    )
    assert ensured(settings).arn == ours.arn
    batch.deregister_job_definition(jobDefinition=ours.arn)
    again = ensured(settings)
    assert again.registered
    assert again.arn.endswith(":3")


def test_a_deregistered_definition_is_registered_from_its_body(
    settings: Settings, double: BatchDouble, batch: Any
) -> None:
    """What the record keeps is enough."""
    register(batch, "base", containerProperties=BASE)
    made = ensured(settings)
    batch.deregister_job_definition(jobDefinition=made.arn)
    assert ensure_registered(settings, made.name, made.body, print).registered


def test_an_image_of_the_engine_cannot_run_on_batch(settings: Settings) -> None:
    """It has to be in a registry."""
    local = dataclasses.replace(OURS, ref="sha256:" + "cd" * 32)
    with pytest.raises(UsageError, match="only in this engine"):
        ensure_definition(settings, TAG, SNAPSHOT, local, print)


def test_a_definition_that_is_too_big_is_not_sent(settings: Settings, double: BatchDouble, batch: Any) -> None:
    """The base is just within the limit; with our digest and tags it is beyond."""
    room = [{"name": f"V{n}", "value": "x" * 1015} for n in range(23)]
    register(batch, "base", containerProperties={**BASE, "environment": room})
    with pytest.raises(UsageError, match="Batch takes 24,576"):
        ensured(settings)
    assert registered(double) == 0


def test_an_image_beside_ours_that_is_not_pinned_is_said(settings: Settings, double: BatchDouble, batch: Any) -> None:
    """A sidecar can change under its name."""
    containers = [{"name": "train", "image": BASE["image"]}, {"name": "logs", "image": "logs:1"}]
    batch.register_job_definition(
        jobDefinitionName="base",
        type="container",
        ecsProperties={"taskProperties": [{"containers": containers}]},
    )
    said: list[str] = []
    made = ensured(settings, said)
    assert made.registered
    assert said[0] == "warning: the definition also runs logs:1, which is not pinned by a digest"


def test_a_base_with_settings_this_boto3_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen in the reply as it came over the wire, since botocore drops them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    reply = (
        b'{"jobDefinitions": [{"jobDefinitionName": "base", "revision": 1, "jobDefinitionArn": "arn:1", '
        b'"type": "container", "containerProperties": {"image": "x", "enclave": {"on": true}}}]}'
    )

    def respond(_: Request) -> Reply:
        return Reply(200, reply)

    server = LoopbackServer(respond)
    server.start()
    try:
        with pytest.raises(RvexpError, match=r"does not know: containerProperties\.enclave"):
            describe(Settings(aws_endpoint_url=server.url, aws_region="us-east-1"), "base")
    finally:
        server.stop()
