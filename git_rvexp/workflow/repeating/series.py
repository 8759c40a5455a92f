"""Several repeats of one run, which tell chance from change.

Repeats that differ among themselves show that the run is not deterministic; repeats that agree with one another and
not with the original show that something has drifted since.
"""

import itertools
from collections.abc import Sequence

from git_rvexp.model import Json
from git_rvexp.record.events import Record
from git_rvexp.record.runs import Run, runs
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating import evidence
from git_rvexp.workflow.repeating.verdict import DIFFERS, EQUAL, IDENTICAL, NOT_COMPARABLE

SAME = (IDENTICAL, EQUAL)


def verdicts(context: Context, original: Found, repeats: Sequence[str]) -> list[dict[str, Json]]:
    """The verdict on each of these runs, as recorded; one that nobody has written is worked out."""
    record, told = _told(context, original)
    found = []
    for name in repeats:
        written = told[name].verdict
        first = told[original.run.run]
        fields = dict(written.fields) if written else evidence.verdict(context, record, first, told[name])
        found.append({**fields, "run": name, "of": original.run.run})
    return found


def concluded(context: Context, original: Found, told: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """What the verdicts say together: `result`, and the cause of a difference where several repeats tell it."""
    results = [str(fields["result"]) for fields in told]
    worst = next((r for r in (DIFFERS, NOT_COMPARABLE, EQUAL) if r in results), IDENTICAL)
    whole: dict[str, Json] = {"of": original.run.run, "runs": [f["run"] for f in told], "result": worst}
    if len(told) < 2:
        return whole
    if worst == DIFFERS and (cause := _cause(context, original, [str(f["run"]) for f in told])):
        whole["cause"] = cause
    context.ledger.append(original.snapshot.oid, context.ledger.event("series", whole))
    return whole


def _cause(context: Context, original: Found, repeats: Sequence[str]) -> str:
    """What explains a difference, by how the repeats are to one another; "" where one that was stopped hides it."""
    record, told = _told(context, original)
    pairs = itertools.combinations([told[name] for name in repeats], 2)
    results = {evidence.verdict(context, record, *pair)["result"] for pair in pairs}
    if DIFFERS in results:
        return "nondeterminism"
    return "drift" if results <= set(SAME) else ""


def _told(context: Context, original: Found) -> tuple[Record, dict[str, Run]]:
    record = context.ledger.record(original.snapshot.oid)
    return record, {run.run: run for run in runs(record)}
