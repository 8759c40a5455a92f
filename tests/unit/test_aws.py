"""The door to AWS: clients, what errors mean, ECR, raw replies. Real boto3 throughout, against loopback servers."""

from __future__ import annotations

import base64
import dataclasses
import json
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from git_rvexp import aws
from git_rvexp.ecrhosts import is_ecr
from git_rvexp.errors import CredentialsError, RvexpError, UsageError
from git_rvexp.settings import Settings
from tests.doubles.server import LoopbackServer, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.doubles.batch import BatchDouble

pytest_plugins = ["tests.doubles.fixtures"]

Json = Any
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


class Service:
    """A service that answers everything alike; `requests` is what it was asked."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.requests: list[Request] = []
        self.server = LoopbackServer(self._respond)

    def _respond(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.reply

    def says(self, status: int, body: Json, **headers: str) -> None:
        """Answer with this from now on."""
        self.reply = Reply(status, json.dumps(body).encode(), {k.replace("_", "-"): v for k, v in headers.items()})

    @property
    def settings(self) -> Settings:
        """Settings that lead here."""
        return Settings(aws_endpoint_url=self.server.url, aws_region="us-east-1")


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    made.server.start()
    yield made
    made.server.stop()


def ask(settings: Settings) -> None:
    """Some call of a service that speaks JSON."""
    with aws.calling("look at the queues"):
        aws.client("batch", settings).describe_job_queues()


def error(service: Service, name: str, status: int, text: str = "no", **headers: str) -> RvexpError:
    """What becomes of this error of the service."""
    service.says(status, {"message": text}, x_amzn_ErrorType=name, **headers)
    with pytest.raises(RvexpError) as caught:
        ask(service.settings)
    return caught.value


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("ExpiredTokenException", 403, CredentialsError),
        ("UnrecognizedClientException", 403, CredentialsError),
        ("InvalidClientTokenId", 403, CredentialsError),
        ("InvalidSignatureException", 403, CredentialsError),
        ("SignatureDoesNotMatch", 403, CredentialsError),
        ("AccessDeniedException", 403, aws.DeniedError),
        ("AccessDenied", 403, aws.DeniedError),
        ("UnauthorizedOperation", 403, aws.DeniedError),
        ("TooManyRequestsException", 429, aws.ThrottledError),
        ("ThrottlingException", 400, aws.ThrottledError),
        ("SomethingNew", 429, aws.ThrottledError),
        ("ClientException", 400, aws.ServiceError),
        ("ServerException", 500, aws.ServiceError),
    ],
)
def test_each_answer_has_its_meaning(service: Service, name: str, status: int, kind: type[RvexpError]) -> None:
    """Only a plain no is a plain no."""
    found = error(service, name, status, "the server's words")
    assert type(found) is kind
    assert str(found).startswith("cannot look at the queues: ")
    if isinstance(found, aws.ServiceError):
        assert (found.status, found.name) == (status, name)
        assert "the server's words" in str(found)
    else:
        assert (found.code, found.hint) == (4, "aws sso login   (or: aws configure)")


def test_a_wrong_clock_is_explained(service: Service) -> None:
    """Both times are shown: AWS's from its reply, and this machine's."""
    text = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z"
    usual: Any = service.server.RequestHandlerClass
    skewed = type("Skewed", (usual,), {"date_time_string": lambda *_: "Thu, 01 Jan 2015 10:00:00 GMT"})
    service.server.RequestHandlerClass = skewed
    found = error(service, "InvalidSignatureException", 403, text)
    assert isinstance(found, CredentialsError)
    assert "clock is wrong" in str(found)
    assert "at AWS 2015-01-01 10:00:00 UTC" in str(found)
    assert found.hint == "set the clock, then try again"


def test_a_quoted_request_is_not_repeated(service: Service) -> None:
    """AWS quotes what it was sent when a signature is wrong, session token included."""
    text = "The signature does not match.\n\nThe Canonical String was\nx-amz-security-token:SECRET"
    assert "SECRET" not in str(error(service, "InvalidSignatureException", 403, text))


def test_nobody_there_is_unreachable_and_named(service: Service) -> None:
    """With the address, without a password in it."""
    address = service.server.url.replace("http://", "http://ada:hunter2@")
    service.server.stop()
    with pytest.raises(aws.UnreachableError) as caught:
        ask(Settings(aws_endpoint_url=address, aws_region="us-east-1"))
    assert service.server.url.removeprefix("http://") in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("reply", [Reply(ending="reset"), Reply(ending="close")])
def test_a_lost_reply_is_unreachable(service: Service, reply: Reply) -> None:
    """What was asked may have been done or not."""
    service.reply = reply
    with pytest.raises(aws.UnreachableError, match="no answer"):
        ask(service.settings)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b'{"jobQueues": []}', keep=8),
        Reply(200, b"<html>It works!</html>"),
        Reply(200, b"[]"),
        Reply(200, b'"queues"'),
        Reply(502, b"[]"),
    ],
)
def test_half_an_answer_is_not_an_empty_one(service: Service, reply: Reply) -> None:
    """A body that was cut off is no answer without queues, though botocore alone would take it for one."""
    service.reply = reply
    with pytest.raises(aws.UnreachableError, match=r"DescribeJobQueues is cut off or not one of AWS's|no answer"):
        ask(service.settings)


def test_the_error_page_of_a_proxy_keeps_its_status(service: Service) -> None:
    """It is nothing that AWS said, but the number tells what happened."""
    service.reply = Reply(502, b"<html>Bad Gateway</html>")
    with pytest.raises(aws.ServiceError) as caught:
        ask(service.settings)
    assert caught.value.status == 502


def test_a_reply_that_is_no_xml_is_unreachable(service: Service) -> None:
    """From the services that speak XML."""
    service.reply = Reply(200, b"It works!", {"Content-Type": "text/html"})
    with pytest.raises(aws.UnreachableError, match="not one of AWS's"):
        aws.identity(service.settings)


def test_a_slow_reply_is_given_up(service: Service) -> None:
    """After the seconds that the client was made with."""
    service.reply = Reply(delay=30)
    with pytest.raises(aws.UnreachableError), aws.calling("wait"):
        aws.client("batch", service.settings, read_seconds=0.3).describe_job_queues()


def test_a_call_made_once_is_made_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the user's AWS settings say; other calls do repeat."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    service.says(500, {"message": "broken"}, x_amzn_ErrorType="ServerException")
    with pytest.raises(aws.ServiceError), aws.calling("register"):
        aws.client("batch", service.settings, once=True).register_job_definition(
            jobDefinitionName="n", type="container"
        )
    assert len(service.requests) == 1
    with pytest.raises(aws.ServiceError):
        ask(service.settings)
    assert len(service.requests) == 4


def test_we_say_who_calls(service: Service) -> None:
    """In the user agent, so that an administrator can tell."""
    service.says(200, {"jobQueues": []})
    ask(service.settings)
    assert " git-rvexp/" in service.requests[0].headers["user-agent"]


def test_missing_region_profile_and_credentials_are_told_apart(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its remedy, and nothing sent."""
    with pytest.raises(UsageError, match="no AWS region") as region:
        aws.client("batch", Settings())
    assert "rvexp.aws.region" in str(region.value.hint)
    with pytest.raises(UsageError, match="nobody") as profile:
        aws.client("batch", Settings(aws_region="us-east-1", aws_profile="nobody"))
    assert profile.value.hint == "aws configure list-profiles"
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialsError, match="no AWS credentials"):
        ask(service.settings)
    assert service.requests == []


def test_half_a_pair_of_credentials_is_a_matter_of_credentials(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a bug."""
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialsError, match="cannot be used"):
        ask(service.settings)


def test_an_ended_sso_login_says_so(service: Service, sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The most usual case in the morning."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    sealed.joinpath("aws-config").write_text(
        "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.org/start\n"
    )
    with pytest.raises(CredentialsError) as caught:
        ask(service.settings)
    assert "aws sso login" in str(caught.value.hint)


def test_credentials_are_asked_for_again_only_after_they_were_refused(
    service: Service, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a command takes: a program that gives them may ask the user for a code that holds once."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    asked = sealed / "asked"
    given = '{"Version": 1, "AccessKeyId": "testing", "SecretAccessKey": "testing"}'
    program = sealed / "credentials"
    program.write_text(f"#!/bin/sh\necho >>{asked}\necho '{given}'\n")
    program.chmod(0o755)
    sealed.joinpath("aws-config").write_text(f"[default]\ncredential_process = {program}\n")
    service.says(200, {"jobQueues": []})
    settings = service.settings
    ask(settings)
    later = time.monotonic() + 3600
    monkeypatch.setattr(time, "monotonic", lambda: later)
    ask(settings)
    ask(dataclasses.replace(settings))
    assert asked.read_text() == "\n"
    error(service, "ExpiredTokenException", 403)
    service.says(200, {"jobQueues": []})
    ask(settings)
    ask(settings)
    assert asked.read_text() == "\n\n"


def test_wrong_parameters_are_not_sent(service: Service) -> None:
    """They are our caller's mistake, and there is no doubt about them."""
    with pytest.raises(UsageError, match="jobName"), aws.calling("submit"):
        aws.client("batch", service.settings).submit_job(jobQueue="q")
    assert service.requests == []


def test_who_we_are(double: BatchDouble) -> None:
    """Account and region."""
    assert aws.identity(Settings(aws_endpoint_url=double.url, aws_region="us-east-1")) == ("123456789012", "us-east-1")


def token(text: str) -> Json:
    """GetAuthorizationToken's answer."""
    return {"authorizationData": [{"authorizationToken": base64.b64encode(text.encode()).decode()}]}


def test_an_ecr_login_is_for_the_hosts_own_region_and_leaves_no_trace(
    service: Service, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], sealed: Path
) -> None:
    """In memory: not printed, not logged, not in anybody's Docker configuration."""
    caplog.set_level(logging.INFO)
    service.says(200, token("AWS:p:ss"))
    assert aws.ecr_auth(service.settings, HOST) == ("AWS", "p:ss")
    assert "/eu-west-1/ecr/" in service.requests[0].headers["authorization"]
    assert "p:ss" not in caplog.text + "".join(capfd.readouterr())
    assert [p.name for p in sealed.iterdir()] == [".gitconfig"]


@pytest.mark.parametrize(
    "registry",
    [
        "docker.io",
        "localhost:5000",
        f"{HOST}.evil.example",
        f"evil.example/{HOST}",
        "12.dkr.ecr.us-east-1.amazonaws.com",
        f"x{HOST}",
        "",
    ],
)
def test_no_ecr_login_for_other_hosts(service: Service, registry: str) -> None:
    """The token is asked for real ECR names only."""
    with pytest.raises(UsageError, match="is not an ECR registry"):
        aws.ecr_auth(service.settings, registry)
    assert not is_ecr(registry)
    assert service.requests == []


@pytest.mark.parametrize(
    "answer", [{}, {"authorizationData": []}, {"authorizationData": [{"authorizationToken": "*"}]}]
)
def test_an_answer_without_a_token_is_an_error(service: Service, answer: Json) -> None:
    """Not an empty password."""
    service.says(200, answer)
    with pytest.raises(RvexpError, match="holds no token"):
        aws.ecr_auth(service.settings, HOST)


@pytest.mark.parametrize(("mutability", "immutable"), [("IMMUTABLE", True), ("MUTABLE_WITH_EXCLUSION", False)])
def test_a_repository_is_looked_at_with_its_own_account(service: Service, mutability: str, immutable: bool) -> None:  # noqa: FBT001  parametrised
    """Its tags' mutability is told; tag and digest of the reference do not matter."""
    service.says(200, {"repositories": [{"repositoryName": "team/exp", "imageTagMutability": mutability}]})
    found = aws.ecr_repository(service.settings, f"{HOST}/team/exp:one@sha256:{'0' * 64}")
    assert found == aws.Repository("team/exp", "123456789012", "eu-west-1", mutability)
    assert found.immutable is immutable
    assert json.loads(service.requests[0].body) == {"registryId": "123456789012", "repositoryNames": ["team/exp"]}


def test_a_missing_repository_is_not_created(service: Service) -> None:
    """The hint is the command that creates it."""
    service.says(400, {"__type": "RepositoryNotFoundException", "message": "none"})
    with pytest.raises(RvexpError, match="no ECR repository exp in account 123456789012, eu-west-1") as caught:
        aws.ecr_repository(service.settings, f"{HOST}/exp")
    assert str(caught.value.hint).startswith("aws ecr create-repository --region eu-west-1 --repository-name exp")
    assert len(service.requests) == 1


def test_a_repository_that_may_not_be_seen_is_not_missing(service: Service) -> None:
    """Denied is "cannot tell"."""
    service.says(400, {"__type": "AccessDeniedException", "message": "not authorized"})
    with pytest.raises(aws.DeniedError):
        aws.ecr_repository(service.settings, f"{HOST}/exp")


def test_raw_replies_keep_what_the_model_drops(service: Service) -> None:
    """Only within the block, and only of what was answered well."""
    reads = aws.client("batch", service.settings)
    service.says(200, {"jobQueues": [], "newThing": {"x": 1}})
    with aws.raw_replies("DescribeJobQueues") as raw:
        assert "newThing" not in reads.describe_job_queues()
        service.says(400, {"message": "no"}, x_amzn_ErrorType="ClientException")
        with pytest.raises(aws.ServiceError), aws.calling("look"):
            reads.describe_job_queues()
    assert raw == [{"jobQueues": [], "newThing": {"x": 1}}]
    service.says(200, {"jobQueues": []})
    reads.describe_job_queues()
    assert len(raw) == 1


def test_calling_decorates_too(service: Service) -> None:
    """A whole function can be one call."""
    service.says(400, {"message": "no"}, x_amzn_ErrorType="ClientException")
    look: Callable[[], Json] = aws.calling("look")(lambda: aws.client("batch", service.settings).describe_job_queues())
    with pytest.raises(aws.ServiceError, match="cannot look: no"):
        look()
