"""From an accepted SubmitJob request to jobs on the board, and from a stop request to their end.

An array becomes a parent and its children here, with the dependencies of each child worked out.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.doubles.jobs import Job
from tests.doubles.rules import demand

if TYPE_CHECKING:
    from tests.doubles.board import Board
    from tests.doubles.definitions import Definition
    from tests.doubles.queues import Queue

Json = dict[str, Any]

KILLED = 137


def submit(board: Board, params: Json, queue: Queue, definition: Definition) -> Job:
    """Put a new job on the board; refuses a dependency on a job that is not there or does not fit."""
    _check_parents(board, params)
    job_id = str(uuid4())
    parent = _job(job_id, params, queue, definition, board.clock())
    size = params.get("arrayProperties", {}).get("size", 0)
    if size:
        for index in range(size):
            child = _job(f"{job_id}:{index}", params, queue, definition, parent.created_at)
            child.parent, child.index, child.tags = parent, index, {}
            child.waits_for = _child_parents(params, job_id, index)
            parent.children.append(child)
    else:
        parent.waits_for = [entry["jobId"] for entry in params.get("dependsOn", [])]
    board.add(parent)
    return parent


def cancel(board: Board, job: Job, reason: str) -> None:
    """CancelJob: ends what has not begun to start; a job that waits for others is only marked until they end."""
    for leaf in board.leaves(job):
        if leaf.status not in ("SUBMITTED", "PENDING", "RUNNABLE"):
            continue
        leaf.cancelled, leaf.status_reason = True, reason
        if not board.waiting(leaf):
            board.finish(leaf, "FAILED", reason)
    job.cancelled = job.cancelled or bool(job.children)


def terminate(board: Board, job: Job, reason: str, *, at_once: bool) -> None:
    """TerminateJob: as cancel for what has not started; kills the rest, unless it is left to end in its own time."""
    cancel(board, job, reason)
    for leaf in board.leaves(job):
        if leaf.status in ("STARTING", "RUNNING"):
            leaf.terminated, leaf.status_reason = True, reason
            if at_once:
                board.end_attempt(leaf, KILLED, reason)
    job.terminated = job.terminated or bool(job.children)


def _job(job_id: str, params: Json, queue: Queue, definition: Definition, now: int) -> Job:
    arn = queue.arn.partition(":job-queue/")[0] + f":job/{job_id}"
    return Job(job_id, arn, queue.arn, definition, copy.deepcopy(params), now, dict(params.get("tags", {})))


def _check_parents(board: Board, params: Json) -> None:
    size = params.get("arrayProperties", {}).get("size")
    for entry in params.get("dependsOn", []):
        if "jobId" not in entry:
            continue
        parent = board.jobs.get(entry["jobId"])
        demand(parent, f"Job {entry['jobId']} in dependsOn does not exist")
        assert parent is not None
        fits = entry.get("type") != "N_TO_N" or len(parent.children) == size
        demand(fits, "an N_TO_N dependency needs an array job of the same size")


def _child_parents(params: Json, job_id: str, index: int) -> list[str]:
    waits = []
    for entry in params.get("dependsOn", []):
        if entry.get("type") == "N_TO_N":
            waits.append(f"{entry['jobId']}:{index}")
        elif "jobId" in entry:
            waits.append(entry["jobId"])
        elif index:
            waits.append(f"{job_id}:{index - 1}")
    return waits
