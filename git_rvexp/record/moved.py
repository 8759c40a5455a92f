"""Snapshot tags that were moved in this clone, told from what it knows itself: no remote is asked.

A tag object is a snapshot's when its own record says so. One that no record names, under a name that was published or
recorded with another object, was put there since. It is never moved back by us: the user types that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from git_rvexp.git import notes
from git_rvexp.git.remote import PUBLISHED
from git_rvexp.git.tags import HERE, standing
from git_rvexp.record.events import Record
from git_rvexp.record.ledger import Ledger
from git_rvexp.record.share import AlarmError

_NAMES: Mapping[str, frozenset[str]] = {"snapshot": frozenset({"tag"})}


@dataclass(frozen=True)
class Moved:
    """A tag, the object that was published or recorded (`kept` where this clone has it), and the one it names now."""

    tag: str
    recorded: str
    here: str
    kept: bool

    def __str__(self) -> str:
        return f"{HERE}/{self.tag} moved in this clone: recorded {self.recorded}, here {self.here}"

    @property
    def remedy(self) -> str:
        """The command that puts it back."""
        if not self.kept:
            return f"git tag -d {self.tag} && git rvexp sync"
        return f"git update-ref {HERE}/{self.tag} {self.recorded} {self.here}"


def moved(ledger: Ledger, tags: Mapping[str, str]) -> list[Moved]:
    """Those of `tags` (name -> object here) that were moved."""
    records = ledger.skimmed(tags.values(), _NAMES)
    open_ = {tag: oid for tag, oid in tags.items() if tag not in _named(records[oid])}
    if not open_:
        return []
    (published,) = standing(ledger.repo, [PUBLISHED], open_)
    told = recorded(ledger, open_)
    found = []
    for tag, oid in open_.items():
        right = next((o for o in (published.get(tag, ""), *told.get(tag, ())) if o not in ("", oid)), "")
        if right:
            found.append(Moved(tag, right, oid, kept=ledger.repo.resolve(right) != [""]))
    return found


def suspects(ledger: Ledger) -> dict[str, str]:
    """Of the tags of this clone those, with their objects, that the experiments remote was not seen to have so."""
    here, published = standing(ledger.repo, [HERE, PUBLISHED])
    return {tag: oid for tag, oid in here.items() if published.get(tag) != oid}


def recorded(ledger: Ledger, tags: Iterable[str]) -> dict[str, list[str]]:
    """The tag objects that the record's first lines name for `tags`; all notes are looked at."""
    wanted = set(tags)
    found: dict[str, list[str]] = {}
    everything = notes.listed(ledger.repo, notes.tip(ledger.repo)) if wanted else {}
    for oid, record in ledger.skimmed(everything, _NAMES).items():
        for tag in _named(record) & wanted:
            found.setdefault(tag, []).append(oid)
    return found


def refuse(ledger: Ledger, tags: Mapping[str, str]) -> None:
    """AlarmError with both objects, and how to put it back, when any of `tags` (name -> object here) was moved."""
    found = moved(ledger, tags)
    if found:
        told = "\n".join(f"  {each}" for each in found)
        raise AlarmError(
            f"a snapshot's tag never moves, and this is not what was recorded under its name\n{told}",
            hint=" && ".join(each.remedy for each in found),
        )


def _named(record: Record) -> set[str]:
    return {str(event.get("tag")) for event in record.of("snapshot")}
