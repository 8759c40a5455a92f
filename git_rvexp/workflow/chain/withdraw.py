"""Withdraw steps of chains that were planned and not handed over: it is recorded that they will not be.

Only where that is certain. Of a step that somebody else may be handing over just now nothing is written: once it has a
job, that can be stopped.
"""

from collections.abc import Sequence

from git_rvexp.errors import PendingError
from git_rvexp.model import Phase, Snapshot
from git_rvexp.workflow.chain.hold import held
from git_rvexp.workflow.chain.record import load
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.reconcile import waits_its_turn


def withdraw(context: Context, found: Sequence[Found], reason: str, by: str) -> bool:
    """Withdraw what can be of `found`; whether a command of this clone is driving one of the chains right now."""
    chains: dict[str, Snapshot] = {}
    for each in found:
        if each.run.phase is Phase.PLANNED and each.run.planned.get("chain"):
            chains[str(each.run.planned.get("chain"))] = each.snapshot
    driven = False
    for name, snapshot in chains.items():
        try:
            _withdraw(context, snapshot, name, {f.run.run for f in found}, {"reason": reason, "by": by})
        except PendingError as why:
            context.say(str(why))
            driven = True
    return driven


def _withdraw(context: Context, snapshot: Snapshot, name: str, meant: set[str], who: dict[str, str]) -> None:
    with held(context.repo, name) as hold:
        chain = load(context, snapshot, name)
        waiting = {step: run for step, run in chain.runs.items() if run.run in meant and run.phase is Phase.PLANNED}
        certain = {s: r for s, r in waiting.items() if waits_its_turn(r) or hold.surely_unsent(r.run, chain.driver)}
        told = (
            {"run": run.run, "why": f"withdrawn before it was handed over: {who['reason']}"} for run in certain.values()
        )
        if certain:
            context.ledger.append(
                snapshot.oid, *(context.ledger.event("refused", {**t, "by": who["by"]}) for t in told)
            )
            context.say(f"chain {name}: not handed over, and never will be: {', '.join(certain)}")
