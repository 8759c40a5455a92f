"""What a part of a snapshot's name and the id of a run may be: all that a list needs to know of names.

It stands apart from `names` because making the classes there takes longer than reading twenty records does.
"""

import datetime as dt
import re

PART = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
ID = re.compile(r"[0-9a-hjkmnp-tv-z]{10}")
"""The id of a run, or of a chain: files and volumes are called so."""


def is_date(text: str) -> bool:
    """Whether `text` is a day of the calendar as yyyy-mm-dd."""
    if len(text) != 10 or not text[4] == text[7] == "-":  # ISO 8601 has other forms
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_tag_name(text: str) -> bool:
    """Whether `text` has the shape of a snapshot's name."""
    parts = text.split("/")
    return len(parts) == 4 and is_date(parts.pop(2)) and all(map(PART.fullmatch, parts))
