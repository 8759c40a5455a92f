"""A small world to break: a clone, the public remote it came from, an experiments remote and a Batch.

It can be put back to where it was, always at the same paths, and it can say whether the record is whole: the jobs in
Batch are the jobs on record, once each, in every clone, nothing is open, and git finds nothing wrong.
"""

import datetime as dt
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from git_rvexp.config import Config
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import snapshots
from git_rvexp.model import Plan, Snapshot
from git_rvexp.names import RunId
from git_rvexp.record.ledger import Ledger
from git_rvexp.record.runs import Run, runs
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.sync import sync
from tests.conftest import Clone
from tests.doubles.batch import BatchDouble
from tests.doubles.driving import IMAGE, client, register

LATER = dt.timedelta(minutes=21)
NOTES = "refs/notes/rvexp"


@dataclass
class World:
    """Everything below `home`; `registry` is host:port of one that holds the images, `endpoint` where Batch answers.

    `remote` is another place for experiments than the bare repository here.
    """

    home: Path
    registry: str = ""
    endpoint: str = ""
    remote: str = ""
    late: dt.timedelta = LATER
    told: list[str] = field(default_factory=list)

    @classmethod
    def make(cls, home: Path) -> Self:
        """One commit, a public remote that has it, an empty experiments remote."""
        home.mkdir()
        world = cls(home)
        clone = Clone(home / "roads")
        clone.path.mkdir()
        clone.git("init", "-q")
        clone.write("train.py", "print('hello')\n")
        clone.commit("first")
        for bare in (world.public, world.experiments):
            clone.git("init", "-q", "--bare", str(bare))
        clone.git("push", "-q", str(world.public), "main")
        world.configure(clone)
        return world

    @property
    def clone(self) -> Clone:
        """Where the commands that are killed run."""
        return Clone(self.home / "roads")

    @property
    def public(self) -> Path:
        """The remote that anybody clones from; it never sees a snapshot."""
        return self.home / "public.git"

    @property
    def experiments(self) -> Path:
        """The experiments remote."""
        return self.home / "experiments.git"

    def configure(self, clone: Clone) -> None:
        """What every clone of the team has set."""
        place = self.remote or str(self.experiments)
        settings = {"experimentsRemote": place, "batch-queue": "main", "batch-job-def-name": "train"}
        settings |= {"ecr-repo": f"{self.registry}/experiments"} if self.registry else {}
        for name, value in settings.items():
            clone.git("config", f"rvexp.{name}", value)

    def fresh(self, name: str) -> Clone:
        """A new clone of the public remote, knowing nothing but where experiments are shared."""
        clone = Clone(self.home / name)
        self.clone.git("clone", "-q", "-b", "main", str(self.public), str(clone.path))
        self.configure(clone)
        return clone

    def save(self) -> None:
        """Remember this state."""
        shutil.copytree(self.home, self._saved, symlinks=True)

    def restore(self) -> None:
        """Back to the remembered state, at the same paths."""
        shutil.rmtree(self.home)
        shutil.copytree(self._saved, self.home, symlinks=True)

    @property
    def _saved(self) -> Path:
        return self.home.with_name(self.home.name + "-saved")

    def environ(self) -> dict[str, str]:
        """What the command line needs to reach Batch."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}

    def context(self, clone: Clone) -> Context:
        """What a command in `clone` works with, `late` after now."""
        repo = Repo.discover(clone.path, os.environ)
        settings = Settings(
            experiments_remote=str(self.experiments),
            batch_queue="main",
            batch_job_def_name="train",
            aws_endpoint_url=self.endpoint,
            aws_region="us-east-1",
        )
        ledger = Ledger(repo, now=lambda: dt.datetime.now(dt.UTC) + self.late, sleep=lambda _seconds: None)
        return Context(repo, Config(settings), ledger, os.environ, self.told.append, self.told.append)

    def sync(self, clone: Clone) -> None:
        """`git rvexp sync`, with the clock ahead by more than a request can be in flight."""
        sync(self.context(clone))

    def runs(self, clone: Clone) -> list[Run]:
        """Every run that a clone knows of."""
        repo = Repo.discover(clone.path, os.environ)
        records = Ledger(repo).records(s.oid for s in snapshots(repo))
        return [run for record in records.values() for run in runs(record)]

    def recorded(self, clone: Clone) -> list[str]:
        """The jobs that a clone's record names, sorted; one that it names twice is there twice."""
        return sorted(job for run in self.runs(clone) for job in run.jobs)

    def check(self, double: BatchDouble, *clones: Clone) -> None:
        """The record is whole and the same everywhere; run after every clone has synced."""
        repos = [Repo.discover(clone.path, os.environ) for clone in clones]
        tags = [{s.tag: s.oid for s in snapshots(repo)} for repo in repos]
        assert all(each == tags[0] for each in tags)
        for clone, repo in zip(clones, repos, strict=True):
            assert self.recorded(clone) == sorted(double.jobs)
            assert [r for r in self.runs(clone) if r.phase.open] == []
            records = Ledger(repo).records(tags[0].values())
            for tag, oid in tags[0].items():
                assert len(records[oid].of("snapshot")) == 1, tag
                assert records[oid].damaged == ()
            assert clone.git("rev-parse", NOTES, check=False) == self.at_remote("rev-parse", NOTES, check=False)
        self.sound(*clones)

    def sound(self, *clones: Clone) -> None:
        """Git itself finds nothing wrong, and no lock was left."""
        for path in [c.path for c in clones] + [self.experiments]:
            said = self.clone.git("-C", str(path), "fsck", "--strict", "--no-dangling", "--full")
            assert said == "", said
        assert [lock for c in clones for lock in (c.path / ".git").rglob("*.lock")] == []

    def at_remote(self, *args: str, check: bool = True) -> str:
        """Plain git on the experiments remote."""
        return self.clone.git(f"--git-dir={self.experiments}", *args, check=check)

    def plan(self, definition: str) -> Plan:
        """A plan as `submit` would have recorded it."""
        run = RunId.new()
        place = {"account": "123456789012", "region": "us-east-1", "queue": "main", "definition": definition}
        return Plan(run, "batch", run.job_name("demo"), IMAGE, ("true",), **place)  # type: ignore[arg-type]

    def snapshot(self, clone: Clone) -> Snapshot:
        """The newest one of a clone."""
        return snapshots(Repo.discover(clone.path, os.environ))[0]


def stocked(double: BatchDouble) -> str:
    """Give an empty Batch a queue and the base definition `train`; its ARN."""
    double.add_queue("main")
    return register(client(double))
