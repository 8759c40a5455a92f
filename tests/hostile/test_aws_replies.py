"""What a service that is not AWS answers: endless, nested, of other shapes; errors in words that name the call."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from git_rvexp import aws
from git_rvexp.aws import bounds
from git_rvexp.errors import RvexpError
from git_rvexp.executors.batch import BatchExecutor
from git_rvexp.model import Plan
from git_rvexp.names import RunId
from git_rvexp.settings import Settings
from tests.doubles.server import LoopbackServer, Reply, Request
from tests.hostile.test_replies import endless
from tests.listening import listening

JOB = {"jobId": "j", "jobName": "n", "jobQueue": "q", "status": "RUNNING", "jobDefinition": "d", "startedAt": 1}
PLAN = Plan(RunId.new(), "batch", "n-1", "i", ("true",), {}, seed=1, queue="q", definition="arn:aws:batch:x:1:d/d:1")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


class Answers:
    """A server whose next answer is `body`, with `status`."""

    def __init__(self) -> None:
        self.body, self.status = b"{}", 200
        self.server = LoopbackServer(self._respond)

    def _respond(self, _: Request) -> Reply:
        return Reply(self.status, self.body)

    @property
    def settings(self) -> Settings:
        """Settings that lead here."""
        return leading(self.server.url)


def leading(url: str) -> Settings:
    """Settings for a service at `url`."""
    return Settings(aws_endpoint_url=url, aws_region="us-east-1", batch_queue="q")


@pytest.fixture
def answers() -> Iterator[Answers]:
    made = Answers()
    made.server.start()
    yield made
    made.server.stop()


def described(settings: Settings) -> Any:
    """What becomes of an answer to DescribeJobs."""
    return BatchExecutor(settings).states(["j"])


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"[" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"[" * 65536 + b"\r\n"),
        (b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Header: 1\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
    ],
    ids=["body", "chunks", "error", "headers", "header"],
)
def test_an_answer_without_end(head: bytes, piece: bytes) -> None:
    """Cut off at what an answer may be; the test ends."""
    with listening(endless(head, piece)) as port, pytest.raises(aws.UnreachableError) as caught:
        described(leading(f"http://127.0.0.1:{port}"))
    if head.endswith(b"\r\n\r\n"):
        assert "batch.DescribeJobs has more than 32 MB" in str(caught.value)


def test_an_object_without_end_is_its_readers_business() -> None:
    """What is streamed is not read at the door: a large result stays possible."""
    with listening(endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536)) as port:
        found = aws.client("s3", leading(f"http://127.0.0.1:{port}")).get_object(Bucket="b", Key="k")["Body"]
        assert found.read(bounds.LONGEST + 10) == b"x" * (bounds.LONGEST + 10)
        found.close()


def test_the_longest_answer_is_taken(answers: Answers) -> None:
    """A thousand jobs of thirty kilobytes."""
    answers.body = json.dumps({"jobs": [JOB] + [{**JOB, "statusReason": "x" * 30_000}] * 1000}).encode()
    assert len(answers.body) < bounds.LONGEST
    assert described(answers.settings)["j"].phase


WRONG: list[Any] = [
    [],
    5,
    "x",
    None,
    {"jobs": {"a": 1}},
    {"jobs": "j"},
    {"jobs": [5]},
    {"jobs": [["j"]]},
    {"jobs": [{**JOB, "createdAt": "yesterday"}]},
    {"jobs": [{**JOB, "status": 5}]},
    {"jobs": [{**JOB, "jobId": ["j"]}]},
    {"jobs": [{**JOB, "container": "x"}]},
    {"jobs": [{**JOB, "container": {"exitCode": "0"}}]},
    {"jobs": [{**JOB, "attempts": {"x": 1}}]},
    {"jobs": [{**JOB, "attempts": [{"container": []}]}]},
    {"jobs": [{**JOB, "tags": ["x"]}]},
    {"jobs": [{**JOB, "arrayProperties": {"statusSummary": {"FAILED": "x"}}}]},
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: json.dumps(wrong)[-60:])
def test_an_answer_of_another_shape(answers: Answers, wrong: Any) -> None:
    """Named as what it is, with the call; never taken for "no such job"."""
    answers.body = json.dumps(wrong).encode()
    with pytest.raises(aws.UnreachableError, match=r"Batch DescribeJobs is (cut off or )?not one of AWS's"):
        described(answers.settings)


def test_a_deeply_nested_answer(answers: Answers) -> None:
    """No RecursionError."""
    answers.body = b'{"a":' * 200_000 + b"1" + b"}" * 200_000
    with pytest.raises(aws.UnreachableError, match="Batch DescribeJobs"):
        described(answers.settings)


@pytest.mark.parametrize("wrong", [{"__type": 5}, {"message": ["x"]}, {"code": {}}, [1], 5])
@pytest.mark.parametrize("status", [400, 500])
def test_an_error_of_another_shape(answers: Answers, wrong: Any, status: int) -> None:
    """An error all the same, in words."""
    answers.body, answers.status = json.dumps(wrong).encode(), status
    with pytest.raises(RvexpError):
        described(answers.settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"jobQueues": [{"jobQueueName": "q", "state": 1}]},
        {"jobQueues": "q"},
        {},
        {"jobQueues": [{}]},
        {"jobQueues": [{"state": "ENABLED", "status": "VALID", "jobQueueArn": []}]},
    ],
    ids=json.dumps,
)
def test_a_queue_or_a_job_of_another_shape(answers: Answers, wrong: Any) -> None:
    """A check that ends in words; a job that is looked for by name is not "not there"."""
    answers.body = json.dumps(wrong).encode()
    with pytest.raises(RvexpError):
        BatchExecutor(answers.settings).check(PLAN)
    answers.body = json.dumps({"jobSummaryList": [{"jobId": 5, "jobName": PLAN.job_name}]}).encode()
    with pytest.raises(aws.UnreachableError, match="ListJobs"):
        BatchExecutor(answers.settings).find(PLAN)


@pytest.mark.parametrize(
    "body",
    [
        b"<GetCallerIdentityResponse/>",
        b"<a><GetCallerIdentityResult><Account>x</Account></GetCallerIdentityResult></a>",
        b"<a>" * 100_000,
        b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 1000 + b'">]><a>' + b"&b;" * 10_000 + b"</a>",
    ],
    ids=["empty", "no number", "nested", "entities"],
)
def test_who_we_are_in_other_words(answers: Answers, body: bytes) -> None:
    """An account is a number."""
    answers.body = body
    with pytest.raises(RvexpError):
        aws.identity(answers.settings)


def test_a_listing_whose_numbers_are_none(answers: Answers) -> None:
    """Botocore makes numbers of XML unseen."""
    answers.body = b"<ListBucketResult><Contents><Key>k</Key><Size>many</Size></Contents></ListBucketResult>"
    with pytest.raises(aws.UnreachableError, match="cannot list the bucket"), aws.calling("list the bucket"):
        aws.client("s3", answers.settings).list_objects_v2(Bucket="b")


def test_an_endpoint_that_is_no_address() -> None:
    """The settings are wrong, not the program."""
    with pytest.raises(RvexpError, match="nonsense"):
        aws.client("batch", leading("nonsense"))
