"""Wait for a run: look at growing intervals, never for ever, and write down how it ended.

Ctrl-C leaves the run alone; the verbs say how to come back. Stopping a run is `stopping`.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from git_rvexp.errors import AmbiguousError, PendingError, RvexpError
from git_rvexp.executors.protocol import Executor, LogSource
from git_rvexp.forbearance import Forbearance
from git_rvexp.model import JobState, Phase
from git_rvexp.record.runs import Run
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.harvest import FORGETTING, complete, record_end, submitted
from git_rvexp.workflow.looking.moments import age
from git_rvexp.workflow.looking.reasons import why

# A container's time limit is kept by whoever looks at it, so an engine is looked at often.
_LONGEST = {"docker": 3.0}
_LONGEST_PAUSE = 30.0
_LOG_TAIL = 30.0


@dataclass(frozen=True)
class Patience:
    """How long to wait for an end, in seconds (0: for as long as the job may run), and how to sleep."""

    sleep: Callable[[float], None]
    timeout: float = 0


def wait_for(
    context: Context,
    found: Found,
    *,
    sleep: Callable[[float], None],
    say_logs: bool,
    log_tail: float = _LOG_TAIL,
) -> JobState:
    """The state of a run's job once it is over; with `say_logs` its output goes to the story meanwhile.

    What it has not printed `log_tail` seconds after the end is left to `logs`, and told.
    """
    executors = Executors(context)
    if not say_logs or found.run.phase.over:
        return until_over(context, found, executors, sleep)
    source = executors.logs_of(found.run.plan)
    reader = threading.Thread(target=_tell_log, args=(context, source, found.run.job), daemon=True)
    reader.start()
    state = until_over(context, found, executors, sleep)
    reader.join(log_tail)
    if reader.is_alive():
        context.say(f"the log goes on; git rvexp logs {found.run.run} prints all of it")
    return state


def until_over(context: Context, found: Found, executors: Executors, sleep: Callable[[float], None]) -> JobState:
    """The state of the run's job once it is over, with its end in the record, and the outputs that it lacked.

    PendingError when the executor does not show the job, AmbiguousError when no job is known, RvexpError when there
    never was one. Several runs, and a time limit, are `together`'s.
    """
    if found.run.phase.over:
        complete(context, [found], executors)
        return recorded_state(found.run)
    refuse_jobless(found.run)
    plan = found.run.plan
    executor = executors.of(plan)
    said, intervals, borne = "", pauses({plan.executor}), Forbearance(context.warn)
    while True:
        state, why_not = _asked(executor, found.run.job)
        borne.met(why_not)
        if state is not None and state.phase.over:
            record_end(context, found, state)
            return state
        pause = next(intervals)
        hidden = borne.missed(pause if state is None and why_not is None else 0)
        _give_up_hidden(context, found, hidden=hidden, once=bool(borne.unseen))
        said = say_change(context, found, state, said)
        sleep(pause)


def recorded_state(run: Run) -> JobState:
    """What the record says of a run that is over, as a JobState."""
    ended = run.first("ended")
    if ended is None:
        told = run.last("unknown") or run.last("refused") or run.last("notfound")
        return JobState(run.job, run.phase, reason=str(told.get("why", "")) if told else "")
    code = ended.get("exit")
    times = [_epoch(ended.get(key)) for key in ("started", "stopped")]
    details = {k: v for k, v in ended.fields.items() if k not in ("run", "state", "exit", "reason")}
    exit_code = code if isinstance(code, int) else None
    return JobState(run.job, run.phase, exit_code, str(ended.get("reason", "")), times[0], times[1], details)


def _asked(executor: Executor, job: str) -> tuple[JobState | None, RvexpError | None]:
    """The job's state, None when it is not shown; and why there is no answer."""
    try:
        return executor.states([job]).get(job), None
    except RvexpError as why_not:
        return None, why_not


def refuse_jobless(run: Run) -> None:
    """AmbiguousError when a job may exist that nobody knows, RvexpError when there is none."""
    if run.phase is Phase.PLANNED and run.planned.get("chain"):
        chain, step = run.planned.get("chain"), run.planned.get("step")
        raise PendingError(
            f"run {run.run} is step {step} of chain {chain} and was not handed over yet",
            hint=f"git rvexp chain --resume {chain}    (if nobody drives it)",
        )
    if run.phase.open:
        raise AmbiguousError(f"no job is known for run {run.run} ({run.phase.value})", hint="git rvexp sync")
    if not run.job:
        raise RvexpError(f"run {run.run} has no job: {run.word}", hint=f"git rvexp show {run.run}")


def pauses(executors: Iterable[str]) -> Iterator[float]:
    """Seconds between looks at these executors (at least one), growing."""
    pause, longest = 1.0, min(_LONGEST.get(name, _LONGEST_PAUSE) for name in executors)
    while True:
        yield min(pause, longest)
        pause *= 1.4


def _give_up_hidden(context: Context, found: Found, *, hidden: bool, once: bool) -> None:
    """PendingError when the job is not shown for too long: of an old run it is enough that it is not shown `once`."""
    old = context.ledger.now() - submitted(found.run).moment > FORGETTING
    if hidden or (once and old):
        known = "no longer knows" if old else "does not show"
        job = f"job {found.run.job} of run {found.run.run}"
        raise PendingError(f"the executor {known} {job}", hint="git rvexp status --refresh")


def say_change(context: Context, found: Found, state: JobState | None, said: str) -> str:
    """Say where the run stands now, unless that is what was `said`; what is said of it."""
    if state is None:
        return said
    text = standing(state)
    if text != said:
        since = context.ledger.now() - submitted(found.run).moment
        context.say(f"run {found.run.run} is {text} ({age(since.total_seconds())} after it was submitted)")
    return text


def standing(state: JobState) -> str:
    """Where a job stands, and why."""
    return ": ".join(filter(None, (state.phase.value, why(state))))


def _tell_log(context: Context, source: LogSource, job: str) -> None:
    """What keeps a log from being read keeps nobody from waiting."""
    try:
        for line in source.logs(job, follow=True):
            context.say(line)
    except RvexpError as why_not:
        context.warn(f"the log cannot be read: {why_not}")


def _epoch(text: object) -> float | None:
    try:
        return dt.datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None


def verdict(state: JobState) -> int:
    """The exit code of a verb that waited: 0 when the job succeeded, else 1."""
    return 0 if state.phase is Phase.SUCCEEDED else 1
