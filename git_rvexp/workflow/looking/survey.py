"""What there is: snapshots, newest first, each with the state of its runs, from tags and record alone.

No executor is asked and nothing is written here. Records are read in portions, and only as far as a list needs.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_rvexp.git import gone
from git_rvexp.git.catalogue import Card, cards
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.events import Event, Record
from git_rvexp.record.ledger import Ledger
from git_rvexp.record.runs import Run, runs
from git_rvexp.terms import Json
from git_rvexp.workflow.looking import metrics
from git_rvexp.workflow.looking.moments import iso

STATES = ("ok", "failed", "cancelled", "submitted", "planned", "ambiguous", "refused", "notfound", "unknown")
NO_RUNS = "none"
_RUN = frozenset(("run",))
_WANTED: Mapping[str, frozenset[str]] = {
    "snapshot": frozenset(("changes",)),
    "image": frozenset(("ref",)),
    "planned": frozenset(("run", "executor")),
    "submitted": frozenset(("run", "job")),
    "duplicate": frozenset(("run", "job")),
    "ended": frozenset(("run", "state", "exit", "seconds")),
    "metrics": frozenset(("run", "values", "not_finite")),
    **dict.fromkeys(("ambiguous", "refused", "notfound", "unknown", "cancelled"), _RUN),
}
_WITH_REQUESTS = {**_WANTED, "planned": frozenset(("run", "executor", "command", "seed"))}
_PORTION = 256


class Query(NamedTuple):
    """Which snapshots. `state` is one of STATES or NO_RUNS; `limit` 0 means all.

    With `requests` the runs' commands and seeds are read too.
    """

    initials: str = "*"
    project: str = "*"
    state: str = ""
    since: dt.datetime | None = None
    grep: re.Pattern[str] | None = None
    limit: int = 0
    requests: bool = False

    @property
    def needs_records(self) -> bool:
        """Whether a tag's name does not tell if it belongs."""
        return bool(self.state or self.since or self.grep)


class Row(NamedTuple):
    """A snapshot and what its record says of its runs."""

    card: Card
    changes: str
    image: str
    runs: tuple[Run, ...]
    damaged: int

    @property
    def states(self) -> dict[str, int]:
        """How many runs are in each state, by STATES."""
        counts = Counter(run.word for run in self.runs)
        return {word: counts[word] for word in STATES if word in counts}

    @property
    def glance(self) -> str:
        """The same in words; a hyphen when there are no runs."""
        return ", ".join(f"{count} {word}" for word, count in self.states.items()) or "-"

    @property
    def last_run(self) -> str:
        """The id of the run planned last; "" when there are none."""
        return self.runs[-1].run if self.runs else ""

    @property
    def metrics(self) -> Mapping[str, Json]:
        """What is recorded of the last run's metrics; none where it has none."""
        return metrics.newest(self.runs)

    def fields(self) -> dict[str, Json]:
        """The row as JSON: everything a list knows."""
        snapshot = self.card.snapshot
        return {
            "tag": snapshot.tag,
            "oid": snapshot.oid,
            "commit": snapshot.commit,
            "tree": snapshot.tree,
            "date": iso(self.card.when),
            "by": self.card.by,
            "message": self.card.subject,
            "changes": self.changes,
            "image": self.image,
            "states": self.states,
            "damaged_lines": self.damaged,
            "runs": [_run_fields(run) for run in self.runs],
        }


def rows(repo: Repo, ledger: Ledger, query: Query, warn: Callable[[str], None]) -> Iterator[Row]:
    """The snapshots that `query` asks for, newest first, read as they are taken.

    `warn` is told what is left out (see `cards`), and of those whose tags are gone where few are left.
    """
    newest = 0 if query.needs_records else query.limit
    found = cards(repo, initials=query.initials, project=query.project, newest=newest, warn=warn)
    if len(found) < (query.limit or 1) and (lost := _gone(repo)):  # to compare 10,000 tags takes too long
        warn(lost)
    if query.since:
        begin = query.since.timestamp()
        found = [card for card in found if card.when >= begin]
    given = 0
    # A list without an end is read at once, which costs two git processes; a filtered one as far as it must be.
    portion = _PORTION if query.limit else max(len(found), 1)
    for start in range(0, len(found), portion):
        for row in _read(ledger, found[start : start + portion], query):
            if query.limit and given == query.limit:
                return
            given += 1
            yield row


def _gone(repo: Repo) -> str:
    names = gone.gone(repo)
    return f"{gone.told(names)}: git rvexp sync brings them back" if names else ""


def _read(ledger: Ledger, found: Sequence[Card], query: Query) -> Iterator[Row]:
    wanted = _WITH_REQUESTS if query.requests or query.grep else _WANTED
    records = ledger.skimmed([card.snapshot.oid for card in found], wanted)
    for card in found:
        row = _row(card, records[card.snapshot.oid])
        if _belongs(row, query):
            yield row


def _row(card: Card, record: Record) -> Row:
    return Row(
        card,
        changes=_text(record.last("snapshot"), "changes"),
        image=_text(record.last("image"), "ref"),
        runs=tuple(runs(record)),
        damaged=len(record.damaged),
    )


def _text(event: Event | None, key: str) -> str:
    return str(event.get(key, "")) if event else ""


def _belongs(row: Row, query: Query) -> bool:
    if query.state == NO_RUNS and row.runs:
        return False
    if query.state and query.state != NO_RUNS and query.state not in row.states:
        return False
    return query.grep is None or any(query.grep.search(text) for text in _searched(row))


def _searched(row: Row) -> Iterator[str]:
    yield row.card.snapshot.tag
    yield row.card.subject
    yield row.card.by
    for run in row.runs:
        yield run.run
        command = run.planned.get("command")
        if isinstance(command, list):
            yield " ".join(str(word) for word in command)


def _run_fields(run: Run) -> dict[str, Json]:
    ended = run.first("ended")
    told = {key: ended.get(key) for key in ("exit", "seconds") if key in ended.fields} if ended else {}
    numbers, words = metrics.of(run), metrics.not_finite(run)
    return {
        "run": run.run,
        "state": run.word,
        "executor": run.executor,
        "job": run.job,
        "planned": run.planned.time,
        **{key: run.planned.get(key) for key in ("command", "seed") if key in run.planned.fields},
        **told,
        **({"metrics": numbers} if numbers else {}),
        **({"not_finite": words} if words else {}),
    }
