"""Why a log is empty: the job has not started, or it ended without a word."""

from contextlib import suppress

from git_rvexp.errors import RvexpError
from git_rvexp.model import Phase
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import recorded_state
from git_rvexp.workflow.looking.reasons import why


def why_nothing(found: Found, executors: Executors) -> str:
    """One line for the story."""
    run = found.run
    state = recorded_state(run) if run.phase.over else None
    with suppress(RvexpError):  # the record's word is enough
        state = executors.of(run.plan).states([run.job]).get(run.job, state)
    if state is None:
        return f"run {run.run} has printed nothing yet"
    told = f": {why(state)}" if why(state) else ""
    if state.phase is Phase.RUNNING:
        return f"run {run.run} runs and has printed nothing yet"
    if state.phase.over:
        return f"run {run.run} is over ({run.word_at(state.phase)}) and printed nothing{told}"
    return f"run {run.run} has not started{told}"
