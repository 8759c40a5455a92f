"""Several repeats of one run, which tell chance from change.

Repeats that differ among themselves show that the run is not deterministic; repeats that agree with one another and
not with the original show that something has drifted since.
"""

from collections.abc import Sequence

from git_rvexp.model import Json
from git_rvexp.record.runs import Run, runs
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating import evidence
from git_rvexp.workflow.repeating.verdict import DIFFERS, EQUAL, IDENTICAL, NOT_COMPARABLE

SAME = (IDENTICAL, EQUAL)


def verdicts(context: Context, original: Found, repeats: Sequence[str]) -> list[dict[str, Json]]:
    """The verdict on each of these runs, as recorded; one that nobody has written is worked out."""
    told = _told(context, original)
    found = []
    for name in repeats:
        written = told[name].verdict
        fields = dict(written.fields) if written else _worked_out(context, told[original.run.run], told[name])
        found.append({**fields, "run": name, "of": original.run.run})
    return found


def concluded(context: Context, original: Found, told: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """What the verdicts say together: `result`, and the cause of a difference where several repeats tell it."""
    results = [str(fields["result"]) for fields in told]
    worst = next((r for r in (DIFFERS, NOT_COMPARABLE, EQUAL) if r in results), IDENTICAL)
    whole: dict[str, Json] = {"of": original.run.run, "runs": [f["run"] for f in told], "result": worst}
    if len(told) < 2:
        return whole
    if worst == DIFFERS:
        whole["cause"] = "drift" if _agree(context, original, [str(f["run"]) for f in told]) else "nondeterminism"
    context.ledger.append(original.snapshot.oid, context.ledger.event("series", whole))
    return whole


def _agree(context: Context, original: Found, repeats: Sequence[str]) -> bool:
    """Whether all repeats showed the same as the first of them."""
    told = _told(context, original)
    first = told[repeats[0]]
    others = (evidence.verdict(context, first, evidence.side(told[name])) for name in repeats[1:])
    return all(fields["result"] in SAME for fields in others)


def _worked_out(context: Context, original: Run, again: Run) -> dict[str, Json]:
    return evidence.verdict(context, original, evidence.side(again))


def _told(context: Context, original: Found) -> dict[str, Run]:
    return {run.run: run for run in runs(context.ledger.record(original.snapshot.oid))}
