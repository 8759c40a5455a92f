"""Several repeats of one run: what they say together of the cause of a difference."""

import datetime as dt

import pytest

from git_rvexp.data.manifest import Item, taken
from git_rvexp.model import Snapshot
from git_rvexp.workflow.repeating.manifests import told
from git_rvexp.workflow.repeating.series import concluded, verdicts
from tests.conftest import Clone
from tests.notebook import Notebook, digest

STOPPED = ""


def ended(book: Notebook, snapshot: Snapshot, text: str) -> str:
    """The id of a run that wrote one file with this text, or ran out of memory before it could."""
    book.now += dt.timedelta(seconds=1)
    run = str(book.submitted(snapshot).run)
    reason = {"reason": "OutOfMemoryError: container killed", "exit": 137} if text == STOPPED else {"exit": 0}
    book.tell(snapshot, "ended", run=run, state="FAILED" if text == STOPPED else "SUCCEEDED", **reason)
    files = [] if text == STOPPED else [Item("out/a", 1, str(digest(text)))]
    book.tell(snapshot, "outputs", run=run, **told(book.context, taken(files)))
    return run


@pytest.mark.parametrize(
    ("repeats", "cause"),
    [
        (["b", "b"], "drift"),
        (["b", "c"], "nondeterminism"),
        (["a", "b"], "nondeterminism"),
        (["b", STOPPED, "b"], None),
        (["b", STOPPED], None),
        ([STOPPED, "b", "c"], "nondeterminism"),
    ],
)
def test_only_repeats_that_can_be_compared_tell_a_cause(clone: Clone, repeats: list[str], cause: str | None) -> None:
    """One that ran out of memory is no sign of chance."""
    book = Notebook(clone)
    snapshot = book.snapshot("al/roads/2026-11-02/one")
    original = book.found(ended(book, snapshot, "a"))
    found = verdicts(book.context, original, [ended(book, snapshot, text) for text in repeats])
    whole = concluded(book.context, original, found)
    assert (whole["result"], whole.get("cause")) == ("differs", cause)
    series = book.ledger.record(snapshot.oid).last("series")
    assert series
    assert series.get("cause") == cause
