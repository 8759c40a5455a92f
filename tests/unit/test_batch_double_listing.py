"""Which jobs the Batch double lists, and how its logs are read page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.doubles.driving import (
    NOW,
    Clock,
    client,
    describe,
    listed,
    refused,
    register,
    submit,
)

if TYPE_CHECKING:
    from tests.doubles.batch import BatchDouble

pytest_plugins = ["tests.doubles.fixtures"]

Json = dict[str, Any]


def test_listing_needs_exactly_one_place_and_at_most_one_filter(batch: Any) -> None:
    """A queue or an array, not both, not neither."""
    assert listed(batch, jobQueue="main") == []
    assert "exactly one" in refused(batch.list_jobs)
    assert "exactly one" in refused(batch.list_jobs, jobQueue="main", arrayJobId="x")
    two = [{"name": "JOB_NAME", "values": ["a"]}, {"name": "JOB_NAME", "values": ["b"]}]
    lower = [{"name": "job_name", "values": ["a"]}]
    assert "only one filter" in refused(batch.list_jobs, jobQueue="main", filters=two)
    assert "child jobs" in refused(batch.list_jobs, arrayJobId="x", filters=two[:1])
    empty = [{"name": "JOB_NAME", "values": []}]
    assert "needs a value" in refused(batch.list_jobs, jobQueue="main", filters=empty)
    assert "case sensitive" in refused(batch.list_jobs, jobQueue="main", filters=lower)


def test_no_status_means_running_and_children_are_listed_by_their_parent(double: BatchDouble, batch: Any) -> None:
    """The default is not "all"; array children do not show in the queue."""
    array = submit(batch, "array", arrayProperties={"size": 2})
    running = submit(batch, "running")
    double.advance(running, "RUNNING")
    assert listed(batch, jobQueue="main") == ["running"]
    assert listed(batch, jobQueue="main", jobStatus="SUBMITTED") == ["array"]
    children = batch.list_jobs(arrayJobId=array, jobStatus="SUBMITTED")["jobSummaryList"]
    indices = {child["jobId"]: child["arrayProperties"]["index"] for child in children}
    assert indices == {
        f"{array}:0": 0,
        f"{array}:1": 1,
    }


def test_the_name_filter_ignores_case_and_status_and_takes_a_star(double: BatchDouble, batch: Any) -> None:
    """Every status is found, exactly by name or by its beginning, newest first."""
    for name in ("Run-1", "run-10", "walk"):
        submit(batch, name)
    double.run_to_end(next(iter(double.jobs)))

    def named(value: str) -> list[str]:
        return listed(batch, jobQueue="main", filters=[{"name": "JOB_NAME", "values": [value]}])

    assert named("RUN-1") == ["Run-1"]
    assert named("run-1*") == ["run-10", "Run-1"]
    assert named("*") == ["walk", "run-10", "Run-1"]
    assert named("un-1") == []


def test_the_definition_filter_is_real_and_case_sensitive(batch: Any) -> None:
    """An ARN means one revision, a name all of them, and a star goes with names only."""
    first, second, other = register(batch, "train"), register(batch, "train"), register(batch, "trainer")
    for name, arn in (("a", first), ("b", second), ("c", other)):
        submit(batch, name, jobDefinition=arn)

    def using(value: str) -> list[str]:
        return listed(batch, jobQueue="main", filters=[{"name": "JOB_DEFINITION", "values": [value]}])

    assert using(first) == ["a"]
    assert using("train") == ["b", "a"]
    assert using("train*") == ["c", "b", "a"]
    assert using("TRAIN") == []
    starred = [{"name": "JOB_DEFINITION", "values": [first[:-2] + "*"]}]
    assert "not supported with an ARN" in refused(batch.list_jobs, jobQueue="main", filters=starred)


def test_time_filters_compare_creation(batch: Any, clock: Clock) -> None:
    """Before and after are strict, and take milliseconds as text."""
    for name in ("old", "new"):
        submit(batch, name)
        clock.now += 1000
    for kind, found in (("BEFORE_CREATED_AT", ["old"]), ("AFTER_CREATED_AT", ["new"])):
        value = str(NOW + 500)
        assert listed(batch, jobQueue="main", filters=[{"name": kind, "values": [value]}]) == found
    bad = [{"name": "AFTER_CREATED_AT", "values": ["yesterday"]}]
    assert "milliseconds" in refused(batch.list_jobs, jobQueue="main", filters=bad)


def test_listing_pages_with_a_token_of_its_own_query(double: BatchDouble, batch: Any) -> None:
    """Every job once over all pages; a token does not fit another query; a filter's pages hold at most 100."""
    arn = register(batch)
    names = [f"j{index}" for index in range(101)]
    for name in names:
        submit(batch, name, jobDefinition=arn)
    every = {"jobQueue": "main", "filters": [{"name": "JOB_NAME", "values": ["j*"]}], "maxResults": 1000}
    page = batch.list_jobs(**every)
    assert len(page["jobSummaryList"]) == 100
    assert listed(batch, **every) == names[::-1]
    assert len(batch.list_jobs(jobQueue="main", jobStatus="SUBMITTED")["jobSummaryList"]) == 101
    other = {"jobQueue": "main", "jobStatus": "SUBMITTED", "nextToken": page["nextToken"]}
    assert "nextToken" in refused(batch.list_jobs, **other)
    assert "at least 1" in refused(batch.list_jobs, jobQueue="main", maxResults=0)


def test_a_summary_carries_the_exit_code(double: BatchDouble, batch: Any) -> None:
    """As much as ListJobs tells of an ended job."""
    job = submit(batch)
    double.run_to_end(job, exit_code=9)
    (summary,) = batch.list_jobs(jobQueue="main", jobStatus="FAILED")["jobSummaryList"]
    assert (summary["jobId"], summary["container"], summary["isTerminated"]) == (job, {"exitCode": 9}, False)


def read_log(logs: Any, stream: str, token: str | None = None, **params: Any) -> tuple[list[str], str]:
    """One page of a stream from its head: messages and forward token."""
    params = {"startFromHead": True, **params, **({"nextToken": token} if token else {})}
    page = logs.get_log_events(logGroupName="/aws/batch/job", logStreamName=stream, **params)
    return [event["message"] for event in page["events"]], page["nextForwardToken"]


def test_a_log_is_read_until_the_token_repeats(double: BatchDouble, batch: Any) -> None:
    """The end gives back the token that was sent; lines that come later are found from there."""
    job = submit(batch)
    double.advance(job, "RUNNING")
    double.log(job, "one", "two", "three")
    logs, stream = client(double, "logs"), describe(batch, job)["container"]["logStreamName"]
    first, token = read_log(logs, stream, limit=2)
    rest, end = read_log(logs, stream, token, limit=2)
    assert (first, rest) == (["one", "two"], ["three"])
    assert read_log(logs, stream, end) == ([], end)
    double.log(job, "four")
    assert read_log(logs, stream, end)[0] == ["four"]


def test_without_start_from_head_the_latest_lines_come_first(double: BatchDouble) -> None:
    """The default begins at the end, and the backward token leads to what came before."""
    double.logs.put("/aws/batch/job", "s", NOW, "one", "two", "three")
    logs = client(double, "logs")
    where = {"logGroupName": "/aws/batch/job", "logStreamName": "s", "limit": 2}
    page = logs.get_log_events(**where)
    assert [event["message"] for event in page["events"]] == ["two", "three"]
    before = logs.get_log_events(**where, nextToken=page["nextBackwardToken"])
    assert [event["message"] for event in before["events"]] == ["one"]


def test_pages_may_be_empty_before_the_end(double: BatchDouble) -> None:
    """An empty page with a new token is not the end of the log."""
    double.logs.put("/aws/batch/job", "s", NOW, "one", "two")
    double.logs.blank_pages = 2
    logs = client(double, "logs")
    seen, token = read_log(logs, "s", limit=1)
    pages = 1
    while True:
        messages, following = read_log(logs, "s", token, limit=1)
        pages += 1
        if following == token:
            break
        seen, token = seen + messages, following
    assert (seen, pages) == (["one", "two"], 5)


def test_missing_streams_and_stale_tokens_are_errors(double: BatchDouble, batch: Any) -> None:
    """A job that wrote nothing has no stream, and a token does not live for ever."""
    logs, job = client(double, "logs"), submit(batch)
    with pytest.raises(ValueError, match="no log stream"):
        double.log(job, "too early")
    double.advance(job, "RUNNING")
    stream = describe(batch, job)["container"]["logStreamName"]
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*log stream does not exist"):
        read_log(logs, stream)
    with pytest.raises(ClientError, match="log group does not exist"):
        logs.get_log_events(logGroupName="/other", logStreamName=stream)
    double.log(job, "one")
    _, token = read_log(logs, stream)
    double.logs.expire_tokens()
    with pytest.raises(ClientError, match="nextToken is invalid"):
        read_log(logs, stream, token)
    with pytest.raises(ClientError, match="above the maximum of 10000"):
        read_log(logs, stream, limit=10_001)
