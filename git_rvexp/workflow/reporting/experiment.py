"""The page of one experiment: its source and the repository in, plain values for the template out, the page made."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from git_rvexp.names import TagName
from git_rvexp.record.runs import Run
from git_rvexp.terms import Json, Phase
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.looking import compare, metrics
from git_rvexp.workflow.looking.change import Change as Difference
from git_rvexp.workflow.looking.moments import duration, iso
from git_rvexp.workflow.looking.reasons import in_words
from git_rvexp.workflow.reporting import drift, places, surroundings
from git_rvexp.workflow.reporting.checks import Answer
from git_rvexp.workflow.reporting.gather import Wish, gather
from git_rvexp.workflow.reporting.links import chain
from git_rvexp.workflow.reporting.moments import wall
from git_rvexp.workflow.reporting.source import Source, Told
from git_rvexp.workflow.reporting.template import page
from git_rvexp.workflow.reporting.timeline import timeline
from git_rvexp.workflow.reporting.veil import veil

_FILES = 40
_CHANGES = 60
_RUNS = 50
_NUMBERS = 4  # in a row of the table of runs


@dataclass(frozen=True)
class Line:
    """A run in the table of runs: what was asked, how it ended, what came of it, and its verdict if it repeats one."""

    run: str
    command: str
    word: str
    planned: str
    took: str
    numbers: str
    repeats: str
    result: str
    because: str
    answer: Answer | None


@dataclass(frozen=True)
class Change:
    """One thing that differs from the parent, as texts; `by` is how much larger a number is."""

    what: str
    before: str
    after: str
    by: str


def render(context: Context, what: str, wish: Wish) -> str:
    """The page about the snapshot or run that `what` names."""
    return made(context, gather(context, what, wish))


def named(context: Context, what: str, wish: Wish) -> tuple[str, str]:
    """The same, and a name for its file."""
    source = gather(context, what, wish)
    snapshot = source.about.snapshot
    return TagName.parse(snapshot.tag).mapped if snapshot.tag else snapshot.commit[:12], made(context, source)


def made(context: Context, source: Source) -> str:
    """The page that this source makes in this repository."""
    about = source.about
    record, runs = about.record, about.runs
    run = about.run(source.focus)
    over = veil(source.private, [record])
    repeats = [r for r in runs if run and r.planned.get("repeats") == run.run]
    values = {
        "about": about,
        "title": about.snapshot.tag or f"commit {about.snapshot.commit[:12]}",
        "nickname": about.snapshot.tag.rpartition("/")[2] or about.snapshot.commit[:12],
        "taken": iso(about.when) if about.when else "",
        "made": iso(source.made),
        "version": source.version,
        "private": source.private,
        "checked": source.checked,
        "run": run,
        "answer": source.checked.answer(run.run) if source.checked and run else None,
        "outcome": _outcome(run) if run else [],
        "numbers": [(name, drift.shown(value)) for name, value in (metrics.told(run).items() if run else ())],
        "command": surroundings.command(run) if run else "",
        "again": surroundings.again(source, run) if run and about.snapshot.tag else [],
        "by_hand": surroundings.by_hand(run) if run else [],
        "code": source.code,
        "chain": chain(source, record, run),
        "timeline": timeline(record, runs, source.made),
        "inputs": places.inputs(context.repo, run, over) if run else [],
        "outputs": places.outputs(context.repo, run, over) if run else None,
        "changed": places.changed(run) if run else [],
        "data_checks": source.checked.run(run.run, "inputs", "outputs") if source.checked and run else [],
        "lines": [_line(source, r) for r in runs[-_RUNS:]],
        "hidden_runs": max(0, len(runs) - _RUNS),
        "strips": drift.strips(run, repeats) if run else [],
        "parent": source.parent,
        "since": _since(context, source, run) if source.parent else None,
        "machine": surroundings.machine(run) if run else [],
        "variables": surroundings.variables(run) if run else [],
        "record": about.lines,
        "damaged": record.damaged,
    }
    return page("experiment.html", values, source.fields())


def _outcome(run: Run) -> list[tuple[str, str]]:
    """The few facts that are looked for first."""
    ended, seconds = run.first("ended"), wall(run)
    reason = str(ended.get("reason", "")) if ended else ""
    code = ended.get("exit") if ended else None
    tries = ended.get("attempts") if ended else None
    told: list[tuple[str, Json]] = [
        ("wall time", duration(seconds) if seconds is not None else ""),
        ("exit code", "" if code is None else code),
        ("attempts", len(tries) if isinstance(tries, list) else ""),
        ("executor", run.executor),
        ("seed", run.planned.get("seed", "")),
        ("reason", (in_words(reason) or reason) if run.phase is Phase.FAILED else ""),
    ]
    return [(label, str(value)) for label, value in told if value not in ("", None)]


def _line(source: Source, run: Run) -> Line:
    from git_rvexp.workflow.repeating.verdict import summary  # noqa: PLC0415  beside its one use

    verdict, seconds = run.verdict, wall(run)
    result = str(verdict.get("result", "")) if verdict else ""
    try:
        because = summary(verdict.fields).partition("; ")[2] if verdict else ""  # the result stands beside it
    except (TypeError, ValueError, AttributeError, KeyError, IndexError):
        because = "a verdict that cannot be read"  # the record is others' text
    return Line(
        run.run,
        surroundings.command(run),
        run.word,
        run.planned.time[:19].replace("T", " "),
        duration(seconds) if seconds is not None else "",
        metrics.in_words(metrics.told(run), most=_NUMBERS),
        str(run.planned.get("repeats", "")),
        result,
        because,
        source.checked.answer(run.run) if source.checked else None,
    )


def _since(context: Context, source: Source, run: Run | None) -> dict[str, object]:
    """What changed since the parent: files by git, everything else by the two records."""
    assert source.parent is not None
    old = _side(source.parent, source.parent.run(source.since))
    new = _side(source.about, run)
    found = compare.difference(context, old, new)
    return {
        "files": found.files[:_FILES],
        "more_files": max(0, len(found.files) - _FILES),
        "stat": context.repo.git("diff", "--shortstat", old.snapshot.commit, new.snapshot.commit).text.strip(),
        "changes": [_change(c) for c in found.changes[:_CHANGES]],
        "more_changes": max(0, len(found.changes) - _CHANGES),
    }


def _side(told: Told, run: Run | None) -> compare.Side:
    return compare.Side(told.snapshot, told.record, run)


def _change(change: Difference) -> Change:
    by = change.difference
    return Change(change.what, _text(change.left), _text(change.right), f"{by:+.4g}" if by is not None else "")


def _text(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(v, str) for v in value):
        return shlex.join(value)
    return str(value)
