"""What is kept of a run beside how it ended: its outputs, numbers, inputs once more, and for a repeat the verdict.

Gathered when the end is recorded, and written with it in one step. What cannot be read is told and stops nothing; of
outputs it is read by a later look, which whoever can read them may take.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from git_rvexp.errors import RvexpError
from git_rvexp.model import Json, Plan
from git_rvexp.record.events import Event, Record
from git_rvexp.record.kept import kept
from git_rvexp.record.runs import Run, runs
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.looking import metrics
from git_rvexp.workflow.repeating import inputs, outputs
from git_rvexp.workflow.repeating.manifests import recorded
from git_rvexp.workflow.repeating.verdict import Side, judged

if TYPE_CHECKING:
    from git_rvexp.workflow.following.asking import Executors


def gather(context: Context, found: Found, ended: Event) -> list[Event]:
    """The events that go with `ended`, of the same moment: two clones that gather the same write the same."""
    try:
        plan = found.run.plan
        events = [Event(ended.time, kind, fields) for kind, fields in _facts(context, plan, found.run.job)]
    except RvexpError as why:
        context.warn(f"what run {found.run.run} wrote cannot be told: {why}")
        return []
    original = str(plan.extra.get("repeats", ""))
    record = context.ledger.record(found.snapshot.oid)
    first = next((r for r in runs(record) if r.run == original), None)
    if first is None:
        return events
    fields = verdict(context, record, first, found.run._replace(events=(*found.run.events, ended, *events)))
    return [*events, Event(ended.time, "verdict", {"run": found.run.run, "of": original, **fields})]


def completed(context: Context, found: Found, executors: "Executors") -> list[Event]:
    """The outputs that could not be read when the run ended, read now, and the verdicts that they change.

    Empty while no more can be read than then.
    """
    try:
        fields = outputs.completed(context, found.run, executors)
    except RvexpError as why:
        context.warn(f"what run {found.run.run} wrote cannot be told: {why}")
        return []
    if fields is None:
        return []
    event = context.ledger.event("outputs", fields)
    record = context.ledger.record(found.snapshot.oid)
    told = {r.run: r for r in runs(record)}
    told[found.run.run] = found.run._replace(events=(*found.run.events, event))
    pairs = [(told.get(str(run.planned.get("repeats", ""))), run) for run in told.values() if run.first("ended")]
    judged_anew = [(first, again) for first, again in pairs if first and found.run.run in (first.run, again.run)]
    fields_of = [{"run": b.run, "of": a.run, **verdict(context, record, a, b)} for a, b in judged_anew]
    return [event, *(context.ledger.event("verdict", fields) for fields in fields_of)]


def verdict(context: Context, record: Record, original: Run, again: Run) -> dict[str, Json]:
    """What `again` showed, held against the run it repeats; the tolerance is the repeat's own, else the original's."""
    tolerated = again.planned.get("tolerance", original.planned.get("tolerance", 0.0))

    def listed(event: Event) -> Iterator[str] | None:
        try:
            return recorded(context.repo, event.fields, context.trusted())
        except RvexpError as why:
            context.warn(f"a list of outputs cannot be read: {why}")
            return None

    first, second = _side(record, original), _side(record, again)
    return judged(first, second, float(tolerated), lambda blob: kept(context.repo, blob), listed)


def _side(record: Record, run: Run) -> Side:
    image = record.image_id(str(run.planned.get("image", "")))
    return Side(run.planned, run.first("ended"), run.outputs, run.first("inputs"), image)


def _facts(context: Context, plan: Plan, job: str) -> list[tuple[str, dict[str, Json]]]:
    facts = []
    if outputs.declared(plan):
        facts.append(("outputs", outputs.fields(context, plan, job)))
    if metrics.declared(plan):
        facts.append(("metrics", metrics.fields(context, plan, job)))
    before = plan.extra.get("inputs")
    if before:
        now = [inputs.look(context, plan, entry) for entry in before]
        drifts = inputs.drift(context, before, now)
        facts.append(("inputs", _inputs(plan, now, drifts)))
    return facts


def _inputs(plan: Plan, now: list[dict[str, Json]], drifts: list[inputs.Drift]) -> dict[str, Json]:
    fields: dict[str, Json] = {"run": str(plan.run), "same": not drifts, "of": now}
    for key, certain in (("changed", True), ("untold", False)):
        words = [str(d) for d in drifts if d.certain is certain]
        if words:
            fields[key] = words
    return fields
