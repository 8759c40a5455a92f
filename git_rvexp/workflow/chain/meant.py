"""The runs that one word means, which may be the name of a chain; and a step's turn in a chain that is driven."""

from git_rvexp.errors import PendingError, UsageError
from git_rvexp.model import Phase
from git_rvexp.workflow import choose
from git_rvexp.workflow.chain.hold import held
from git_rvexp.workflow.chain.record import chosen
from git_rvexp.workflow.choose import Found, reread
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.follow import Patience

_PAUSE = 1.0


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


def its_turn(context: Context, found: Found, patience: Patience) -> Found:
    """The run as the record tells it, once it was handed over or never will be.

    That is waited for as long as a command of this clone drives its chain; else it is as it is.
    """
    (now,) = reread(context, [found])
    waited = 0.0
    while now.run.phase is Phase.PLANNED and _driven(context, now) and not 0 < patience.timeout <= waited:
        patience.sleep(_PAUSE)
        waited += _PAUSE
        (now,) = reread(context, [found])
    return now


def _driven(context: Context, found: Found) -> bool:
    chain = str(found.run.planned.get("chain", ""))
    if not chain:
        return False
    try:
        with held(context.repo, chain):
            return False
    except PendingError:
        return True
