"""A run's log: from its executor, or a copy that was kept with its checksum in the record."""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.record.runs import Run
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following import copies
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.copies import Kept
from git_rvexp.workflow.following.follow import refuse_jobless
from git_rvexp.workflow.following.harvest import share_quietly


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
    """The log's lines. RvexpError when the executor cannot give it and no whole copy was kept, UsageError for no child.

    An executor that has no line of a job that is over may have dropped them: then a kept copy is looked for too.
    """
    refuse_jobless(found.run)
    if part.index:
        _check_child(found.run, int(part.index))
    job = f"{found.run.job}:{part.index}" if part.index else found.run.job
    plan = found.run.plan  # not below: a plan that cannot be read is damage, and no kept copy makes up for it
    given = 0
    try:
        source = executors.logs_of(plan)
        for line in source.logs(job, follow=follow, since=part.since, attempt=part.attempt):
            given += 1
            yield line
    except RvexpError as why:
        copy = None if given else copies.found(context, found.run, part.index)
        if copy is None:
            raise
        yield from _told(context, copy, part, str(why))
        return
    copy = copies.found(context, found.run, part.index) if not given and part.whole else None
    if copy and copy[0]:
        yield from _told(context, copy, part, "the executor has no log of it any more")


def _check_child(run: Run, index: int) -> None:
    size = run.plan.array
    if not size:
        raise UsageError(f"run {run.run} is no array, so it has no job {index}", hint=f"git rvexp logs {run.run}")
    if index >= size:
        raise UsageError(
            f"run {run.run} is an array of {size} jobs, 0 to {size - 1}: it has no job {index}",
            hint=f"git rvexp logs {run.run}:{size - 1}",
        )


def keep(context: Context, found: Found, lines: Iterable[str], index: str) -> Kept:
    """Keep the log in the git directory and, where one is configured, in the store; its checksum goes into the record.

    RvexpError when the store cannot be written: what is kept here is on record all the same.
    """
    kept = copies.written(context, found.run, index, lines)
    trouble: RvexpError | None = None
    if context.settings.store:
        try:
            kept = dataclasses.replace(kept, uri=copies.stored(context, kept))
        except RvexpError as why:
            trouble = why
    told = {"sha256": str(kept.digest).removeprefix("sha256:"), "bytes": kept.size, "lines": kept.lines}
    places = {"child": copies.child(index), "uri": kept.uri or None}
    fields = {"run": found.run.run, **told, **{k: v for k, v in places.items() if v is not None}}
    if not any(e.kind == "log" and e.fields == fields for e in found.run.events):
        context.ledger.append(found.snapshot.oid, context.ledger.event("log", fields))
    share_quietly(context)
    if trouble:
        again = f"git rvexp logs {found.run.run} --save"
        raise RvexpError(f"the log is kept in this clone only: {trouble}", hint=trouble.hint or again) from trouble
    return kept


def _told(context: Context, copy: tuple[bytes, str], part: Part, why: str) -> Iterator[str]:
    content, where = copy
    told = "" if part.whole else ", which knows neither times nor attempts: all of it follows"
    context.say(f"{why}\n  this is {where}{told}")
    if content:
        yield from content.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
