"""Ask the executors about runs that have not ended, and keep what they say of those that have.

Executors forget: Batch after some days, an engine when somebody prunes it. So whoever looks writes the outcome into
the record. The line is made of the executor's own facts and times, so two clones that harvest the same run write
the same line, which counts once.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from git_rvexp.errors import CredentialsError, RvexpError
from git_rvexp.executors.protocol import Executor
from git_rvexp.model import JobState, Json, Phase
from git_rvexp.record.events import Event, stamp
from git_rvexp.record.runs import Run, runs
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.storing.sharing import share_record

FORGETTING = dt.timedelta(hours=24)
"""Older than this, a job that the executor does not know is one that it has forgotten (Batch keeps them longer)."""
_AT_ONCE = 100
_KEPT = ("attempts", "log_stream", "image", "instance", "host", "container", "array", "oom")


@dataclass
class Look:
    """What one look showed, by run id: states, and why others cannot be told; which outcomes were written down."""

    states: dict[str, JobState] = field(default_factory=dict)
    untold: dict[str, RvexpError] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)

    def trouble(self, of: Iterable[str]) -> RvexpError | None:
        """Why something of these runs cannot be told, if anything: credentials before what may pass."""
        told = [self.untold[run] for run in of if run in self.untold]
        return min(told, key=lambda why: not isinstance(why, CredentialsError), default=None)


def refresh(context: Context, found: Iterable[Found], executors: Executors) -> Look:
    """Ask about those of `found` that have a job and no outcome, a hundred at a time; record what ended, and share it.

    Never raises for an executor that cannot be asked: its runs are in `untold`.
    """
    executors.look_again()
    look = Look()
    waiting = [f for f in found if f.run.phase is Phase.SUBMITTED and f.run.job]
    for executor, group in _by_executor(waiting, executors, look):
        _ask(executor, group, look)
    _keep(context, waiting, look)
    return look


def complete(context: Context, found: Iterable[Found], executors: Executors) -> None:
    """Read what could not be read when these runs ended; what can be read now is recorded, and shared."""
    lacking = [f for f in found if f.run.outputs is not None and f.run.outputs.get("unread")]
    if not lacking:
        return
    from git_rvexp.workflow.repeating import evidence  # noqa: PLC0415  loads what hashing needs

    events: dict[str, list[Event]] = {}
    for each in lacking:
        if told := evidence.completed(context, each, executors):
            events.setdefault(each.snapshot.oid, []).extend(told)
    if events:
        context.ledger.append_all(events)
        share_quietly(context)


def outcome(found: Found, state: JobState, now: dt.datetime) -> Event:
    """The `ended` event of a run whose job is over."""
    fields: dict[str, Json] = {
        "run": found.run.run,
        "state": "SUCCEEDED" if state.phase is Phase.SUCCEEDED else "FAILED",
        "exit": state.exit_code,
        "seconds": state.seconds,
        "job": state.job,
        "reason": state.reason,
        "started": _stamp(state.started),
        "stopped": _stamp(state.stopped),
        **{k: state.details.get(k) for k in _KEPT},
    }
    told = {k: v for k, v in fields.items() if v not in (None, "", [], {}, False) or (k == "exit" and v == 0)}
    return Event(_stamp(state.stopped) or stamp(now), "ended", told)


def record_end(context: Context, found: Found, state: JobState) -> None:
    """Write down that a job is over, once, and share it."""
    known = {r.run: r for r in runs(context.ledger.record(found.snapshot.oid))}
    if not known[found.run.run].phase.over:
        ended = outcome(found, state, context.ledger.now())
        context.ledger.append(found.snapshot.oid, *_with_evidence(context, found, ended))
        share_quietly(context)


def _with_evidence(context: Context, found: Found, ended: Event) -> list[Event]:
    """The end, and what is kept beside it of runs that name what they read or write, or that repeat another."""
    if not any(found.run.planned.get(key) for key in ("inputs", "outputs", "metrics", "repeats")):
        return [ended]
    from git_rvexp.workflow.repeating import evidence  # noqa: PLC0415  loads what hashing needs

    return [ended, *evidence.gather(context, found, ended)]


def share_quietly(context: Context) -> None:
    """Push the record; what keeps it from being pushed is told, and the next command tries again."""
    try:
        context.connect()
        share_record(context)
    except RvexpError as why:
        context.warn(f"recorded in this clone; its push is pending: {why}\n  git rvexp sync pushes it")


def _by_executor(
    waiting: Sequence[Found], executors: Executors, look: Look
) -> Iterator[tuple[Executor, Sequence[Found]]]:
    groups: dict[int, tuple[Executor, list[Found]]] = {}
    for found in waiting:
        try:
            executor = executors.of(found.run.plan)
        except RvexpError as why:
            look.untold[found.run.run] = why
            continue
        groups.setdefault(id(executor), (executor, []))[1].append(found)
    yield from groups.values()


def _ask(executor: Executor, group: Sequence[Found], look: Look) -> None:
    failures = 0
    for start in range(0, len(group), _AT_ONCE):
        some = group[start : start + _AT_ONCE]
        try:
            known = executor.states([f.run.job for f in some])
        except RvexpError as why:
            failures = 2 if isinstance(why, CredentialsError) else failures + 1
            # A hundred ids that could not be told may be bad luck; two hundred are an executor that does not answer.
            missed = some if failures < 2 else group[start:]
            look.untold.update((f.run.run, why) for f in missed)
            if failures >= 2:
                return
            continue
        failures = 0
        look.states.update((f.run.run, known[f.run.job]) for f in some if f.run.job in known)


def _keep(context: Context, waiting: Sequence[Found], look: Look) -> None:
    now = context.ledger.now()
    events: dict[str, list[Event]] = {}
    fresh = _still_open(context, waiting)
    over = [(found, event) for found in waiting if (event := _news(found, look, now)) is not None]
    with context.progress("reading what runs left", len(over), "runs") as step:
        for found, event in over:
            run = found.run.run
            (look.ended if event.kind == "ended" else look.expired).append(run)
            if run in fresh:
                told = _with_evidence(context, found, event) if event.kind == "ended" else [event]
                events.setdefault(found.snapshot.oid, []).extend(told)
            step(1)
    if events:
        context.ledger.append_all(events)
        share_quietly(context)


def _still_open(context: Context, waiting: Sequence[Found]) -> set[str]:
    """The runs that nobody has written an end of since we read the record."""
    records = context.ledger.records({f.snapshot.oid for f in waiting})
    return {r.run for record in records.values() for r in runs(record) if not r.phase.over}


def _news(found: Found, look: Look, now: dt.datetime) -> Event | None:
    run = found.run
    state = look.states.get(run.run)
    if state is not None:
        return outcome(found, state, now) if state.phase.over else None
    if run.run in look.untold or now - submitted(run).moment < FORGETTING:
        return None
    fields: Mapping[str, Json] = {"run": run.run, "job": run.job, "why": "the executor no longer knows the job"}
    return Event(stamp(now), "unknown", fields)


def submitted(run: Run) -> Event:
    """The event since which the run has a job; the plan when nobody wrote it down."""
    return run.first("submitted") or run.planned


def _stamp(epoch: float | None) -> str | None:
    return None if epoch is None else stamp(dt.datetime.fromtimestamp(epoch, dt.UTC))
