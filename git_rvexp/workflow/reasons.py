"""Why a job waits or failed, in words. The executor's own text is kept beside them.

The texts are those of AWS Batch's and Amazon ECS's documentation of status reasons and stopped-task errors.
"""

import re

from git_rvexp.model import JobState, Phase

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
_STATUS = {
    "SUBMITTED": "handed over, not looked at yet",
    "PENDING": "waits for other jobs",
    "RUNNABLE": "waits in the queue for a machine",
    "STARTING": "is being started (the image may be pulled now)",
}


def why(state: JobState) -> str:
    """Why the job is where it is: our words, and the executor's in brackets where they say more."""
    told = state.reason or str(state.details.get("status_reason", ""))
    words = in_words(told)
    if words:
        return f"{words} ({told})"
    if state.phase.over or state.phase is Phase.RUNNING or told:
        return told
    status = str(state.details.get("status", ""))
    return _STATUS.get(status, "")


def in_words(told: str) -> str:
    """What a known reason means; "" for an unknown one."""
    return next((words for pattern, words in _KNOWN if re.search(pattern, told)), "")
