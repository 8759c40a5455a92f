"""Jobs on our definitions that no record names: found, listed, and put on record when somebody asks for it.

They are jobs that colleagues or other tools submitted by hand. Adopting one writes the same lines in every clone
(its run id follows from the job's id, its times are Batch's), so that two people who adopt it make one record.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from git_rvexp import aws
from git_rvexp.errors import UsageError
from git_rvexp.executors.batch_foreign import Listed, jobs_on, request_of
from git_rvexp.git.tags import snapshots
from git_rvexp.model import Snapshot
from git_rvexp.names import RunId
from git_rvexp.record.events import Event, Record, stamp
from git_rvexp.record.runs import runs
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.storing.sharing import share_record


@dataclass(frozen=True)
class Foreign:
    """A job that no record names, the definition it runs, and the snapshot that definition was made for."""

    snapshot: Snapshot
    definition: str
    image: str
    queue: str
    listed: Listed


def foreign(context: Context) -> list[Foreign]:
    """The foreign jobs in the queues that the settings and the records name. What cannot be listed is warned of."""
    known = {s.oid: s for s in snapshots(context.repo)}
    records = context.ledger.records(known)
    recorded = [run for record in records.values() for run in runs(record)]
    # A job under a planned name is ours, even while its id is not on record: settling adopts it.
    ours = {j for r in recorded for j in r.jobs} | {str(r.planned.get("job_name")) for r in recorded}
    queues = [context.trusted().batch_queue, *(str(r.planned.get("queue", "")) for r in recorded)]
    found: dict[str, Foreign] = {}
    for oid, record in records.items():
        for event in _definitions(record):
            for one in _listed(context, known[oid], event, dict.fromkeys(q for q in queues if q)):
                if one.listed.job not in ours and one.listed.name not in ours:
                    found.setdefault(one.listed.job, one)
    return list(found.values())


def adopt(context: Context, text: str) -> str:
    """Put the foreign job whose id or name is `text` on record; the run's id. UsageError when there is not exactly one.

    What the record cannot hold of it (its environment's values) is left out, and the plan says that it is foreign.
    """
    candidates = foreign(context)
    chosen = [f for f in candidates if text in (f.listed.job, f.listed.name)]
    if len(chosen) != 1:
        shown = "".join(f"\n  {f.listed.job}  {f.listed.name}" for f in chosen or candidates)
        which = "names several foreign jobs" if chosen else "is no foreign job on our definitions"
        raise UsageError(f"{text!r} {which}{shown}", hint="git rvexp sync --foreign")
    (one,) = chosen
    planned, submitted = _events(context, one)
    context.ledger.append(one.snapshot.oid, planned, submitted)
    share_record(context)
    return str(planned.fields["run"])


def _definitions(record: Record) -> list[Event]:
    """One event for each definition that the record names by ARN."""
    return list({str(e.get("arn")): e for e in record.of("definition") if e.get("arn")}.values())


def _listed(context: Context, snapshot: Snapshot, event: Event, queues: Iterable[str]) -> list[Foreign]:
    arn, image = str(event.get("arn")), str(event.get("image", ""))
    found = []
    for queue in queues:
        try:
            found += [Foreign(snapshot, arn, image, queue, job) for job in jobs_on(context.trusted(), arn, queue)]
        except aws.ServiceError as why:
            context.warn(str(why))
    return found


def _events(context: Context, one: Foreign) -> tuple[Event, Event]:
    settings = context.trusted()
    account, region = aws.identity(settings)
    listed = one.listed
    run = str(RunId.of(listed.job))
    fields = {
        "run": run,
        "foreign": True,
        "executor": "batch",
        "job_name": listed.name,
        "image": one.image,
        "definition": one.definition,
        "account": account,
        "region": region,
        "tag": one.snapshot.tag,
        "tag_oid": one.snapshot.oid,
        "queue": one.queue,
        **request_of(settings, listed.job),
    }
    when = stamp(dt.datetime.fromtimestamp(listed.created / 1000, dt.UTC))
    return Event(when, "planned", fields), Event(when, "submitted", {"run": run, "job": listed.job, "adopted": True})
