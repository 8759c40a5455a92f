"""The Batch executor against a strict double, with real boto3 in between: what is sent, and what is made of answers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from git_rvexp import aws
from git_rvexp.errors import CREDENTIALS, RvexpError, UsageError
from git_rvexp.executors import batch_request, batch_state
from git_rvexp.executors.batch import BatchExecutor
from git_rvexp.executors.batch_submit import submit_once
from git_rvexp.executors.protocol import BusyError, RefusedError, UnsureError
from git_rvexp.model import Phase, Plan, Resources
from git_rvexp.names import RunId
from git_rvexp.settings import Settings
from tests.doubles.driving import CONTAINER, IMAGE, NOW, SPOT_RULES, register, submit
from tests.doubles.server import LoopbackServer, Reply, Request

if TYPE_CHECKING:
    from tests.doubles.batch import BatchDouble

pytest_plugins = ["tests.doubles.fixtures"]

Json = Any
NAME = "rvexp-k3v9q2k3v9-first"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def executor(double: BatchDouble) -> BatchExecutor:
    return BatchExecutor(Settings(aws_endpoint_url=double.url, aws_region="us-east-1"), sleep=lambda _: None)


@pytest.fixture
def plan(batch: Any) -> Plan:
    """A plan on a registered definition."""
    return Plan(
        RunId("k3v9q2k3v9"),
        "batch",
        NAME,
        IMAGE,
        ("python", "train.py"),
        env={"RVEXP_TAG": "al/roads/2026-11-22/first"},
        queue="main",
        definition=register(batch),
        account="123456789012",
        region="us-east-1",
    )


def test_a_plain_plan_is_submitted_as_it_stands(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """Nothing is asked for that the plan does not say."""
    executor.check(plan)
    assert double.called("SubmitJob") == []
    job = executor.submit(plan)
    assert list(double.jobs) == [job]
    assert double.called("SubmitJob") == [
        {
            "jobName": NAME,
            "jobQueue": "main",
            "jobDefinition": plan.definition,
            "containerOverrides": {
                "command": ["python", "train.py"],
                "environment": [{"name": "RVEXP_TAG", "value": "al/roads/2026-11-22/first"}],
            },
            "retryStrategy": {"attempts": 1},
            "propagateTags": True,
            "tags": {"rvexp:run": "k3v9q2k3v9", "rvexp:tag": "al/roads/2026-11-22/first"},
        }
    ]


def test_a_full_plan_says_everything(executor: BatchExecutor, double: BatchDouble, batch: Any, plan: Plan) -> None:
    """Resources, retries of lost hosts only, timeout, array, parents, share, tags."""
    double.add_queue("fair", scheduling_policy="arn:aws:batch:us-east-1:123456789012:scheduling-policy/p")
    parent = submit(batch, "parent")
    full = dataclasses.replace(
        plan,
        queue="fair",
        resources=Resources(0.5, 4096, 2),
        attempts=3,
        timeout=3600,
        array=4,
        after=(parent,),
        extra={"share_identifier": "team", "priority": 7, "tags": {"cost": "maps"}},
    )
    executor.check(full)
    executor.submit(full)
    asked = double.called("SubmitJob")[-1]
    assert asked["containerOverrides"]["resourceRequirements"] == [
        {"type": "VCPU", "value": "0.5"},
        {"type": "MEMORY", "value": "4096"},
        {"type": "GPU", "value": "2"},
    ]
    assert asked["retryStrategy"] == {"attempts": 3, "evaluateOnExit": SPOT_RULES}
    assert asked["timeout"] == {"attemptDurationSeconds": 3600}
    assert asked["arrayProperties"] == {"size": 4}
    assert asked["dependsOn"] == [{"jobId": parent}]
    assert (asked["shareIdentifier"], asked["schedulingPriorityOverride"]) == ("team", 7)
    assert asked["tags"]["cost"] == "maps"


@pytest.mark.parametrize(
    ("kind", "jobs"),
    [
        ("lost_reply", 1),
        ("500_after", 1),
        ("429_after", 1),
        ("garbage_after", 1),
        ("truncated_after", 1),
        ("reset_before", 0),
        ("500_before", 0),
        ("429_before", 0),
        ("held", 0),
    ],
)
def test_a_spoilt_reply_is_unsure_sent_once_and_found_by_name(
    executor: BatchExecutor, double: BatchDouble, plan: Plan, kind: str, jobs: int
) -> None:
    """Never two jobs; looking up by name tells what happened."""
    double.fail_next("SubmitJob", kind)
    with pytest.raises(UnsureError) as caught:
        executor.submit(plan)
    assert isinstance(caught.value, BusyError) == kind.startswith("429")
    assert len(double.called("SubmitJob")) == 1
    assert executor.find(plan) == list(double.jobs)
    assert len(double.jobs) == jobs


def test_a_reply_that_comes_too_late_is_unsure(double: BatchDouble, plan: Plan) -> None:
    """A slow reply is not tried again either."""
    settings = Settings(aws_endpoint_url=double.url, aws_region="us-east-1")
    hurried = BatchExecutor(settings, sleep=lambda _: None, read_seconds=0.5)
    double.fail_next("SubmitJob", "slow_after", delay=20)
    with pytest.raises(UnsureError):
        hurried.submit(plan)
    assert len(double.called("SubmitJob")) == len(double.jobs) == 1


def test_a_request_that_lands_late_is_found_then(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """Not found is not the end of it."""
    double.fail_next("SubmitJob", "held")
    with pytest.raises(UnsureError):
        executor.submit(plan)
    assert executor.find(plan) == []
    double.release()
    assert executor.find(plan) == list(double.jobs) != []


@pytest.mark.parametrize("kind", ["client_exception", "access_denied", "expired_token"])
def test_a_refusal_means_that_there_is_no_job(
    executor: BatchExecutor, double: BatchDouble, plan: Plan, kind: str
) -> None:
    """With the server's words; credentials keep their own exit code."""
    double.fail_next("SubmitJob", kind)
    with pytest.raises(RefusedError) as caught:
        executor.submit(plan)
    assert (caught.value.code == CREDENTIALS) == (kind == "expired_token")
    says = {"client_exception": "refused by the test", "access_denied": "not authorized", "expired_token": "expired"}
    assert says[kind] in str(caught.value)
    assert double.jobs == {}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(400, b"no"), RefusedError),
        (Reply(403, b"<html>the proxy does not let you</html>"), RefusedError),
        (Reply(408, b"<html>the proxy has waited enough</html>"), UnsureError),
        (Reply(502, b"<html>Bad Gateway</html>"), UnsureError),
        (Reply(504, b""), UnsureError),
        (Reply(200, b""), UnsureError),
        (Reply(200, b"{}"), UnsureError),
        (Reply(200, b'{"jobId": 7}'), UnsureError),
        (Reply(200, b'{"jobId": ""}'), UnsureError),
        (Reply(200, b"[]"), UnsureError),
        (Reply(500, b'"oops"'), UnsureError),
        (Reply(302, b"", {"Location": "/login"}), UnsureError),
    ],
)
def test_what_stands_between_us_and_batch_may_answer_too(reply: Reply, kind: type[RvexpError]) -> None:
    """Only a clear no of the kind "this request is wrong" means that there is no job."""
    asked = []

    def respond(request: Request) -> Reply:
        asked.append(request)
        return reply

    server = LoopbackServer(respond)
    server.start()
    try:
        client = aws.client("batch", Settings(aws_endpoint_url=server.url, aws_region="us-east-1"), once=True)
        with pytest.raises(kind):
            submit_once(client, {"jobName": "n", "jobQueue": "q", "jobDefinition": "d"})
    finally:
        server.stop()
    assert len(asked) == 1


def test_without_credentials_nothing_is_sent(
    executor: BatchExecutor, double: BatchDouble, plan: Plan, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """And the exit code is that of credentials."""
    executor.check(plan)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(RefusedError) as caught:
        executor.submit(plan)
    assert caught.value.code == CREDENTIALS
    assert double.called("SubmitJob") == []


def test_names_are_compared_exactly_and_oldest_comes_first(
    executor: BatchExecutor, double: BatchDouble, batch: Any, plan: Plan, clock: Any
) -> None:
    """Batch's own filter ignores case; pages are followed to the end; other queues are not ours."""
    double.add_queue("other")
    ours = []
    for number in range(130):
        clock.now += 1000
        ours.append(submit(batch, NAME))
        if number % 10 == 0:
            submit(batch, NAME.upper())
            submit(batch, NAME, jobQueue="other")
    assert executor.find(plan) == ours


def test_a_denied_look_up_is_not_an_absence(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """Who may not look cannot say that there is nothing."""
    double.fail_next("ListJobs", "access_denied")
    with pytest.raises(aws.DeniedError, match="not authorized"):
        executor.find(plan)


def test_reads_are_repeated_and_then_given_up(
    executor: BatchExecutor, double: BatchDouble, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One throttled reply is passed over; throttling that stays is named."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    double.fail_next("ListJobs", "429_before")
    assert executor.find(plan) == []
    double.fail_next("ListJobs", "429_before", count=2)
    with pytest.raises(aws.ThrottledError, match="slow down"):
        executor.find(plan)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"queue": ""}, "no job queue is set"),
        ({"queue": "nowhere"}, "there is no job queue nowhere"),
        ({"queue": "closed"}, "takes no jobs: it is DISABLED"),
        ({"queue": "broken"}, "it is ENABLED and INVALID"),
        ({"queue": "fair"}, "wants a share identifier"),
        ({"extra": {"share_identifier": "x"}}, "takes no share identifier"),
        ({"account": "999999999999"}, "planned for account 999999999999"),
        ({"region": "eu-west-1"}, "in eu-west-1"),
        ({"definition": "train"}, "as arn:…:revision"),
        ({"definition": "arn:aws:batch:us-east-1:123456789012:job-definition/train:99"}, "does not exist"),
        ({"image": "r@sha256:" + "0" * 64}, "does not run the image"),
        ({"secret_env": ("TOKEN",)}, "no secret called TOKEN"),
        ({"command": ()}, "no command"),
        ({"env": {"BIG": "x" * 8192}}, "as JSON"),
    ],
)
def test_what_batch_would_refuse_or_fail_is_refused_before(
    executor: BatchExecutor, double: BatchDouble, plan: Plan, changes: dict[str, Any], says: str
) -> None:
    """Nothing is submitted, and the reason is ours to read."""
    double.add_queue("closed", state="DISABLED")
    double.add_queue("broken", status="INVALID")
    double.add_queue("fair", scheduling_policy="arn:aws:batch:us-east-1:123456789012:scheduling-policy/p")
    with pytest.raises(RvexpError, match=says):
        executor.check(dataclasses.replace(plan, **changes))
    assert double.called("SubmitJob") == []


def test_a_plan_without_a_definition_yet_is_checked_as_far_as_it_goes(
    executor: BatchExecutor, double: BatchDouble, plan: Plan
) -> None:
    """Before anything is built: queue and sizes, but no definition is asked for."""
    early = dataclasses.replace(plan, definition="")
    executor.check(early)
    with pytest.raises(UsageError, match="as JSON"):
        executor.check(dataclasses.replace(early, env={"BIG": "x" * 8192}))
    assert "DescribeJobDefinitions" not in {call.operation for call in double.calls[2:]}


def test_a_deregistered_definition_is_refused(executor: BatchExecutor, batch: Any, plan: Plan) -> None:
    """Before the job, with the way out."""
    batch.deregister_job_definition(jobDefinition=plan.definition)
    with pytest.raises(RvexpError, match="is INACTIVE"):
        executor.check(plan)
    with pytest.raises(RefusedError, match="nothing was submitted"):
        executor.submit(plan)


def test_secrets_come_from_the_definition(executor: BatchExecutor, batch: Any, plan: Plan) -> None:
    """A plan that names one passes when the definition has it, and no value is ever sent."""
    secrets = [{"name": "TOKEN", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:t"}]
    arn = register(batch, "with-secret", containerProperties={**CONTAINER, "secrets": secrets})
    executor.check(dataclasses.replace(plan, definition=arn, secret_env=("TOKEN",)))


def test_every_status_has_a_phase(executor: BatchExecutor, double: BatchDouble, batch: Any, clock: Any) -> None:
    """From queued to done, with times in seconds and the exit code."""
    job = submit(batch)
    for status, phase in (("RUNNABLE", Phase.SUBMITTED), ("STARTING", Phase.SUBMITTED), ("RUNNING", Phase.RUNNING)):
        double.advance(job, status)
        state = executor.states([job])[job]
        assert (state.phase, state.exit_code, state.details["status"]) == (phase, None, status)
    clock.now += 90_500
    double.advance(job, "SUCCEEDED")
    state = executor.states([job])[job]
    assert (state.phase, state.exit_code, state.started, state.seconds) == (Phase.SUCCEEDED, 0, NOW / 1000, 90.5)
    assert state.details["image"] == IMAGE
    assert state.details["log_stream"].startswith("train/default/")


def test_a_failed_job_says_why(executor: BatchExecutor, double: BatchDouble, batch: Any) -> None:
    """Batch's reason and the container's, and the container's exit code."""
    job = submit(batch)
    double.advance(job, "FAILED", exit_code=137, container_reason="OutOfMemoryError: killed")
    state = executor.states([job])[job]
    assert (state.phase, state.exit_code) == (Phase.FAILED, 137)
    assert state.reason == "Essential container in task exited; OutOfMemoryError: killed"


def test_a_job_that_waits_says_what_for(executor: BatchExecutor, double: BatchDouble, batch: Any) -> None:
    """The reason a queue gives for a stuck job is passed on."""
    job = submit(batch)
    double.advance(job, "RUNNABLE", reason="MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too much memory")
    assert executor.states([job])[job].reason.startswith("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")


def test_lost_hosts_are_attempts_of_their_own(
    executor: BatchExecutor, double: BatchDouble, plan: Plan, batch: Any
) -> None:
    """A spot kill has no exit code and is tried again; an ordinary failure after it is not."""
    job = executor.submit(dataclasses.replace(plan, attempts=3))
    double.spot_kill(job)
    assert executor.states([job])[job].phase is Phase.SUBMITTED
    double.advance(job, "FAILED", exit_code=3)
    state = executor.states([job])[job]
    assert (state.phase, state.exit_code) == (Phase.FAILED, 3)
    first, second = state.details["attempts"]
    assert first["status_reason"].startswith("Host EC2")
    assert "exit" not in first
    assert second["exit"] == 3
    assert first["log_stream"] != second["log_stream"]


def test_a_job_lost_with_its_host_for_good_has_no_exit_code(
    executor: BatchExecutor, double: BatchDouble, plan: Plan
) -> None:
    """Failed, and honestly without a code."""
    job = executor.submit(plan)
    double.spot_kill(job)
    state = executor.states([job])[job]
    assert (state.phase, state.exit_code) == (Phase.FAILED, None)


def test_an_exit_code_that_only_the_list_tells_is_found() -> None:
    """Some Batch services leave it out of the description: then the pure reading says that it is not known."""
    detail = {"jobId": "j", "status": "FAILED", "container": {}, "attempts": [{"container": {"exitCode": 9}}]}
    assert batch_state.exit_code(detail) == 9
    assert batch_state.exit_code({"jobId": "j", "status": "FAILED", "container": {}}) is None


def test_the_first_bad_code_of_several_containers_counts() -> None:
    """A sidecar that ends well does not hide the failure beside it."""
    containers = [{"name": "a", "exitCode": 0}, {"name": "b", "exitCode": 5}]
    detail = {"jobId": "j", "status": "FAILED", "ecsProperties": {"taskProperties": [{"containers": containers}]}}
    assert batch_state.exit_code(detail) == 5


def test_a_status_of_a_later_batch_is_not_over() -> None:
    """An unknown word must not end a wait."""
    assert not batch_state.state({"jobId": "j", "status": "HIBERNATING"}, None).phase.over


def test_an_array_stands_where_the_first_of_its_children_does(
    executor: BatchExecutor, double: BatchDouble, plan: Plan
) -> None:
    """Batch itself says PENDING of it until all have ended."""
    job = executor.submit(dataclasses.replace(plan, array=3))
    for status, phase in (("RUNNABLE", Phase.SUBMITTED), ("STARTING", Phase.SUBMITTED), ("RUNNING", Phase.RUNNING)):
        double.advance(f"{job}:1", status)
        state = executor.states([job])[job]
        assert (double.jobs[job].status, state.phase, state.details["status"]) == ("PENDING", phase, status)
    double.run_to_end(f"{job}:1")
    assert executor.states([job])[job].phase is Phase.RUNNING
    double.run_to_end(job)
    assert executor.states([job])[job].phase is Phase.SUCCEEDED


def test_arrays_tell_their_children(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """The parent has counts and how its children failed, a child its index."""
    job = executor.submit(dataclasses.replace(plan, array=3))
    double.advance(f"{job}:1", "FAILED", exit_code=1)
    states = executor.states([job, f"{job}:1"])
    failed = {"1": {"exit": 1, "reason": "Essential container in task exited"}}
    counts = {"SUBMITTED": 2, "FAILED": 1}
    assert states[job].details["array"] == {"size": 3, "counts": counts, "failed": failed}
    assert states[f"{job}:1"].details["array"] == {"index": 1}
    assert states[f"{job}:1"].exit_code == 1


def test_the_first_failed_children_are_told_whatever_page_they_are_on(
    executor: BatchExecutor, double: BatchDouble, plan: Plan
) -> None:
    """Whoever looks tells the same fifty: the list is read to its end."""
    job = executor.submit(dataclasses.replace(plan, array=70))
    for index in range(5, 65):
        double.advance(f"{job}:{index}", "FAILED", exit_code=index)
    double.run_to_end(job)
    double.services.pager.limit = 20
    told = executor.states([job])[job].details["array"]["failed"]
    assert {index: end["exit"] for index, end in told.items()} == {str(index): index for index in range(5, 55)}


@pytest.mark.parametrize("kind", ["client_exception", "access_denied", "429_before", "expired_token"])
def test_a_list_that_cannot_be_had_hides_no_end(
    executor: BatchExecutor, double: BatchDouble, plan: Plan, kind: str
) -> None:
    """Of a job without an exit code, of an array that failed, and of what was asked with them the end is told."""
    lost, array, fine = (executor.submit(dataclasses.replace(plan, array=size)) for size in (0, 2, 0))
    double.spot_kill(lost)
    double.run_to_end(array, exit_code=3)
    double.run_to_end(fine)
    double.fail_next("ListJobs", kind, count=9)
    states = executor.states([lost, array, fine])
    assert [states[job].phase for job in (lost, array, fine)] == [Phase.FAILED, Phase.FAILED, Phase.SUCCEEDED]
    assert states[lost].exit_code is None


def test_many_jobs_are_described_a_hundred_at_a_time(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """Unknown and forgotten ones are absent; an empty question is not asked at all."""
    assert executor.states([]) == {}
    assert double.called("DescribeJobs") == []
    job = executor.submit(dataclasses.replace(plan, array=250))
    wanted = [*(f"{job}:{i}" for i in range(250)), "unknown", f"{job}:0"]
    assert list(executor.states(wanted)) == [f"{job}:{i}" for i in range(250)]
    assert [len(call["jobs"]) for call in double.called("DescribeJobs")] == [100, 100, 51]


def test_a_forgotten_job_is_absent(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """After its retention Batch knows nothing, and neither do we."""
    job = executor.submit(plan)
    double.run_to_end(job)
    double.forget(job)
    assert executor.states([job]) == {}
    with pytest.raises(RvexpError, match="does not know"):
        executor.logs(job)


def test_a_running_job_is_stopped(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """By TerminateJob, with a reason that fits."""
    job = executor.submit(plan)
    double.advance(job, "RUNNING")
    executor.cancel(job, "enough" * 400, run=str(plan.run))
    assert double.called("CancelJob") == []
    assert [len(call["reason"]) for call in double.called("TerminateJob")] == [1024]
    state = executor.states([job])[job]
    assert state.phase is Phase.FAILED
    assert state.details["terminated"] is True


def test_a_job_of_another_run_is_not_stopped(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """Though a record says that it is the run's; one that was submitted by hand has the run that its id gives."""
    job = executor.submit(plan)
    with pytest.raises(RvexpError, match=f"the job of run zyzyzyzyz2, and Batch calls that job {plan.job_name}"):
        executor.cancel(job, "enough", run="zyzyzyzyz2")
    assert double.called("TerminateJob") == []
    executor.cancel(job, "enough", run=str(RunId.of(job)))
    assert len(double.called("TerminateJob")) == 1


def test_logs_of_all_attempts_in_order(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """Page after page, blank pages included."""
    job = executor.submit(dataclasses.replace(plan, attempts=2))
    double.advance(job, "RUNNING")
    double.log(job, "first attempt")
    double.spot_kill(job)
    double.advance(job, "RUNNING")
    double.log(job, *(f"line {i}" for i in range(25)))
    double.logs.page_size, double.logs.blank_pages = 10, 2
    assert list(executor.logs(job)) == ["first attempt", *(f"line {i}" for i in range(25))]


def test_a_job_without_a_stream_has_no_log(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """Queued, or ended before it could print: no lines and no error."""
    job = executor.submit(plan)
    assert list(executor.logs(job)) == []
    double.advance(job, "RUNNING")
    assert double.jobs[job].latest is not None
    assert list(executor.logs(job)) == []


def test_following_ends_with_the_job_and_misses_nothing(double: BatchDouble, plan: Plan) -> None:
    """Lines that come late, after the job has ended, are still read; a token that ended is replaced."""

    def first(job: str) -> None:
        double.advance(job, "RUNNING")

    def second(job: str) -> None:
        double.log(job, "one", "two")

    def third(job: str) -> None:
        double.log(job, "three")
        double.logs.expire_tokens()
        double.advance(job, "SUCCEEDED")

    def last(job: str) -> None:
        double.log(job, "late")

    steps = iter([first, second, third, last])
    settings = Settings(aws_endpoint_url=double.url, aws_region="us-east-1")
    executor = BatchExecutor(settings, sleep=lambda _: next(steps)(next(iter(double.jobs))))
    job = executor.submit(plan)
    assert list(executor.logs(job, follow=True)) == ["one", "two", "three", "late"]
    assert next(steps, None) is None


@pytest.mark.parametrize("size", [0, 2])
def test_following_outlasts_a_service_that_is_gone_for_a_while(
    double: BatchDouble, plan: Plan, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Whatever is asked just then, each line is told once; also where a stream is read anew, its token having ended."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    job, shown = "", "[0] " if size else ""

    def begun() -> None:
        double.services.visibility_lag_ms = 0
        double.advance(f"{job}:0" if size else job, "RUNNING")
        double.log(f"{job}:0" if size else job, *(f"line {i}" for i in range(25)))
        double.fail_next("DescribeJobs", "500_before", count=2)
        double.fail_next("GetLogEvents", "500_before", count=2)

    def goes_on() -> None:
        double.log(f"{job}:0" if size else job, "after it")
        double.logs.expire_tokens()
        double.fail_next("GetLogEvents", "slow_after", count=2)  # not spoilt: the token's refusal, the first page
        double.fail_next("GetLogEvents", "500_before")

    def nothing() -> None:
        pass

    def ended() -> None:
        double.run_to_end(job)

    steps = iter([begun, *[nothing] * 4, goes_on, nothing, ended])
    settings = Settings(aws_endpoint_url=double.url, aws_region="us-east-1")
    executor = BatchExecutor(settings, sleep=lambda _: next(steps, nothing)())
    job = executor.submit(dataclasses.replace(plan, array=size))
    double.services.visibility_lag_ms = 10**9
    double.logs.page_size = 10
    assert list(executor.logs(job, follow=True)) == [f"{shown}line {i}" for i in range(25)] + [f"{shown}after it"]


@pytest.mark.parametrize("kind", ["expired_token", "access_denied", "500_before"])
def test_following_does_not_bear_everything(
    executor: BatchExecutor, double: BatchDouble, plan: Plan, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Credentials mend only when the user does something, and nothing is borne for ever."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    job = executor.submit(plan)
    double.fail_next("DescribeJobs", kind, count=50)
    with pytest.raises(RvexpError):
        list(executor.logs(job, follow=True))
    assert len(double.called("DescribeJobs")) == (8 if kind == "500_before" else 1)


def test_logs_elsewhere_are_said_to_be_elsewhere(executor: BatchExecutor, batch: Any) -> None:
    """A definition may send them to another place than CloudWatch, or to another group in it."""
    config = {"logDriver": "splunk", "options": {}}
    arn = register(batch, "splunk", containerProperties={**CONTAINER, "logConfiguration": config})
    with pytest.raises(RvexpError, match="go to splunk"):
        executor.logs(submit(batch, jobDefinition=arn))


def test_the_log_group_of_the_definition_is_read(executor: BatchExecutor, double: BatchDouble, batch: Any) -> None:
    """Not only the default group."""
    config = {"logDriver": "awslogs", "options": {"awslogs-group": "/ours"}}
    job = submit(
        batch,
        jobDefinition=register(batch, "ours", containerProperties={**CONTAINER, "logConfiguration": config}),
    )
    double.advance(job, "RUNNING")
    double.log(job, "hello")
    assert list(executor.logs(job)) == ["hello"]


def test_the_log_of_an_array_is_its_childrens(executor: BatchExecutor, double: BatchDouble, plan: Plan) -> None:
    """What all of them have printed so far, in the order of their indices; attempts are each child's own."""
    job = executor.submit(dataclasses.replace(plan, array=250))
    assert list(executor.logs(job)) == []
    for index in (249, 3, 1):
        double.advance(f"{job}:{index}", "RUNNING")
        double.log(f"{job}:{index}", "begins", "goes on")
    expected = [f"[{index}] {line}" for index in (1, 3, 249) for line in ("begins", "goes on")]
    assert list(executor.logs(job)) == expected
    with pytest.raises(RvexpError) as caught:
        executor.logs(job, attempt=2)
    assert caught.value.hint == f"git rvexp logs {job}:0 --attempt 2"


def test_an_array_is_followed_child_after_child(double: BatchDouble, plan: Plan) -> None:
    """Until all have ended, the last one without having run; each line once, late ones too."""
    job = ""

    def begun() -> None:
        double.advance(f"{job}:0", "RUNNING")
        double.log(f"{job}:0", "one")

    def other_ended() -> None:
        double.advance(f"{job}:1", "RUNNING")
        double.log(f"{job}:1", "early")
        double.advance(f"{job}:1", "SUCCEEDED")

    def ended() -> None:
        double.log(f"{job}:0", "two")
        double.advance(f"{job}:0", "SUCCEEDED")
        double.advance(f"{job}:2", "FAILED")

    def late() -> None:
        double.log(f"{job}:0", "late")
        double.log(f"{job}:1", "later")

    steps = iter([begun, other_ended, ended, late])
    settings = Settings(aws_endpoint_url=double.url, aws_region="us-east-1")
    executor = BatchExecutor(settings, sleep=lambda _: next(steps)())
    job = executor.submit(dataclasses.replace(plan, array=3))
    assert list(executor.logs(job, follow=True)) == ["[0] one", "[0] two", "[0] late", "[1] early", "[1] later"]
    assert next(steps, None) is None


SIDECAR = {"name": "sidecar", "image": "logs@sha256:" + "0" * 64}
MINE = {"name": "train", "image": IMAGE}
BODIES: dict[str, Json] = {
    "ecs": {"ecsProperties": {"taskProperties": [{"containers": [SIDECAR, MINE]}]}},
    "eks": {"eksProperties": {"podProperties": {"containers": [SIDECAR, MINE]}}},
    "node": {"nodeProperties": {"nodeRangeProperties": [{"targetNodes": "0:1", "container": MINE}]}},
}


@pytest.mark.parametrize("shape", BODIES)
def test_overrides_reach_the_container_that_runs_the_experiment(plan: Plan, shape: str) -> None:
    """In every shape of a definition, within what the service takes, and nowhere else."""
    full = dataclasses.replace(plan, resources=Resources(2, 512, 1))
    request = batch_request.request(full, BODIES[shape])
    model = ServiceModel(Loader().load_service_model("batch", "service-2"), service_name="batch")
    report = ParamValidator().validate(request, model.operation_model("SubmitJob").input_shape)
    assert not report.has_errors(), report.generate_report()
    assert "containerOverrides" not in request
    words = ["python", "train.py"]
    if shape == "ecs":
        (container,) = request["ecsPropertiesOverride"]["taskProperties"][0]["containers"]
        assert (container["name"], container["command"]) == ("train", words)
    elif shape == "eks":
        (container,) = request["eksPropertiesOverride"]["podProperties"]["containers"]
        assert (container["name"], container["args"]) == ("train", words)
        assert container["resources"]["limits"] == {"cpu": "2", "memory": "512Mi", "nvidia.com/gpu": "1"}
        assert "propagateTags" not in request
    else:
        (nodes,) = request["nodeOverrides"]["nodePropertyOverrides"]
        assert (nodes["targetNodes"], nodes["containerOverrides"]["command"]) == ("0:1", words)


def test_a_command_for_one_of_two_strangers_is_refused(plan: Plan) -> None:
    """Which container would run it is not guessed."""
    containers = [SIDECAR, {**SIDECAR, "name": "other"}]
    with pytest.raises(UsageError, match="not clear which"):
        batch_request.request(plan, {"ecsProperties": {"taskProperties": [{"containers": containers}]}})
