"""Lines that were taken out of the record by hand, put back: it only ever grows.

`git notes add -f`, `edit`, `remove` and `prune` do that without a word. What they took is still in the history.
"""

from git_rvexp.git import byhand, notes
from git_rvexp.git.notes import Tip
from git_rvexp.record.events import distinct
from git_rvexp.record.kept import merged
from git_rvexp.record.ledger import Ledger


def restored(ledger: Ledger, later: Tip, earlier: Tip) -> Tip:
    """`later` with all that has been taken out since `earlier`, which is told; `later` itself when nothing was."""
    repo = ledger.repo
    found = byhand.taken_out(repo, later, earlier) if later else []
    if not found:
        return later
    old = dict(zip((one.blob for one in found), notes.blobs(repo, [one.blob for one in found]), strict=True))
    there = notes.read(repo, later, {one.oid for one in found})
    whole, by = dict[str, str](), dict[str, None]()
    for one in found:
        content = old[one.blob]
        now = whole.get(one.oid, there.get(one.oid, ""))
        after = merged(one.oid, now, content[1].decode("utf-8", "surrogateescape")) if content else now
        if distinct(after) != distinct(now):
            whole[one.oid] = after
            by[f"{byhand.author(repo, one.commit)} ({one.commit[:12]})"] = None
    if not whole:
        return later
    count = sum(len(distinct(text) - distinct(there.get(oid, ""))) for oid, text in whole.items())
    ledger.warn(
        f"lines of the record were taken out by hand, by {', '.join(by)}: {count} of them are put back\n"
        "  the record only ever grows; for notes of your own: git notes --ref=comments add TAG"
    )
    return notes.write(repo, later, whole, "rvexp: put back")


def from_history(ledger: Ledger) -> None:
    """Put back whatever was ever taken out of this clone's record."""
    ledger.move(lambda at: restored(ledger, at, Tip("")), "rvexp: put back")
