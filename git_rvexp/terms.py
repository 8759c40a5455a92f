"""The values that even a quick look needs: a snapshot, where a run stands, JSON. `model` has the others and these.

They stand apart because making the classes of plans and jobs takes longer than reading twenty records does. All
that `list` makes use of are named tuples: dataclasses compile six functions each, which was a quarter of its time.
"""

import enum
from typing import Any, NamedTuple

Json = Any
"""A JSON value: parsed at the edge, shape checked where it is used."""


class Snapshot(NamedTuple):
    """A snapshot as git has it. Ids are hexadecimal object names."""

    tag: str
    oid: str
    commit: str
    tree: str


class Phase(enum.Enum):
    """Where a run stands. The values are the words that people are shown, whatever the executor calls it."""

    PLANNED = "planned"
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"
    NOTFOUND = "notfound"
    SUBMITTED = "submitted"
    RUNNING = "running"
    SUCCEEDED = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def over(self) -> bool:
        """Whether nothing more is expected to happen."""
        return self in _OVER

    @property
    def open(self) -> bool:
        """Whether a job may exist that the record does not know."""
        return self in (Phase.PLANNED, Phase.AMBIGUOUS)


_OVER = (Phase.REFUSED, Phase.NOTFOUND, Phase.SUCCEEDED, Phase.FAILED, Phase.UNKNOWN)
