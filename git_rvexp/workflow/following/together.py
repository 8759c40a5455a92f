"""Wait for several runs at once: one look asks about all that are left, and one time limit counts for all of them.

A run that cannot be waited for keeps nobody from waiting for the others; why it cannot is told at the end.
"""

from collections.abc import Iterator, Sequence

from git_rvexp.errors import CredentialsError, PendingError, RvexpError
from git_rvexp.forbearance import Forbearance
from git_rvexp.model import JobState, Phase
from git_rvexp.record.runs import Run
from git_rvexp.workflow.chain.meant import driven
from git_rvexp.workflow.choose import Found, reread
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import Patience, pauses, recorded_state, refuse_jobless, say_change, standing
from git_rvexp.workflow.following.harvest import Look, complete, refresh


def ends(
    context: Context, found: Sequence[Found], executors: Executors, patience: Patience
) -> Iterator[tuple[Run, JobState]]:
    """Each run with how it ended, as soon as that is in the record; those that had ended before come first.

    PendingError when the time is up, or an executor stops answering or does not show a job; CredentialsError when one
    refuses ours. When nothing is left to wait for, the error of the first run that cannot be waited for.
    """
    left, watch = list(found), _Watch(context, patience, {f.run.executor for f in found})
    while left:
        turns = {f.run.run for f in left if driven(context, f.run)}  # asked first: a driver writes, then lets go
        look = refresh(context, left, executors)
        now = reread(context, left)
        over = [f for f in now if f.run.phase.over]
        complete(context, over, executors)
        yield from ((f.run, recorded_state(f.run)) for f in over)
        left = [f for f in now if not f.run.phase.over]
        hindered = {f.run.run: _hindrance(f.run, executors) for f in left if f.run.run not in turns}
        going = [f for f in left if not hindered.get(f.run.run)]
        if going:
            watch.pause(going, look, news=bool(over))
            continue
        for why in filter(None, hindered.values()):
            raise why


def _hindrance(run: Run, executors: Executors) -> RvexpError | None:
    """Why the run cannot be waited for: no job of it is known, or it is where nobody can be asked from here."""
    try:
        refuse_jobless(run)
        executors.of(run.plan)
    except RvexpError as why:
        return why
    return None


class _Watch:
    """What is remembered from one look to the next: how long we wait, what was said, and what went wrong."""

    def __init__(self, context: Context, patience: Patience, executors: set[str]) -> None:
        self._context = context
        self._patience = patience
        self._executors = executors
        self._pauses = pauses(executors)
        self._waited = 0.0
        self._borne = Forbearance(context.warn)
        self._said: dict[str, str] = {}

    def pause(self, going: Sequence[Found], look: Look, *, news: bool) -> None:
        """Say what has changed, give up where that is due (see `ends`), and sleep; after `news` but shortly."""
        for found in going:
            run = found.run.run
            self._said[run] = say_change(self._context, found, look.states.get(run), self._said.get(run, ""))
        if news:
            self._pauses = pauses(self._executors)
        pause = next(self._pauses)
        self._bear(going, look, pause)
        limit = self._patience.timeout
        if limit and self._waited >= limit:
            raise _late(going, look)
        self._patience.sleep(min(pause, limit - self._waited) if limit else pause)
        self._waited += pause

    def _bear(self, going: Sequence[Found], look: Look, pause: float) -> None:
        try:
            self._borne.met(look.trouble(f.run.run for f in going))
        except CredentialsError:
            raise
        except RvexpError as why:
            raise PendingError(f"the runs cannot be waited for: {why}", hint="git rvexp status --refresh") from why
        waiting = [f.run for f in going if f.run.phase is Phase.SUBMITTED]
        hidden = [run for run in waiting if run.run not in look.states and run.run not in look.untold]
        if self._borne.missed(pause if hidden else 0):
            shown = f"the executor does not show job {hidden[0].job} of run {hidden[0].run}"
            raise PendingError(shown, hint="git rvexp status --refresh")


def _late(going: Sequence[Found], look: Look) -> PendingError:
    told = [(found.run.run, _where(found.run, look)) for found in going]
    if len(told) == 1:
        ((run, where),) = told
        return PendingError(f"run {run} has not ended yet ({where})", hint=f"git rvexp wait {run}")
    lines = [f"  run {run}: {where}" for run, where in told]
    return PendingError("\n".join([f"{len(told)} runs have not ended yet", *lines]), hint="git rvexp status --refresh")


def _where(run: Run, look: Look) -> str:
    state = look.states.get(run.run)
    if state is not None:
        return standing(state)
    return str(look.untold.get(run.run, "")) or ("not shown by the executor" if run.job else "waits for its turn")
