"""A chain as the record tells it: for each step the run that counts now, and where it stands.

A chain is no event of its own: each of its plans names the chain, the step, the step's place in the order, and, when it
was made by a resume, the run that it comes after.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from git_rvexp.errors import UsageError
from git_rvexp.model import JobState, Json, Phase, Snapshot
from git_rvexp.record.runs import Run, runs
from git_rvexp.workflow import choose
from git_rvexp.workflow.chain.steps import Step
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.looking.moments import duration
from git_rvexp.workflow.looking.reasons import counted, why
from git_rvexp.workflow.repeating import borrowed


@dataclass(frozen=True)
class Chain:
    """A chain of runs on one snapshot; `runs` holds the one that counts for each step, parents first.

    `step_of` has the step of every run, those that no longer count too; `driver` is the clone that drove it last, and
    `file` where in the work tree the chain was read from, as far as it was there.
    """

    name: str
    snapshot: Snapshot
    runs: Mapping[str, Run]
    step_of: Mapping[str, str]
    driver: str = ""
    file: str = ""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps in order, as far as pictures and orders need them."""
        return tuple(self._step(name, run) for name, run in self.runs.items())

    @property
    def found(self) -> list[Found]:
        """The runs that count, as other workflows take them."""
        return [Found(self.snapshot, run) for run in self.runs.values()]

    @property
    def executor(self) -> str:
        """The name of the executor that all steps are planned for."""
        return next(iter(self.runs.values())).executor

    @property
    def over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return all(run.phase.over for run in self.runs.values())

    @property
    def succeeded(self) -> bool:
        """Whether every step has."""
        return all(run.phase is Phase.SUCCEEDED for run in self.runs.values())

    @property
    def left(self) -> str:
        """What is told when a command ends before the chain does."""
        return f"chain {self.name}: what runs goes on; git rvexp chain --resume {self.name}"

    def parents(self, step: str) -> list[Run]:
        """The runs that count of the steps it waits for."""
        plan = self.runs[step].plan
        return [self.runs[self._step_with(run)] for run in plan.parents]

    def told(self, states: Mapping[str, JobState]) -> dict[str, tuple[str, str]]:
        """The state of each step in a word, and why; `states` are those just seen, by run id."""
        return {name: _told(run, states.get(run.run)) for name, run in self.runs.items()}

    def summary(self, states: Mapping[str, JobState]) -> dict[str, str]:
        """The same in one text, with the run, for a picture."""
        told = self.told(states)
        return {s: "  ".join(t for t in (*told[s], f"run {run.run}") if t) for s, run in self.runs.items()}

    def fields(self) -> dict[str, Json]:
        """The chain for a JSON document."""
        steps = [
            {"step": s.name, "run": r.run, "job": r.job, "state": r.word, "array": s.array, "after": s.parents}
            for s, r in zip(self.steps, self.runs.values(), strict=True)
        ]
        return {"chain": self.name, "snapshot": self.snapshot.tag, "executor": self.executor, "steps": steps}

    def _step_with(self, run: str) -> str:
        try:
            return self.step_of[run]
        except KeyError:
            raise UsageError(
                f"a step of chain {self.name} waits for run {run!r}, which is none of its steps",
                hint="git rvexp sync",
            ) from None

    def _step(self, name: str, run: Run) -> Step:
        plan = run.plan
        after, each = ([self._step_with(r) for r in of] for of in (plan.after, plan.after_each))
        return Step(name, plan.command, tuple(after), tuple(each), plan.sequential, plan.array)


def reread(context: Context, chain: Chain) -> Chain:
    """The chain as the record tells it now."""
    return load(context, chain.snapshot, chain.name)


def load(context: Context, snapshot: Snapshot, name: str) -> Chain:
    """The chain `name` of a snapshot that has it."""
    record = context.ledger.record(snapshot.oid)
    driving = [e for e in record.of("driving") if e.get("chain") == name]
    chain = _folded(name, snapshot, runs(record))
    if not driving:
        return chain
    return dataclasses.replace(chain, driver=str(driving[-1].get("driver", "")), file=str(driving[0].get("file", "")))


def chosen(context: Context, text: str) -> Chain:
    """The chain that `text` (its name, a unique prefix, or a run of it) means; "" for my newest; else UsageError."""
    found: dict[str, tuple[Snapshot, list[Run]]] = {}
    for each in choose.recorded_runs(context, 'chain="'):
        if name := str(each.run.planned.get("chain", "")):
            found.setdefault(name, (each.snapshot, []))[1].append(each.run)
    names = [n for n, (_, of) in found.items() if n.startswith(text) or any(r.run == text for r in of)]
    if not names:
        what = f"no chain {text!r} is" if text else "no chain is"
        raise UsageError(f"{what} recorded in this clone", hint="git rvexp sync, then git rvexp list")
    if len(names) > 1 and text:
        raise UsageError(f"{text!r} begins several chains: {', '.join(names)}")
    name = names[0] if text else _mine(context, {name: of for name, (_, of) in found.items()})
    return load(context, found[name][0], name)


def _mine(context: Context, found: Mapping[str, Sequence[Run]]) -> str:
    """The newest chain with a step that this clone planned, or was told to run; where there is none, the newest.

    Whoever may push the record may write a chain, and date it as they like.
    """
    newest, *older = sorted(found, key=lambda name: found[name][0].planned.time, reverse=True)
    mine = next((name for name in (newest, *older) if any(_ours(context, run) for run in found[name])), newest)
    if mine != newest:
        other = f"git rvexp chain --resume {newest} takes that one"
        context.warn(f"chain {newest} is newer, but was planned elsewhere: chain {mine} is taken\n  {other}")
    return mine


def _ours(context: Context, run: Run) -> bool:
    with suppress(UsageError):  # a plan that cannot be read is nobody's
        return borrowed.ours(context.repo, run.plan)
    return False


def _folded(name: str, snapshot: Snapshot, told: Iterable[Run]) -> Chain:
    ours = [run for run in told if run.planned.get("chain") == name]
    replaced = {run.planned.get("resumes") for run in ours}
    # Two clones may have resumed a step at once: the one that came second has refused its own run.
    current = sorted((run for run in ours if run.run not in replaced), key=_place)
    by_step = {str(run.planned.get("step")): run for run in current}
    return Chain(name, snapshot, by_step, {run.run: str(run.planned.get("step")) for run in ours})


def _place(run: Run) -> tuple[int, bool]:
    return int(run.planned.get("nth", 0)), run.phase is not Phase.REFUSED


def _told(run: Run, state: JobState | None) -> tuple[str, str]:
    parts = []
    ended, refused = run.first("ended"), run.last("refused")
    if ended and isinstance(ended.get("seconds"), int | float):
        parts.append(duration(float(ended.get("seconds"))))
    if run.phase is Phase.FAILED and ended:
        parts.append(why(JobState(run.job, run.phase, reason=str(ended.get("reason", "")))))
    elif run.phase is Phase.REFUSED and refused:
        parts.append(str(refused.get("why", "")))
    elif state and not state.phase.over:
        parts.append(_counts(state))
    return run.word_at(state.phase if state else None), "  ".join(p for p in parts if p)


def _counts(state: JobState) -> str:
    counts = (state.details.get("array") or {}).get("counts") or {}
    return ", ".join(counted(counts))
