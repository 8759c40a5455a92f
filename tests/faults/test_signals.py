"""Signals and a wrong clock: what was accepted is on record before the process goes; a clock is named as the cause."""

import datetime as dt
import itertools
import signal
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest

from git_rvexp.model import Phase
from tests.doubles.batch import BatchDouble
from tests.faults import actions
from tests.faults.actions import Hold
from tests.faults.killing import Killer, Shim, WholeProxy, run, start
from tests.faults.pinned import registry_of
from tests.faults.scenes import SCENES, images
from tests.faults.world import World, stocked

SUBMIT = SCENES["submit"].words


@pytest.fixture
def double() -> Iterator[BatchDouble]:
    """A Batch with a queue and a base definition."""
    with BatchDouble() as made:
        stocked(made)
        yield made


@pytest.fixture
def world(tmp_path: Path, double: BatchDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A snapshot that is ready to be submitted."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    made = World.make(tmp_path / "world")
    made.endpoint = double.url
    SCENES["submit"].prepare(made)
    with registry_of(images(made)) as registry:
        made.registry = f"localhost:{registry.port}"
        made.configure(made.clone)
        yield made


@pytest.mark.parametrize(
    ("signals", "code"),
    [
        ((signal.SIGTERM,), -signal.SIGTERM),
        ((signal.SIGINT,), 130),
        ((signal.SIGSTOP, signal.SIGCONT), 0),
    ],
)
def test_a_signal_while_the_job_is_accepted(
    world: World, double: BatchDouble, signals: tuple[signal.Signals, ...], code: int
) -> None:
    """The signal comes while SubmitJob is answered: the job is recorded first, then the signal has its way."""
    with WholeProxy(double.url) as proxy:
        world.endpoint = proxy.url
        killer = Killer(*signals)
        proxy.on("POST", "submitjob$", Hold(killer, "after"))
        process = start(world.clone.path, world.environ(), *SUBMIT)
        killer.aim(process)
        _, err = process.communicate()
    assert (process.returncode, killer.used) == (code, True), err
    (run_id,) = (r.run for r in world.runs(world.clone))
    told = [line for line in err.splitlines() if "interrupt" in line or "goes on" in line]
    assert told == ([f"run {run_id} goes on; git rvexp wait {run_id} comes back to it"] if code == 130 else [])
    assert world.recorded(world.clone) == list(double.jobs) != []


def test_an_interrupt_while_nobody_can_tell_whether_there_is_a_job(world: World, double: BatchDouble) -> None:
    """The reply is lost, and Ctrl-C came just then: exit 6 and not 130, nothing is looked up, and a sync finds it."""
    with WholeProxy(double.url) as proxy:
        world.endpoint = proxy.url
        killer = Killer(signal.SIGINT)
        proxy.on("POST", "submitjob$", Hold(killer, "after"), actions.drop_reply())
        process = start(world.clone.path, world.environ(), *SUBMIT)
        killer.aim(process)
        _, err = process.communicate()
    assert (process.returncode, killer.used) == (6, True), err
    (left,) = world.runs(world.clone)
    assert left.phase is Phase.AMBIGUOUS
    assert f"error: whether a job exists for run {left.run} cannot be told now\n  interrupted\n" in err
    assert "hint: git rvexp sync" in err
    assert double.called("ListJobs") == []
    assert world.recorded(world.clone) == []
    world.endpoint = double.url
    assert run(world.clone.path, world.environ(), "sync").returncode == 0
    assert world.recorded(world.clone) == list(double.jobs) != []


def test_an_interrupt_ends_a_look_up_at_once(world: World, double: BatchDouble) -> None:
    """The reply is lost, and Ctrl-C comes while the job is looked up: nobody waits for that, and a sync finds it."""
    with WholeProxy(double.url) as proxy:
        world.endpoint = proxy.url
        killer = Killer(signal.SIGINT)
        proxy.on("POST", "submitjob$", actions.drop_reply())
        proxy.on("POST", "listjobs$", Hold(killer, "before"))
        process = start(world.clone.path, world.environ(), *SUBMIT)
        killer.aim(process)
        _, err = process.communicate()
    assert (process.returncode, killer.used) == (6, True), err
    (left,) = world.runs(world.clone)
    assert left.phase is Phase.AMBIGUOUS
    assert f"error: whether a job exists for run {left.run} cannot be told now\n  interrupted\n" in err
    world.endpoint = double.url
    assert run(world.clone.path, world.environ(), "sync").returncode == 0
    assert world.recorded(world.clone) == list(double.jobs) != []


def test_an_interrupt_of_the_whole_group_reaches_no_git_between_accepted_and_recorded(
    world: World, double: BatchDouble, tmp_path: Path
) -> None:
    """Ctrl-C goes to git's processes too: those that write `submitted` must live."""
    shim = Shim.make(tmp_path / "shim")
    whole = run(world.clone.path, {**world.environ(), **shim.environ(0)}, *SUBMIT)
    assert whole.returncode == 0, whole.stderr
    calls = shim.calls
    (_, accepted) = [n for n, call in enumerate(calls, 1) if call.startswith("unpack-objects")][-2:]
    update = next(n for n, call in enumerate(calls, 1) if n > accepted and call.startswith("update-ref"))
    # A snapshot that is published already needs no definition's line: its calls are fewer by what came before.
    again = run(world.clone.path, {**world.environ(), **shim.environ(0)}, *SUBMIT)
    assert again.returncode == 0, again.stderr
    fewer = len(calls) - len(shim.calls)
    for at in range(accepted - fewer, update - fewer + 1):
        before = len(double.jobs)
        done = run(world.clone.path, {**world.environ(), **shim.environ(at, "interrupt")}, *SUBMIT)
        assert done.returncode == 130, (at, done.stderr)
        assert len(double.jobs) == before + 1, f"git call {at}, {shim.calls[at - 1]}, came before the job"
        assert world.recorded(world.clone) == sorted(double.jobs), f"git call {at}: {shim.calls[at - 1]}"


def test_an_interrupt_says_what_it_leaves(world: World, double: BatchDouble, tmp_path: Path) -> None:
    """From the line of the plan on: a run that goes on is named, one that was not handed over is closed at once."""
    shim = Shim.make(tmp_path / "shim")
    for _ in range(2):  # the second time nothing is published any more
        whole = run(world.clone.path, {**world.environ(), **shim.environ(0)}, *SUBMIT)
        assert whole.returncode == 0, whole.stderr
    calls = shim.calls
    (planned, _) = [n for n, call in enumerate(calls, 1) if call.startswith("unpack-objects")]
    phases = set()
    for at in itertools.count(planned):  # until there is no such call any more: what was not shared yet costs some
        known = {r.run for r in world.runs(world.clone)}
        done = run(world.clone.path, {**world.environ(), **shim.environ(at, "interrupt")}, *SUBMIT)
        calls = shim.calls
        if done.returncode == 0:
            assert len(calls) < at
            break
        assert done.returncode == 130, (calls[at - 1], done.stderr)
        (left,) = [r for r in world.runs(world.clone) if r.run not in known]
        told = {
            Phase.REFUSED: f"run {left.run} was not handed over: interrupted",
            Phase.SUBMITTED: f"run {left.run} goes on; git rvexp wait {left.run} comes back to it",
        }
        assert done.stderr.splitlines()[-1] == told[left.phase], calls[at - 1]
        phases.add(left.phase)
    assert phases == {Phase.REFUSED, Phase.SUBMITTED}
    assert world.recorded(world.clone) == sorted(double.jobs)


def answer_of_a_clock(minutes: int, *, query: bool) -> actions.Action:
    """How AWS answers one whose clock is so many minutes behind its own."""
    there = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
    sent = dt.datetime.now(dt.UTC)
    said = (
        "Signature expired: {} is now earlier than {}"
        if minutes > 0
        else "Signature not yet current: {} is later than {}"
    )
    text = said.format(f"{sent:%Y%m%dT%H%M%SZ}", f"{there:%Y%m%dT%H%M%SZ}")
    date = ("Date", format_datetime(there, usegmt=True))
    if query:
        xml = (
            f"<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>{text}</Message></Error></ErrorResponse>"
        )
        return actions.status(403, xml.encode(), (("Content-Type", "text/xml"), date))
    json = (("Content-Type", "application/json"), ("x-amzn-errortype", "InvalidSignatureException"), date)
    return actions.status(403, f'{{"message":"{text}"}}'.encode(), json)


@pytest.mark.parametrize("minutes", [20, -20])
@pytest.mark.parametrize("path", ["^/$", "describejobqueues", "submitjob$"])
def test_a_wrong_clock_is_named(world: World, double: BatchDouble, minutes: int, path: str) -> None:
    """Twenty minutes off, either way, from the start or just at SubmitJob: exit 4, both times, no job, nothing open."""
    with WholeProxy(double.url) as proxy:
        world.endpoint = proxy.url
        proxy.on("POST", path, answer_of_a_clock(minutes, query=path == "^/$"))
        done = run(world.clone.path, world.environ(), *SUBMIT)
    assert done.returncode == 4, done.stderr
    assert "this machine's clock is wrong" in done.stderr
    assert "hint: set the clock" in done.stderr
    assert double.jobs == {}
    assert [r for r in world.runs(world.clone) if r.phase.open] == []
