"""The record: no line changed or lost since it was written, none damaged, none against another, the first one true."""

from collections import Counter
from collections.abc import Iterator

from git_rvexp.record import absent
from git_rvexp.record.events import Event, Record, parse
from git_rvexp.workflow.verifying.history import History
from git_rvexp.workflow.verifying.link import Link, State, changed, ok, unknown
from git_rvexp.workflow.verifying.outside import Outside
from git_rvexp.workflow.verifying.subject import Subject

_SHOWN = 3
_WIDTH = 100
# Of these there is one a moment; two that differ were not both written by a program.
_SINGLE = ("snapshot", "image", "definition", "planned", "ended")


def record(outside: Outside, subject: Subject) -> Link:
    """Everything about the note, in one link: the gravest thing found is what it says."""
    history = subject.history
    if history.losses:
        return _lost(outside, history)
    remedy = "" if history.text else absent.remedy(outside.context.repo)
    if remedy:
        return unknown("record", "this clone has no record, so what ran is not known here", remedy)
    told = parse(history.text)
    wrong = [*_first(told, subject), *_contradictions(told)]
    if wrong:
        return changed("record", "; ".join(wrong[:_SHOWN]), "git log -p refs/notes/rvexp shows who wrote it")
    return _readable(told, history)


def _lost(outside: Outside, history: History) -> Link:
    lines = list(dict.fromkeys(line for loss in history.losses for line in loss.lost))
    commit = history.losses[0].commit
    if history.rewritten:
        how = f"the record was rewritten in this clone: {len(lines)} line(s) of {history.rewritten[0][:12]} are gone"
    else:
        who = outside.context.repo.git("show", "-s", "--format=%an <%ae>, %ad", "--no-show-signature", commit).text
        how = f"{len(lines)} line(s) were changed or removed in {commit[:12]} ({who})"
    first = lines[0][:_WIDTH] + ("…" if len(lines[0]) > _WIDTH else "")
    return changed("record", f"{how}: {first}", "git log -p refs/notes/rvexp; git rvexp sync brings back shared lines")


def _first(told: Record, subject: Subject) -> Iterator[str]:
    snapshot = subject.snapshot
    if not snapshot.tag:
        return
    events = told.of("snapshot")
    if not events:
        yield "the first line, which names the snapshot, is missing (git rvexp sync writes it again)"
    facts = {"tag": snapshot.tag, "commit": snapshot.commit, "tree": snapshot.tree}
    for event in events:
        for key, fact in facts.items():
            if event.get(key) != fact:
                yield f"its first line says {key} {event.get(key)}, the tag says {fact}"


def _contradictions(told: Record) -> Iterator[str]:
    planned = {e.get("run") for e in told.of("planned")}
    stray = sorted({str(e.get("run")) for e in told.events if "run" in e.fields and e.get("run") not in planned})
    if stray:
        yield f"it tells of runs that nobody planned: {', '.join(stray[:_SHOWN])}"
    plans = Counter(str(e.get("run")) for e in told.of("planned"))
    yield from (f"run {run} is planned in {count} ways" for run, count in plans.items() if count > 1)
    moments = Counter(_moment(e) for e in told.events if e.kind in _SINGLE and e.kind != "planned")
    for (time, kind, _), count in moments.items():
        if count > 1:
            yield f"it has {count} different {kind} lines of the same moment, {time}"
    for run in sorted(str(r) for r in planned):
        ends = {(e.get("state"), e.get("exit")) for e in told.of("ended") if e.get("run") == run}
        if len(ends) > 1:
            yield f"run {run} has ended in {len(ends)} ways"


def _moment(event: Event) -> tuple[str, str, str]:
    return event.time, event.kind, str(event.get("run", ""))


def _readable(told: Record, history: History) -> Link:
    if told.damaged:
        newer = [d for d in told.damaged if d.why.startswith("is of version")]
        first = (newer or told.damaged)[0]
        text = f"{len(told.damaged)} line(s) cannot be read: one {first.why}: {first.line[:_WIDTH]}"
        if len(newer) == len(told.damaged):
            return unknown("record", text, "update git rvexp")
        return Link("record", State.CHANGED, text, "git rvexp show lists them", needed=False)
    return ok("record", f"{len(told.events)} line(s), none changed or lost in {history.writings} writing(s)")
