"""Why a job waits or failed, in words. The executor's own text is kept beside them.

The texts are those of AWS Batch's and Amazon ECS's documentation of status reasons and stopped-task errors.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from git_rvexp.terms import Json, Phase

if TYPE_CHECKING:
    from git_rvexp.model import JobState
    from git_rvexp.record.runs import Run

_KNOWN = (
    (r"CAPACITY:INSUFFICIENT", "waits: there is no free capacity of these instance types now"),
    (r"COMPUTE_ENVIRONMENT_MAX_RESOURCE", "will wait for ever: the queue's largest machine is smaller than the job"),
    (r"JOB_RESOURCE_REQUIREMENT", "will wait for ever: no instance type of the queue is large enough for the job"),
    (r"SERVICE_ROLE_PERMISSIONS", "will wait for ever: the compute environment's service role lacks permissions"),
    (r"MISCONFIGURATION", "will wait for ever: the queue's compute environment is misconfigured"),
    (r"UNDETERMINED", "is blocked, and AWS cannot tell why"),
    (r"CannotPullContainer", "the image could not be pulled"),
    (r"OutOfMemory|out of memory", "ran out of memory: ask for more with --memory"),
    (r"ResourceInitializationError", "its secrets, volumes or network could not be set up"),
    (r"Host EC2", "its machine was taken away (a spot instance, or a lost host)"),
    (r"duration exceeded timeout", "ran longer than its time limit"),
    (r"Dependent Job failed", "a job that it waited for failed"),
    (r"Array Child Job failed", "a job of the array failed"),
    (r"DockerTimeoutError", "the machine's Docker engine did not answer in time"),
)
_OK = "SUCCEEDED"
_SHOWN = 3  # failed children of an array
_STATUS = {
    "SUBMITTED": "handed over, not looked at yet",
    "PENDING": "waits for other jobs",
    "RUNNABLE": "waits in the queue for a machine",
    "STARTING": "is being started (the image may be pulled now)",
}


def why(state: "JobState") -> str:
    """Why the job is where it is: our words, and the executor's in brackets where they say more."""
    told = state.reason or str(state.details.get("status_reason", ""))
    words = in_words(told)
    if words:
        return f"{words} ({told})"
    if state.phase.over or state.phase is Phase.RUNNING or told:
        return told
    place = state.details.get("position")
    status = _STATUS.get(str(state.details.get("status", "")), "")
    return f"{status}, number {place} in line" if place else status


def ending(run: "Run", state: "JobState") -> tuple[str, str, str]:
    """How a run ended: in a word, its exit code in words, and why unless it succeeded; "" for what is not known."""
    code = "" if state.exit_code is None else f"exit {state.exit_code}"
    return run.word_at(state.phase), code, "" if state.phase is Phase.SUCCEEDED else why(state)


def of_array(array: Json) -> str:
    """`7/10 ok, 2 running, 1 failed (index 4: exit 1)`; "" for what is no array's summary."""
    if not isinstance(array, dict) or not array.get("size"):
        return ""
    counts = {str(k): v for k, v in (array.get("counts") or {}).items()}
    done = f"{counts.pop(_OK, 0)}/{array['size']} {Phase.SUCCEEDED.value}"
    failed = array.get("failed") or {}
    which = [f"index {index}: {_end(end)}" for index, end in list(failed.items())[:_SHOWN]]
    more = ["…"] if len(which) < counts.get("FAILED", 0) and which else []
    return ", ".join([done, *counted(counts)]) + (f" ({'; '.join(which + more)})" if which else "")


def counted(counts: Mapping[str, Json]) -> list[str]:
    """`2 running`, `1 failed`: an array's jobs by their state as Batch calls it, of which we name the good end anew."""
    return [f"{n} {Phase.SUCCEEDED.value if word == _OK else word.lower()}" for word, n in counts.items() if n]


def _end(end: Mapping[str, Json]) -> str:
    code, reason = end.get("exit"), str(end.get("reason") or "")
    return f"exit {code}" if code is not None else in_words(reason) or reason or "no exit code"


def in_words(told: str) -> str:
    """What a known reason means; "" for an unknown one."""
    return next((words for pattern, words in _KNOWN if re.search(pattern, told)), "")
