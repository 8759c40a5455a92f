"""Share the record and snapshots with everything that is set up: the experiments remote, the store in S3, or both.

Where both are, one of them is enough to go on: the other's failure is told, and the next command takes it up. The
repository inside the clone, which stands for a remote that nobody named, shares nothing; then it is the store that
must answer.
"""

from collections.abc import Callable

from git_rvexp.errors import GitError, PendingError, RvexpError
from git_rvexp.model import Snapshot
from git_rvexp.record import share
from git_rvexp.record.asking import ask
from git_rvexp.workflow.context import Context

PENDING = "what it lacks is kept here; git rvexp sync takes it there"


def share_record(context: Context) -> None:
    """Bring the record to where others see it. GitError, PendingError or the store's error when it is seen nowhere.

    AlarmError, whatever the other place says, when the remote's history was rewritten.
    """
    _with_both(context, lambda: share.push_notes(context.ledger), _exchange)


def receive_record(context: Context) -> None:
    """Take in what others have recorded. GitError or the store's error when it can be had from nowhere, AlarmError."""
    _with_both(context, lambda: _receive(context), _receive_stored)


def _receive(context: Context) -> None:
    share.receive_notes(context.ledger, ask(context.repo, []))


def _with_both(context: Context, with_remote: Callable[[], None], with_store: Callable[[Context], None]) -> None:
    if not context.settings.store:
        with_remote()
        return
    failed: RvexpError | None = None
    try:
        with_remote()
    except (GitError, PendingError) as why:
        failed = why
    try:
        with_store(context)
    except RvexpError as why:
        if failed or context.wanted_remote().embedded:
            raise failed or why from why
        context.warn(f"the store cannot be reached: {why}\n  {PENDING}")
        return
    if failed:
        context.warn(f"{failed}\n  {PENDING}")


def deposit_or_tell(context: Context, snapshot: Snapshot) -> bool:
    """Put the snapshot into the store, if there is one; a failure is told. Whether nothing is left to do."""
    if not context.settings.store:
        return True
    try:
        deposit_one(context, snapshot)
    except share.AlarmError:
        raise
    except RvexpError as why:
        context.warn(f"{snapshot.tag} is not in the store yet: {why}\n  {PENDING}")
        return False
    return True


def deposit_one(context: Context, snapshot: Snapshot) -> None:
    """Put the snapshot into the store. Errors of S3; AlarmError when another one has its name there."""
    from git_rvexp.workflow.storing.deposit import deposit  # noqa: PLC0415  loads botocore

    deposit(context, [snapshot])


def _receive_stored(context: Context) -> None:
    from git_rvexp.workflow.storing import records  # noqa: PLC0415  loads botocore

    records.receive(context)


def _exchange(context: Context) -> None:
    from git_rvexp.workflow.storing import records  # noqa: PLC0415  loads botocore

    records.receive(context)
    records.send(context)
