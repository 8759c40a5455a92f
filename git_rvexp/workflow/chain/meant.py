"""The runs that one word means, which may be the name of a chain; and a step's turn in a chain that is driven."""

from git_rvexp.errors import PendingError, UsageError
from git_rvexp.model import Phase
from git_rvexp.record.runs import Run
from git_rvexp.workflow import choose
from git_rvexp.workflow.chain.hold import held
from git_rvexp.workflow.chain.record import chosen
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context


def meant(context: Context, text: str) -> list[Found]:
    """All runs of a snapshot, the one run, or the runs that count of a chain; UsageError when `text` names none."""
    try:
        snapshot, told = choose.either(context, text)
    except UsageError as neither:
        try:
            return chosen(context, text).found
        except UsageError:
            raise neither from None
    return [Found(snapshot, run) for run in told]


def driven(context: Context, run: Run) -> bool:
    """Whether the run is a step that waits for its turn, in a chain that a command of this clone drives now."""
    chain = str(run.planned.get("chain", ""))
    if run.phase is not Phase.PLANNED or not chain:
        return False
    try:
        with held(context.repo, chain):
            return False
    except PendingError:
        return True
