"""Two clones of one experiment and a strict Batch: where tests of the submission protocol and of chains start."""

import datetime as dt
import os
from dataclasses import dataclass, field
from pathlib import Path

from git_rvexp.config import Config
from git_rvexp.executors.batch import BatchExecutor
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import snapshots
from git_rvexp.model import Plan, Snapshot
from git_rvexp.names import RunId
from git_rvexp.record.ledger import Ledger
from git_rvexp.record.runs import Run, runs
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.submit import submit
from git_rvexp.workflow.sync import sync
from tests.conftest import Clone
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import IMAGE

START = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)


@dataclass
class Lab:
    """Two clones of one experiment and a Batch; time stands until it is moved."""

    one: Clone
    two: Clone
    remote: Path
    double: BatchDouble
    definition: str
    now: dt.datetime = START
    ecr_repo: str = IMAGE.partition("@")[0]
    told: list[str] = field(default_factory=list)

    def context(self, clone: Clone) -> Context:
        """What a command in `clone` works with."""
        repo = Repo.discover(clone.path, os.environ)
        settings = Settings(
            experiments_remote=str(self.remote),
            batch_queue="main",
            ecr_repo=self.ecr_repo,
            aws_endpoint_url=self.double.url,
            aws_region="us-east-1",
        )
        ledger = Ledger(repo, now=lambda: self.now, sleep=lambda _seconds: None)
        return Context(repo, Config(settings), ledger, os.environ, self.told.append, self.told.append)

    def executor(self) -> BatchExecutor:
        """The real executor on the strict Batch."""
        return BatchExecutor(self.context(self.one).settings, sleep=lambda _seconds: None, read_seconds=0.3)

    def snapshot(self) -> Snapshot:
        """The one snapshot."""
        return snapshots(self.context(self.one).repo)[0]

    def plan(self) -> Plan:
        """A fresh plan on it."""
        run = RunId.new()
        place = {"account": "123456789012", "region": "us-east-1", "queue": "main", "definition": self.definition}
        return Plan(run, "batch", run.job_name("demo"), IMAGE, ("true",), **place)  # type: ignore[arg-type]

    def submit(self, plan: Plan | None = None) -> str:
        """Submit from the first clone."""
        return submit(self.context(self.one), self.snapshot(), plan or self.plan(), self.executor())

    def runs(self, clone: Clone) -> list[Run]:
        """The runs a clone knows of."""
        return runs(Ledger(Repo.discover(clone.path, os.environ)).record(self.snapshot().oid))

    def in_step(self) -> None:
        """What the issue demands: the jobs in Batch are the jobs on record, once each, in both clones."""
        for clone in (self.one, self.two, self.one):
            sync(self.context(clone))
        for clone in (self.one, self.two):
            recorded = [job for run in self.runs(clone) for job in run.jobs]
            assert sorted(recorded) == sorted(self.double.jobs)
