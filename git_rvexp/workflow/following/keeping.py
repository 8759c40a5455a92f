"""A run's log: from its executor, or the copy that was kept in this clone with its checksum in the record."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.errors import RvexpError
from git_rvexp.record.runs import Run
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import refuse_jobless
from git_rvexp.workflow.following.harvest import share_quietly


@dataclass(frozen=True)
class Kept:
    """A log that was kept."""

    path: Path
    lines: int
    digest: str


@dataclass(frozen=True)
class Part:
    """What of a log is wanted: of which child of an array, from when on (epoch seconds), of which attempt (from 1)."""

    index: str = ""
    since: float = 0
    attempt: int = 0

    @property
    def whole(self) -> bool:
        """Whether it is all that the job, or the child, printed."""
        return not self.since and not self.attempt


def lines_of(context: Context, found: Found, executors: Executors, part: Part, *, follow: bool) -> Iterator[str]:
    """The log's lines. RvexpError when the executor cannot give it and no whole copy was kept here."""
    refuse_jobless(found.run)
    job = f"{found.run.job}:{part.index}" if part.index else found.run.job
    given = 0
    try:
        source = executors.logs_of(found.run.plan)
        for line in source.logs(job, follow=follow, since=part.since, attempt=part.attempt):
            given += 1
            yield line
    except RvexpError as why:
        copy = _path(context, found.run, part.index)
        if given or not copy.is_file():
            raise
        told = "" if part.whole else ", which knows neither times nor attempts: all of it follows"
        context.say(f"{why}\n  this is the copy kept in this clone{told}")
        yield from _checked(found.run, copy, part.index)


def keep(context: Context, found: Found, lines: Iterable[str], index: str) -> Kept:
    """Write the log beside the record, and its checksum into it."""
    path = _path(context, found.run, index)
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, count, size = hashlib.sha256(), 0, 0
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        for line in lines:
            data = line.encode("utf-8", "surrogateescape") + b"\n"
            digest.update(data)
            file.write(data)
            count += 1
            size += len(data)
    partial.replace(path)
    kept = Kept(path, count, f"sha256:{digest.hexdigest()}")
    fields = {"run": found.run.run, "sha256": digest.hexdigest(), "bytes": size, "lines": count}
    context.ledger.append(found.snapshot.oid, context.ledger.event("log", fields | _child(index)))
    share_quietly(context)
    return kept


def _path(context: Context, run: Run, index: str) -> Path:
    return context.repo.state_dir / "logs" / (f"{run.run}-{index}.log" if index else f"{run.run}.log")


def _child(index: str) -> dict[str, int]:
    return {"child": int(index)} if index else {}


def _checked(run: Run, path: Path, index: str) -> Iterator[str]:
    data = path.read_bytes()
    wanted = {"sha256": hashlib.sha256(data).hexdigest(), "child": None, **_child(index)}
    if not any(all(e.get(k) == v for k, v in wanted.items()) for e in run.events if e.kind == "log"):
        raise RvexpError(f"the kept log {path} is not the one whose checksum the record holds")
    yield from data.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
