"""Ages, durations and "since when", as people write and read them."""

import datetime as dt
import re

from git_rvexp.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
FIRST, LAST = -62_135_596_800, 253_402_300_799
"""Where the calendar begins and ends, in UTC epoch seconds: the years 1 and 9999."""
_STEPS = ((60, 1, "s"), (3600, 60, "min"), (2 * 86_400, 3600, "h"), (float("inf"), 86_400, "d"))


def age(seconds: float) -> str:
    """A span in one number and its unit: `40 s`, `5 min`, `3 h`, `12 d`."""
    span = max(0.0, seconds)
    size, unit = next((size, unit) for limit, size, unit in _STEPS if span < limit)
    return f"{int(span // size)} {unit}"


def duration(seconds: float) -> str:
    """How long something took: `4.2 s`, `3 min 20 s`, `2 h 47 min`."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if hours else f"{minutes} min {rest} s"


def span(text: str) -> float:
    """Seconds in `90`, `90s`, `10m`, `2h`, `3d`, `1w`; UsageError for anything else."""
    found = re.fullmatch(r"(\d+)([smhdw]?)", text)
    if not found:
        raise UsageError(f"{text!r} is not a span of time", hint="write it as 90s, 10m, 2h, 3d or 1w")
    return int(found[1]) * float(_UNITS[found[2] or "s"])


def since(text: str, now: dt.datetime) -> dt.datetime:
    """The moment that `text` names: a date, a date and time (local unless it says otherwise), or a span before now."""
    try:
        return dt.datetime.fromisoformat(text).astimezone()
    except ValueError:
        pass
    try:
        return now - dt.timedelta(seconds=span(text))
    except UsageError:
        raise UsageError(f"{text!r} is neither a date nor a span", hint="write 2026-01-31, 3d or 12h") from None


def iso(epoch: float) -> str:
    """UTC epoch seconds as `2026-01-31T12:00:00Z`; what lies outside the calendar, as a tag may, as its nearer end."""
    return dt.datetime.fromtimestamp(min(max(epoch, FIRST), LAST), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
