"""Every snapshot with its runs as a page of all tells them, read from tags and from the record as it was at one commit.

Of thousands of notes only those fields are read that are shown; where something is private all are, to know what is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from git_rvexp.git import notes
from git_rvexp.git.catalogue import Card
from git_rvexp.git.notes import Tip
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.events import Event, Record, parse, skim
from git_rvexp.record.runs import Run, runs
from git_rvexp.terms import Json
from git_rvexp.workflow.looking import metrics
from git_rvexp.workflow.reporting.veil import veil

NO_RUNS = "none"
_RUN = frozenset(("run",))
_WANTED: Mapping[str, frozenset[str]] = {
    "snapshot": frozenset(("changes",)),
    "planned": _RUN | {"executor"},
    "submitted": _RUN | {"job"},
    "ended": _RUN | {"state", "exit", "seconds"},
    "metrics": _RUN | {"values", "not_finite"},
    "verdict": _RUN | {"of", "result"},
    **dict.fromkeys(("ambiguous", "refused", "notfound", "unknown", "cancelled"), _RUN),
}
_WITH_REPEATS = {**_WANTED, "planned": _RUN | {"executor", "repeats"}}


@dataclass(frozen=True)
class Row:
    """A snapshot: what its tag says, what changed in it, and its runs, oldest first."""

    card: Card
    subject: str
    changes: str
    runs: tuple[Run, ...]

    @property
    def parts(self) -> Sequence[str]:
        """Initials, project, date and nickname."""
        return self.card.snapshot.tag.split("/")

    @property
    def word(self) -> str:
        """The state of its last run."""
        return self.runs[-1].word if self.runs else NO_RUNS

    @property
    def metrics(self) -> Mapping[str, Json]:
        """What is recorded of the last run's metrics; none where it has none."""
        return metrics.newest(self.runs)


def rows(repo: Repo, cards: Sequence[Card], at: str, private: Sequence[str]) -> list[Row]:
    """The rows of these snapshots, in their order, by the record as it was at the notes commit `at`."""
    texts = notes.read(repo, Tip(at), [card.snapshot.oid for card in cards])
    read = _veiled if private else _skimmed
    return [read(card, texts.get(card.snapshot.oid, ""), private) for card in cards]


def _skimmed(card: Card, text: str, _private: Sequence[str]) -> Row:
    return _row(card, card.subject, skim(text, _WITH_REPEATS if ' repeats="' in text else _WANTED))


def _veiled(card: Card, text: str, private: Sequence[str]) -> Row:
    record = parse(text)
    over = veil(private, [record])
    return _row(card, over.text(card.subject), over.record(_shown(record)))


def _shown(record: Record) -> Record:
    """What the page shows of a record: no more has to be veiled."""
    told = ((e, _WITH_REPEATS.get(e.kind)) for e in record.events)
    fields = ((e, {key: e.fields[key] for key in e.fields if key in keys}) for e, keys in told if keys)
    return Record(tuple(Event(e.time, e.kind, kept) for e, kept in fields))


def _row(card: Card, subject: str, record: Record) -> Row:
    first = record.last("snapshot")
    return Row(card, subject, str(first.get("changes", "")) if first else "", tuple(runs(record)))
