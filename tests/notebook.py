"""A clone whose record tests write line by line: snapshots by name, runs by their events, at the test's times."""

import datetime as dt
import os
from dataclasses import dataclass, field, replace
from typing import Any

from git_rvexp.config import Config
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Plan, Snapshot
from git_rvexp.names import Digest, RunId
from git_rvexp.record.events import Event, stamp
from git_rvexp.record.ledger import Ledger
from git_rvexp.settings import Settings
from git_rvexp.workflow.choose import Found, recorded_runs
from git_rvexp.workflow.context import Context
from tests.conftest import Clone

BEGIN = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/experiments@sha256:" + "ab" * 32
ACCOUNT, REGION = "123456789012", "us-east-1"


@dataclass
class Notebook:
    """One clone and the time in it; what is told and warned is kept."""

    clone: Clone
    settings: Settings = field(default_factory=Settings)
    now: dt.datetime = BEGIN
    said: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def repo(self) -> Repo:
        """The clone, opened."""
        return Repo.discover(self.clone.path, os.environ)

    @property
    def ledger(self) -> Ledger:
        """Its record, with the test's clock."""
        return Ledger(self.repo, now=lambda: self.now, sleep=self._sleep)

    @property
    def context(self) -> Context:
        """What a command in the clone works with."""
        remote = f"file://{self.clone.path.parent / 'experiments.git'}"
        settings = replace(self.settings, experiments_remote=remote)
        return Context(self.repo, Config(settings), self.ledger, os.environ, self.said.append, self.warned.append)

    def make_remote(self) -> None:
        """Make the bare repository that the record is pushed to."""
        self.clone.git("init", "-q", "--bare", str(self.clone.path.parent / "experiments.git"))

    def snapshot(self, tag: str, *, code: str = "", **fields: Any) -> Snapshot:
        """Tag a commit of its own with one file, and write the record's first line."""
        self.clone.write("train.py", code or f"print({tag!r})\n")
        self.clone.git("add", "-A")
        tree = self.clone.git("write-tree")
        head = self.clone.git("rev-parse", "HEAD")
        when = {f"GIT_{who}_DATE": f"{int(self.now.timestamp())} +0000" for who in ("AUTHOR", "COMMITTER")}
        commit = self.clone.git("commit-tree", tree, "-p", head, "-m", f"Try {tag}", env=when)
        self.clone.git("tag", "-a", "-m", f"Try {tag}", tag, commit, env=when)
        made = Snapshot(tag, self.clone.git("rev-parse", tag), commit, tree)
        told = {"tag": tag, "commit": commit, "tree": tree, "base": head, "changes": "1 modified", **fields}
        self.tell(made, "snapshot", **told)
        return made

    def tell(self, snapshot: Snapshot, kind: str, **fields: Any) -> None:
        """Write one event that happens now."""
        self.ledger.append(snapshot.oid, Event(stamp(self.now), kind, fields))

    def plan(self, snapshot: Snapshot, **changes: Any) -> Plan:
        """Write the plan of a new run on Batch."""
        run = RunId.new()
        usual = {
            "account": ACCOUNT,
            "region": REGION,
            "queue": "main",
            "image": IMAGE,
            "command": ("python", "train.py"),
        }
        made = Plan(run, "batch", run.job_name("x"), **(usual | changes))
        self.tell(snapshot, "planned", **made.fields())
        return made

    def submitted(self, snapshot: Snapshot, job: str = "", **changes: Any) -> Plan:
        """Write a run that was handed over as `job`."""
        made = self.plan(snapshot, **changes)
        self.tell(snapshot, "submitted", run=str(made.run), job=job or f"job-{made.run}")
        return made

    def ended(self, snapshot: Snapshot, code: int = 0, **changes: Any) -> Plan:
        """Write a run that has ended with this exit code."""
        made = self.submitted(snapshot, **changes)
        state = "FAILED" if code else "SUCCEEDED"
        self.tell(snapshot, "ended", run=str(made.run), state=state, exit=code, seconds=90)
        return made

    def damage(self, snapshot: Snapshot, line: str) -> None:
        """Append a line with plain git, as anybody can."""
        self.clone.git("notes", "--ref", "rvexp", "append", "-m", line, snapshot.oid)

    def found(self, run: object) -> Found:
        """A run as the record tells of it now."""
        return next(f for f in recorded_runs(self.context) if f.run.run == str(run))

    def found_of(self, snapshot: Snapshot) -> Found:
        """The first run of a snapshot."""
        return next(f for f in recorded_runs(self.context) if f.snapshot.oid == snapshot.oid)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += dt.timedelta(seconds=seconds)


def digest(text: str) -> Digest:
    """A digest for a test's purposes."""
    return Digest.of(text.encode())


def told_by_settings(clone: Clone, url: str) -> Notebook:
    """A notebook whose clone is configured for a Batch at `url`, with records of the real time, as programs see it."""
    for key, value in {"aws.endpoint-url": url, "aws.region": REGION, "batch-queue": "main"}.items():
        clone.git("config", f"rvexp.{key}", value)
    return Notebook(clone, Settings(), dt.datetime.now(dt.UTC))


def shared_notebook(clone: Clone, url: str) -> Notebook:
    """A notebook with an experiments remote, whose own context reaches a Batch at `url`."""
    book = Notebook(clone, Settings(aws_endpoint_url=url, aws_region=REGION))
    book.make_remote()
    return book
