"""What a bucket's lifecycle rules will do to the objects of a place: delete them, their old versions, or freeze them.

Read only; sizes and tags that a rule may ask for are not looked at, so a rule that may not apply is told too.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from git_rvexp.model import Json

FROZEN = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes that have to be restored before they can be read (GLACIER_IR can be read at once)."""
ARCHIVED = "archived in Glacier: has to be restored before it can be read"
RESTORED = "restored from Glacier for some days only"


def coming(rules: list[Mapping[str, Json]], key: str) -> Iterator[str]:
    """In words, what the rules in force will do below the prefix `key` (or to the object of that name)."""
    for rule in rules:
        chosen = rule.get("Filter") or {}
        prefix = str(rule.get("Prefix") or chosen.get("Prefix") or (chosen.get("And") or {}).get("Prefix") or "")
        if rule.get("Status") == "Enabled" and (key.startswith(prefix) or prefix.startswith(key)):
            yield from _said(rule)


def _said(rule: Mapping[str, Json]) -> Iterator[str]:
    if when := _when(rule.get("Expiration") or {}):
        yield f"a rule deletes objects {when}"
    old = (rule.get("NoncurrentVersionExpiration") or {}).get("NoncurrentDays")
    if old:
        yield f"a rule deletes old versions after {old} days"
    for move in rule.get("Transitions") or []:
        if move.get("StorageClass") in FROZEN:
            yield f"a rule moves objects to {move['StorageClass']} {_when(move)}"


def _when(rule: Mapping[str, Any]) -> str:
    """A rule's days or date; "" for one that has neither, such as the removal of delete markers."""
    if rule.get("Days") is not None:
        return f"after {rule['Days']} days"
    date = rule.get("Date")
    return f"on {date.date() if isinstance(date, dt.datetime) else date}" if date else ""
