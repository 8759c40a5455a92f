"""The chain of custody of a snapshot: code, image, definition, and every run from plan to outcome, as recorded.

Nothing is proven here, only told; `verify` proves. Damaged lines are part of what is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from git_rvexp.git.catalogue import Card
from git_rvexp.record.events import Event, Record
from git_rvexp.record.runs import Run
from git_rvexp.terms import Json, Snapshot
from git_rvexp.values import shown
from git_rvexp.workflow.choose import Choice
from git_rvexp.workflow.looking import metrics
from git_rvexp.workflow.looking.moments import duration, iso
from git_rvexp.workflow.looking.reasons import in_words, of_array
from git_rvexp.workflow.looking.request import FIELDS, ours_by_nature
from git_rvexp.workflow.repeating.seeding import switches

_PLACE = ("executor", "queue")


@dataclass(frozen=True)
class Custody:
    """All that is told of a snapshot; of a run that has none, `card` is None."""

    snapshot: Snapshot
    card: Card | None
    record: Record
    runs: Sequence[Run]

    def fields(self) -> dict[str, Json]:
        """As JSON: the facts, the runs with all their events, and the lines that cannot be read."""
        return {
            "tag": self.snapshot.tag,
            "oid": self.snapshot.oid,
            "commit": self.snapshot.commit,
            "tree": self.snapshot.tree,
            "facts": {e.kind: _event(e) for e in self.record.events if "run" not in e.fields},
            "runs": [
                {"run": r.run, "state": r.word, "jobs": list(r.jobs), "events": [_event(e) for e in r.events]}
                for r in self.runs
            ],
            "damaged_lines": [{"line": d.line, "why": d.why} for d in self.record.damaged],
        }

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of what is known of the snapshot itself."""
        first = self.record.last("snapshot")
        told = [
            ("snapshot", self.snapshot.tag or "(none: the plain definition on a commit)"),
            ("message", self.card.subject if self.card else ""),
            ("taken", f"{iso(self.card.when)} by {self.card.by}" if self.card else ""),
            ("changes", _get(first, "changes")),
            ("commit", self.snapshot.commit),
            ("tree", self.snapshot.tree),
            ("tag object", self.snapshot.oid if self.snapshot.tag else ""),
            ("base", _get(first, "base")),
        ]
        for image in self.record.of("image"):
            ref, name = _get(image, "ref"), _get(image, "id")
            told += [("image", ref), ("image id", name if name != ref else ""), ("source", _get(image, "source"))]
            told += [("made with", f"{key} = {shown(value)}") for key, value in (image.get("settings") or {}).items()]
        told += [("definition", _get(e, "arn")) for e in self.record.of("definition")]
        return [(label, text) for label, text in told if text]


def custody(chosen: Choice) -> Custody:
    """What is known of the chosen snapshot and of the chosen ones of its runs."""
    return Custody(chosen.snapshot, chosen.card, chosen.record, chosen.runs)


def run_facts(run: Run, *, folded: bool) -> list[tuple[str, str]]:
    """Label and text of one run: what ran, its verdict, where, its result, and then everything else.

    With `folded` the variables that we set ourselves are only counted. One variable stands on a line.
    """
    planned, ended = run.planned, run.first("ended")
    told = [("command", _shown(planned.get("command"))), *_repeated(run)]
    told += _planned(run, _PLACE)
    told.append(("on", str(ended.get("instance") or ended.get("host") or "") if ended else ""))
    for event in run.events:
        if event.kind in ("refused", "ambiguous", "notfound", "unknown", "cancelled"):
            told.append((event.kind, f"{event.time} {event.get('why') or event.get('reason') or ''}".rstrip()))
    told += _outcome(run, ended) if ended else []
    told += _data(run)
    told += _planned(run, [key for key in FIELDS if key not in ("command", "env", *_PLACE)])
    told.append(("env", "\n".join(_variables(planned, folded=folded))))
    told.append(("planned", f"{planned.time} by {planned.get('by', 'unknown')}"))
    told += [("image", str(planned.get("image", ""))), ("definition", str(planned.get("definition", "")))]
    told += [("job" if n == 0 else "duplicate job", job) for n, job in enumerate(run.jobs)]
    told.append(("log stream", str(ended.get("log_stream", "")) if ended else ""))
    return [(label, text) for label, text in told if text]


def to_download(run: Run) -> list[str]:
    """The command that fetches what a run left, where it left anything that can be had."""
    written = run.outputs
    return [f"git rvexp download {run.run}"] if written and written.get("count") else []


def _planned(run: Run, keys: Sequence[str]) -> list[tuple[str, str]]:
    return [(key.replace("_", " "), _shown(run.planned.get(key))) for key in keys]


def _variables(planned: Event, *, folded: bool) -> list[str]:
    env = planned.get("env")
    if not isinstance(env, dict):
        return []
    seed = planned.get("seed")
    fixed = switches(seed if isinstance(seed, int) else 0, injected=True)
    ours = ours_by_nature(planned) | {n for n, text in fixed.items() if env.get(n) == text} if folded else set()
    told = [f"{name}={text}".replace("\n", "\\n") for name, text in env.items() if name not in ours]
    count = len(env) - len(told)
    more = f"{'and ' if told else ''}{count} that git rvexp sets; git rvexp show --json has all"
    return [*told, more] if count else told


def _repeated(run: Run) -> list[tuple[str, str]]:
    """What it showed if it repeats another."""
    verdict = run.verdict
    told = [("repeats", str(run.planned.get("repeats", ""))), ("unlike", _shown(run.planned.get("unlike")))]
    if verdict:
        from git_rvexp.workflow.repeating.verdict import summary  # noqa: PLC0415  beside its one use

        told.append(("verdict", summary(verdict.fields)))
    return told


def _data(run: Run) -> list[tuple[str, str]]:
    """What it read and wrote."""
    told = [("input", _input(entry)) for entry in run.planned.get("inputs") or [] if isinstance(entry, dict)]
    after, written = run.first("inputs"), run.outputs
    told += [("changed", str(text)) for text in (after.get("changed") or [])] if after else []
    if written:
        told.append(("outputs", f"{written.get('count', 0)} in {written.get('bytes', 0)} bytes"))
        told += [("unread", f"{place}: {why}") for place, why in (written.get("unread") or {}).items()]
    return _numbers(run) + told


def _numbers(run: Run) -> list[tuple[str, str]]:
    read = run.first("metrics")
    told = [("metrics", metrics.in_words({name: value})) for name, value in metrics.told(run).items()]
    if read and read.get("left_out"):
        told.append(("metrics", f"… and {read.get('left_out')} more"))
    unread = (read.get("unread") if read else None) or {}
    return told + [("no metrics", f"{place}: {why}") for place, why in unread.items()]


def _input(entry: dict[str, Json]) -> str:
    if "manifest" not in entry:
        return f"{entry.get('uri')}: not listed" + (f" ({entry['why']})" if "why" in entry else "")
    hazards = "; ".join(entry.get("hazards") or {})
    return f"{entry.get('uri')}: {entry.get('count')} files" + (f" ({hazards})" if hazards else "")


def _outcome(run: Run, ended: Event) -> list[tuple[str, str]]:
    seconds = ended.get("seconds")
    took = f" after {duration(seconds)}" if isinstance(seconds, int | float) else ""
    code = f", exit {ended.get('exit')}" if "exit" in ended.fields else ""
    reason, ran = str(ended.get("reason", "")), str(ended.get("image", ""))
    words = in_words(reason)
    told = [
        ("ended", f"{ended.time} {run.word}{code}{took}"),
        ("reason", f"{words} ({reason})" if words else reason),
        ("ran image", ran if ran != run.planned.get("image") else ""),
    ]
    attempts = ended.get("attempts")
    if isinstance(attempts, list) and len(attempts) > 1:
        told += [(f"attempt {n}", _attempt(a)) for n, a in enumerate(attempts, start=1) if isinstance(a, dict)]
    return [*told, ("array", of_array(ended.get("array")))]


def _attempt(attempt: dict[str, Json]) -> str:
    code = f"exit {attempt['exit']}" if "exit" in attempt else "no exit code"
    told = (attempt.get("reason") or "", attempt.get("status_reason") or "", attempt.get("log_stream") or "")
    return ", ".join([code, *(str(t) for t in told if t)])


def _shown(value: Json) -> str:
    if isinstance(value, list):
        import shlex  # noqa: PLC0415  beside its one use

        return shlex.join(str(word) for word in value)
    if isinstance(value, dict):
        return " ".join(f"{k}={v}" for k, v in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _get(event: Event | None, key: str) -> str:
    return str(event.get(key, "")) if event else ""


def _event(event: Event) -> dict[str, Json]:
    return {"time": event.time, "kind": event.kind, **event.fields}
