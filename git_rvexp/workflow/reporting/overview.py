"""All experiments as plain values: counters, a table in months with what it can be filtered by, pictures."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from git_rvexp.workflow.looking.metrics import in_words
from git_rvexp.workflow.looking.moments import duration
from git_rvexp.workflow.looking.survey import STATES
from git_rvexp.workflow.reporting.checks import ANSWERS
from git_rvexp.workflow.reporting.gantt import gantt
from git_rvexp.workflow.reporting.moments import wall
from git_rvexp.workflow.reporting.rows import NO_RUNS, Row
from git_rvexp.workflow.reporting.trends import activity, trends

_CHOICES = 12  # projects and people that have a button; the style sheet has as many rules
_NUMBERS = 2
_WORST = ("no", "cannot tell", "yes", "not ended")


@dataclass(frozen=True)
class Cell:
    """A row of the table as texts. `marks` are the classes that it is filtered by."""

    tag: str
    stem: str
    nickname: str
    day: str
    subject: str
    changes: str
    runs: str
    took: str
    numbers: str
    answer: str
    word: str
    marks: str


@dataclass(frozen=True)
class Choice:
    """Something to filter by: its class, its words, and how many rows have it."""

    mark: str
    words: str
    count: int


def overview(rows: Sequence[Row], answers: Mapping[str, Mapping[str, str]], now: float) -> dict[str, object]:
    """What the template shows."""
    projects, people = (_choices(letter, (row.parts[n] for row in rows)) for letter, n in (("p", 1), ("w", 0)))
    marks = {(kind, c.words): c.mark for kind, found in ((1, projects), (0, people)) for c in found}
    states = Counter(row.word for row in rows)
    return {
        "counters": _counters(rows, answers),
        "looked": len(answers),
        "projects": projects,
        "people": people,
        "states": [Choice(f"s-{word}", word, states[word]) for word in (*STATES, NO_RUNS) if states[word]],
        "months": _months(rows, answers, marks),
        "total": len(rows),
        "gantt": gantt(rows, now),
        "trends": trends(rows),
        "activity": activity(rows),
    }


def _counters(rows: Sequence[Row], answers: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str, str]]:
    """Figure, what it counts, and its kind."""
    states = Counter(run.word for row in rows for run in row.runs)
    results = Counter(str(v.get("result", "")) for row in rows for run in row.runs if (v := run.verdict))
    told = Counter(word for runs in answers.values() for word in runs.values() if word in ANSWERS)
    open_runs = sum(states[word] for word in ("planned", "ambiguous", "submitted"))
    counted = [
        (len(rows), "experiments", ""),
        (states.total(), "runs", ""),
        (states["ok"], "ok", "ok"),
        (states["failed"], "failed", "bad"),
        (open_runs, "not ended", ""),
        (results["identical"] + results["equal-within-tolerance"], "repeats with the same result", "ok"),
        (results["differs"], "repeats that differ", "bad"),
    ]
    shown = [(f"{n:,}", words, kind) for n, words, kind in counted if n or words in _ALWAYS]
    if answers:
        among = f"runs of the newest {len(answers)} " if len(answers) < len(rows) else "runs "
        shown.insert(0, (f"{told['yes']} of {told.total()}", f"{among}repeatable today", "lead"))
    return shown


_ALWAYS = ("experiments", "runs")


def _choices(letter: str, words: Iterable[str]) -> list[Choice]:
    common = Counter(words).most_common(_CHOICES)
    return [Choice(f"{letter}{place}", word, count) for place, (word, count) in enumerate(common)]


def _months(
    rows: Sequence[Row], answers: Mapping[str, Mapping[str, str]], marks: Mapping[tuple[int, str], str]
) -> list[tuple[str, list[Cell]]]:
    groups = groupby(rows, key=lambda row: row.card.date[:7])
    return [
        (month, [_cell(row, answers.get(row.card.snapshot.tag), marks) for row in inside]) for month, inside in groups
    ]


def _cell(row: Row, told: Mapping[str, str] | None, marks: Mapping[tuple[int, str], str]) -> Cell:
    initials, project, day, nickname = row.parts
    seconds = wall(row.runs[-1]) if row.runs else None
    counts = Counter(run.word for run in row.runs)
    answer = next((word for word in _WORST if word in told.values()), NO_RUNS) if told is not None else ""
    found = [f"s-{row.word}", marks.get((1, project), ""), marks.get((0, initials), "")]
    return Cell(
        tag=row.card.snapshot.tag,
        stem=f"{initials}/{project}",
        nickname=nickname,
        day=day,
        subject=row.subject,
        changes=row.changes,
        runs=", ".join(f"{n} {word}" for word, n in counts.items()) if len(row.runs) > 1 else "",
        took=duration(seconds) if seconds is not None else "",
        numbers=in_words(row.metrics, most=_NUMBERS),
        answer=answer,
        word=row.word,
        marks=" ".join(mark for mark in found if mark),
    )
