"""Where runs stand, for `status`: which runs to speak of, and what to say of each."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.model import JobState, Json, Phase
from git_rvexp.record.index import index
from git_rvexp.workflow.chain.meant import meant
from git_rvexp.workflow.choose import Found, of_objects
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.follow import recorded_state
from git_rvexp.workflow.following.harvest import Look, submitted
from git_rvexp.workflow.looking.moments import age, duration
from git_rvexp.workflow.looking.reasons import of_array, why

RECENT = dt.timedelta(hours=24)
STALE = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Standing:
    """One run as `status` shows it. `live` is what the executor said just now, `untold` why it could not be asked."""

    found: Found
    live: JobState | None
    untold: str

    @property
    def pending(self) -> bool:
        """Whether more is expected to happen."""
        return not self.found.run.phase.over

    @property
    def word(self) -> str:
        """Its state in one word."""
        return self.found.run.word_at(self.live.phase if self.live else None)

    @property
    def chain(self) -> str:
        """The chain that it is a step of; "" for none."""
        return str(self.found.run.planned.get("chain", ""))

    def note(self) -> str:
        """The one thing worth saying about it."""
        if self.untold:
            return f"cannot tell: {self.untold.splitlines()[0]}"
        run = self.found.run
        state = recorded_state(run) if run.phase.over else self.live
        step = f"step {run.planned.get('step')}" if self.chain else ""
        if state is None:
            return step
        parts = [
            step,
            of_array(state.details.get("array")),
            f"exit {state.exit_code}" if state.exit_code is not None else "",
        ]
        parts += [f"took {duration(state.seconds)}" if state.seconds is not None else "", _attempts(state)]
        told = "" if state.phase is Phase.SUCCEEDED else why(state)
        return ", ".join(p for p in (*parts, told) if p)

    def fields(self) -> dict[str, Json]:
        """The row as JSON."""
        run = self.found.run
        state = recorded_state(run) if run.phase.over else self.live
        told = {} if state is None else {"exit": state.exit_code, "seconds": state.seconds, "reason": why(state)}
        details = {} if state is None else {k: state.details[k] for k in ("attempts", "array") if k in state.details}
        return {
            "run": run.run,
            "tag": self.found.snapshot.tag,
            "executor": run.executor,
            "job": run.job,
            "state": self.word,
            "pending": self.pending,
            "asked": self.live is not None,
            "planned": run.planned.time,
            **({"chain": self.chain, "step": run.planned.get("step")} if self.chain else {}),
            **told,
            **details,
            **({"cannot_tell": self.untold} if self.untold else {}),
        }


def chosen(context: Context, text: str) -> list[Found]:
    """The runs that `text` names; without it those that have not ended, and those of the last day."""
    if text:
        return meant(context, text)
    begin = (context.ledger.now() - RECENT).strftime("%Y-%m-%dT%H:%M:%S")
    found = of_objects(context, index(context.repo).standing(begin))
    wanted = [f for f in found if not f.run.phase.over or f.run.events[-1].time >= begin]
    return sorted(wanted, key=lambda f: f.run.planned.time)


def standings(found: Iterable[Found], look: Look) -> list[Standing]:
    """What to show of `found` after `look`."""
    return [Standing(f, look.states.get(f.run.run), str(look.untold.get(f.run.run, ""))) for f in found]


def chains(context: Context, shown: Sequence[Standing]) -> Iterator[tuple[str, list[str]]]:
    """Name and picture of each chain that one of the runs is a step of."""
    named = {s.chain: s.found.snapshot for s in shown if s.chain}
    if not named:
        return
    from git_rvexp.workflow.chain import picture, record  # noqa: PLC0415  few runs are steps

    live = {s.found.run.run: s.live for s in shown if s.live is not None}
    for name, snapshot in named.items():
        chain = record.load(context, snapshot, name)
        try:
            yield name, picture.picture(chain.steps, chain.summary(live))
        except RvexpError as why_not:  # a plan that cannot be read: the runs stand above all the same
            context.warn(f"chain {name} cannot be drawn: {why_not}")


def stale(context: Context, found: Iterable[Found]) -> str:
    """A warning when runs were submitted long ago and nobody has written down their end; "" when there are none."""
    now = context.ledger.now()
    ages = [now - submitted(f.run).moment for f in found if f.run.phase is Phase.SUBMITTED]
    old = [a for a in ages if a > STALE]
    if not old:
        return ""
    runs_are = "1 run has" if len(old) == 1 else f"{len(old)} runs have"
    return f"{runs_are} no recorded end, the oldest was submitted {age(max(old).total_seconds())} ago"


def _attempts(state: JobState) -> str:
    attempts = state.details.get("attempts")
    return f"{len(attempts)} attempts" if isinstance(attempts, list) and len(attempts) > 1 else ""
