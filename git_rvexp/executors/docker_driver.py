"""Arrays on an engine that has no scheduler: who looks at an array starts its next children. Pure.

All children are made at once, the first of them (index 0) last, so an array is there when its child 0 is. They are
started in the order of their index, as many at a time as the label on them says. So while any child waits the last one
does, and a stop is written into that one to hold for all that wait.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from git_rvexp.errors import RvexpError
from git_rvexp.executors.docker_asking import INDEX, PARALLEL, SEQUENTIAL, SIZE
from git_rvexp.model import JobState, Json, Phase

GONE = "its container is gone: how it ended cannot be told"
_TOLD = 50  # failed children that are told one by one
_WORDS = {
    Phase.SUCCEEDED: "SUCCEEDED",
    Phase.FAILED: "FAILED",
    Phase.RUNNING: "RUNNING",
    Phase.SUBMITTED: "RUNNABLE",
}


@dataclass(frozen=True)
class Child:
    """A child as the engine lists it; `status` is the engine's word (created, running, exited …)."""

    container: str
    index: int
    size: int
    status: str
    parallel: int
    sequential: bool

    @property
    def waits(self) -> bool:
        """Whether it was made and not started."""
        return self.status == "created"

    @property
    def ended(self) -> bool:
        """Whether it has run; nothing about it changes any more."""
        return self.status in ("exited", "dead")


def children(listed: Iterable[Mapping[str, Any]]) -> list[Child]:
    """The children of one array in the order of their index, from the engine's list of containers."""
    found = [
        Child(
            container=str(each["Id"]),
            index=int(each["Labels"][INDEX]),
            size=int(each["Labels"][SIZE]),
            status=str(each["State"]),
            parallel=int(each["Labels"].get(PARALLEL, 1)),
            sequential=SEQUENTIAL in each["Labels"],
        )
        for each in listed
    ]
    return sorted(found, key=lambda child: child.index)


def chosen(children: list[Child], index: str) -> list[Child]:
    """The child whose index was asked for, all for "". RvexpError when there is none."""
    found = [c for c in children if index in ("", str(c.index))]
    if children and not found:
        raise RvexpError(f"the array has no job {index}: they are 0 to {children[0].size - 1}")
    return found


def may_be_array(job: str) -> bool:
    """Whether a job's id is a name, as an array's is, and not a container's id."""
    return job.startswith("rvexp-")


def waiting(children: list[Child]) -> list[Child]:
    """Those that nobody tried to start: a child that was only made and stands before a started one did not start."""
    reached = max((c.index for c in children if not c.waits), default=-1)
    return [c for c in children if c.waits and c.index > reached]


def complete(children: list[Child], states: Mapping[int, JobState]) -> dict[int, JobState]:
    """The states by index, with those whose container somebody removed."""
    missing = set(range(children[0].size)) - states.keys()
    whole = {**states, **{i: JobState("", Phase.FAILED, reason=GONE) for i in missing}}
    return dict(sorted(whole.items()))


def next_ones(waiting: list[Child], states: Mapping[int, JobState]) -> list[Child]:
    """Which of the `waiting` children to start now; `states` are those of the others."""
    if not waiting or held_by(waiting[0], states):
        return []
    running = sum(not state.phase.over for state in states.values())
    return waiting[: max(0, waiting[0].parallel - running)]


def held_by(child: Child, states: Mapping[int, JobState]) -> str:
    """Why a child will never be started: one before it failed, in an array that runs in sequence."""
    failed = [i for i, state in states.items() if state.phase is Phase.FAILED and i < child.index]
    return f"not started: child {failed[0]} failed" if child.sequential and failed else ""


def waiting_state(child: Child, states: Mapping[int, JobState], stopped_for: str) -> JobState:
    """The state of a child that was not started."""
    reason = stopped_for or held_by(child, states)
    if reason:
        return JobState(child.container, Phase.FAILED, reason=reason)
    return JobState(child.container, Phase.SUBMITTED, reason="made, not started yet")


def array_state(job: str, states: Mapping[int, JobState]) -> JobState:
    """The state of the whole array: over when all children are, FAILED when one of them is.

    The exit code is 0, or that of the first child that failed.
    """
    failed = {i: s for i, s in states.items() if s.phase is Phase.FAILED}
    over = all(s.phase.over for s in states.values())
    started = [s.started for s in states.values() if s.started is not None]
    stopped = [s.stopped for s in states.values() if s.stopped is not None]
    codes = [s.exit_code for s in failed.values() if s.exit_code is not None]
    return JobState(
        job=job,
        phase=_phase(states, over=over, failed=bool(failed)),
        exit_code=next(iter(codes), None if failed else 0) if over else None,
        reason=_reason(failed, len(states)),
        started=min(started, default=None),
        stopped=max(stopped, default=None) if over else None,
        details={**_common(states), "array": _summary(states, failed)},
    )


def _phase(states: Mapping[int, JobState], *, over: bool, failed: bool) -> Phase:
    if over:
        return Phase.FAILED if failed else Phase.SUCCEEDED
    moved = any(s.phase is not Phase.SUBMITTED for s in states.values())
    return Phase.RUNNING if moved else Phase.SUBMITTED


def _reason(failed: Mapping[int, JobState], size: int) -> str:
    if not failed:
        return ""
    index, first = next(iter(failed.items()))
    return f"{len(failed)} of {size} children failed; child {index}: {first.reason}"


def _common(states: Mapping[int, JobState]) -> dict[str, Json]:
    """Where it ran, which is the same for all children."""
    known = next((s.details for s in states.values() if s.details), {})
    return {key: known[key] for key in ("image", "host", "engine") if key in known}


def _summary(states: Mapping[int, JobState], failed: Mapping[int, JobState]) -> dict[str, Json]:
    counts: dict[str, int] = {}
    for state in states.values():
        word = _WORDS[state.phase]
        counts[word] = counts.get(word, 0) + 1
    told = {str(i): {"exit": s.exit_code, "reason": s.reason} for i, s in list(failed.items())[:_TOLD]}
    return {"size": len(states), "counts": counts, **({"failed": told} if told else {})}
