"""A model check: random writers, kills, lost replies, late requests and syncs, then Batch against every record.

Each schedule follows from its seed. What must hold at the end, once the remote is there, nothing is in flight and 21
minutes have passed: the jobs in Batch are the jobs on record, once each, in every clone. A failure tells the seed and
the schedule; `RVEXP_DEV_SEEDS=7,8 pytest -m long …::test_many_schedules` plays seeds of your own.
"""

import dataclasses
import datetime as dt
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from git_rvexp.config import Config
from git_rvexp.errors import RvexpError
from git_rvexp.executors.batch import BatchExecutor
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import snapshots
from git_rvexp.record.ledger import Ledger
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.publish import agree_on_tag
from git_rvexp.workflow.snapshotting import take as snapshot
from git_rvexp.workflow.snapshotting.naming import Request
from git_rvexp.workflow.submit import submit
from git_rvexp.workflow.sync import sync
from tests.conftest import Clone
from tests.doubles.batch import BatchDouble
from tests.faults.killing import Shim, When
from tests.faults.world import World, stocked

REPLIES = ("lost_reply", "500_after", "429_after", "garbage_after", "truncated_after")
REQUESTS = ("reset_before", "500_before", "429_before", "held", "client_exception", "expired_token")
LOOKS = ("500_before", "429_before", "access_denied", "expired_token", "truncated_after", "reset_before")
DEADLINE = 60.0


@dataclass
class Play:
    """One schedule: the world, its Batch, where time stands, and what was done so far."""

    world: World
    double: BatchDouble
    shim: Shim
    dice: random.Random
    definition: str
    clones: list[Clone]
    minutes: float = 0
    story: list[str] = field(default_factory=list)

    def context(self, clone: Clone, extra: dict[str, str]) -> Context:
        """What a command works with now."""
        plain = self.world.context(clone)
        repo = Repo.discover(clone.path, {**os.environ, **extra})
        now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=self.minutes)
        settings = dataclasses.replace(plain.settings, aws_endpoint_url=self.double.url)
        ledger = Ledger(repo, now=lambda: now, sleep=lambda _seconds: None)
        return Context(repo, Config(settings), ledger, os.environ, self.world.told.append, self.world.told.append)

    def step(self, number: int) -> None:
        """Do one thing at random."""
        clone = self.dice.choice(self.clones)
        things: dict[Callable[[], None], int] = {
            lambda: self.submit(clone): 8,
            lambda: self.sync(clone): 3,
            lambda: self.snapshot(clone, number): 2,
            self.spoil: 2,
            self.wait: 1,
            self.release: 1,
            self.cut_off: 1 if self.world.experiments.exists() else 6,
        }
        self.dice.choices(list(things), list(things.values()))[0]()

    def submit(self, clone: Clone) -> None:
        """Hand a job over from one clone; perhaps the process is killed at one of its git calls."""
        known = snapshots(Repo.discover(clone.path, os.environ))
        if not known:
            self.story.append(f"{clone.path.name}: nothing to submit")
            return
        chosen = self.dice.choice(known)
        plan = self.world.plan(self.definition)

        def act(context: Context) -> None:
            executor = BatchExecutor(context.settings, sleep=lambda _seconds: None, read_seconds=2)
            agree_on_tag(context, chosen)  # as the command does: a snapshot that was killed is not on the remote yet
            submit(context, chosen, plan, executor)

        self._process(clone, f"submit {plan.run} on {chosen.tag}", act, most=60)

    def sync(self, clone: Clone) -> None:
        """Sync one clone; perhaps killed."""
        self._process(clone, "sync", lambda context: _do(sync, context), most=50)

    def snapshot(self, clone: Clone, number: int) -> None:
        """Take a snapshot in one clone; perhaps killed."""
        clone.write("train.py", f"print({number})\n")
        request = Request(f"{clone.path.name}-{number}")
        self._process(clone, f"snapshot {request.nickname}", lambda context: _do(snapshot.take, context, request), 40)

    def spoil(self) -> None:
        """The next calls of one operation go wrong."""
        operation, kinds = self.dice.choice([("SubmitJob", REPLIES + REQUESTS), ("ListJobs", LOOKS)])
        kind, count = self.dice.choice(kinds), self.dice.randint(1, 3)
        self.double.fail_next(operation, kind, count=count)
        self.story.append(f"spoil {count} {operation}: {kind}")

    def wait(self) -> None:
        """Time passes."""
        self.minutes += self.dice.choice([1, 12, 25, 90])
        self.story.append(f"it is minute {self.minutes}")

    def release(self) -> None:
        """Requests that were under way land."""
        self.story.append(f"{self.double.release()} requests land")

    def cut_off(self) -> None:
        """The remote goes away, or comes back."""
        here, away = self.world.experiments, self.world.experiments.with_name("away.git")
        (here.rename if here.exists() else lambda _away: away.rename(here))(away)
        self.story.append(f"the remote is {'there' if here.exists() else 'away'}")

    def _process(self, clone: Clone, what: str, act: Callable[[Context], None], most: int) -> None:
        """Run `act` in a process of its own, which one time in two is killed at a git call of up to `most`."""
        at = self.dice.randint(1, most) if self.dice.random() < 0.5 else 0
        when: When = self.dice.choice(("before", "after"))
        child = os.fork()
        if not child:
            _in_child(lambda: act(self.context(clone, self.shim.environ(at, when) if at else {})))
        code = _ended(child)
        self.story.append(f"{clone.path.name}: {what}: {'killed' if code == -signal.SIGKILL else f'exit {code}'}")
        assert code in (0, 1, -signal.SIGKILL), self.story

    def end(self) -> None:
        """Bring everything to rest and compare."""
        if not self.world.experiments.exists():
            self.cut_off()
        for operation in ("SubmitJob", "ListJobs"):
            self.double._front.failures._waiting[operation].clear()
        self.double.release()
        self.minutes += 21
        # Whoever comes first may be new: every job was announced where others see it.
        fresh = self.world.fresh("fresh")
        sync(self.context(fresh, {}))
        assert self.world.recorded(fresh) == sorted(self.double.jobs)
        self.clones.append(fresh)
        for clone in (*self.clones, *self.clones):
            sync(self.context(clone, {}))
        self.world.check(self.double, *self.clones)
        plans = [run.run for run in self.world.runs(self.clones[0])]
        assert len(plans) == len(set(plans))


def _do(act: Callable[..., object], *words: object) -> None:
    act(*words)


def _in_child(act: Callable[[], None]) -> None:
    """The child's life: 0 when `act` works, 1 when it fails in words, 2 with a traceback for a bug."""
    code = 2
    try:
        act()
        code = 0
    except RvexpError:
        code = 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        os._exit(code)


def _ended(child: int) -> int:
    """The child's exit code, or the negative signal; it has a minute."""
    began = time.monotonic()
    while time.monotonic() - began < DEADLINE:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError("a command did not end")


@pytest.fixture
def shim(tmp_path: Path) -> Shim:
    """A git that can kill."""
    return Shim.make(tmp_path / "shim")


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchDouble]:
    """A Batch with a queue."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with BatchDouble() as made:
        yield made


def play(seed: int, steps: int, home: Path, double: BatchDouble, shim: Shim) -> Play:
    """One schedule from its seed to its end."""
    world = World.make(home)
    world.endpoint = double.url
    dice = random.Random(seed)
    clones = [world.clone, *(world.fresh(f"clone{n}") for n in range(dice.randint(1, 2)))]
    played = Play(world, double, shim, dice, stocked(double), clones)
    try:
        played.snapshot(world.clone, 0)
        for number in range(1, steps + 1):
            played.step(number)
        played.end()
    except BaseException as why:
        why.add_note(f"seed {seed}, {steps} steps:\n  " + "\n  ".join(played.story))
        raise
    return played


@pytest.mark.parametrize("seed", range(4))
def test_a_few_schedules(seed: int, tmp_path: Path, double: BatchDouble, shim: Shim) -> None:
    """Twenty steps each; the same ones every time."""
    played = play(seed, 20, tmp_path / "world", double, shim)
    assert len(played.story) >= 21, "every step leaves a line, or a failure could not be told"
    assert double.jobs


def seeds() -> list[int]:
    """The seeds of the long run: those asked for, else a hundred."""
    asked = os.environ.get("RVEXP_DEV_SEEDS", "")
    return [int(word) for word in asked.split(",")] if asked else list(range(100, 200))


@pytest.mark.long
@pytest.mark.parametrize("seed", seeds())
def test_many_schedules(seed: int, tmp_path: Path, double: BatchDouble, shim: Shim) -> None:
    """Forty steps each."""
    play(seed, 40, tmp_path / "world", double, shim)
