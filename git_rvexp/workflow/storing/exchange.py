"""All of this clone and all of the store, brought to the same state: the record, then the tags, both ways."""

from git_rvexp.data.store import Store
from git_rvexp.git.tags import snapshots
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.snapshotting.take import complete_all
from git_rvexp.workflow.storing import records, shelf
from git_rvexp.workflow.storing.deposit import deposit
from git_rvexp.workflow.storing.fetching import fetch


def exchange(context: Context, *, accept: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tags that were fetched, and those whose copies were put there. Errors of S3; AlarmError as in `deposit`.

    The record comes first: it decides which of two tag objects under one name is the snapshot.
    """
    records.receive(context)
    where = context.trusted().store
    there = list(Store(context.trusted()).names(shelf.copies_at(where)))
    fetched = fetch(context, there)
    known = snapshots(context.repo)
    complete_all(context, known)
    try:
        done = deposit(context, known, there, accept=accept)
    finally:
        records.send(context)  # whatever became of the copies
    return fetched, tuple(s.tag for s in done)
