"""The folder that the steps of a chain share on an engine: a repeat of a step that read in it needs it."""

from git_rvexp.errors import RvexpError
from git_rvexp.executors.docker_volumes import is_there
from git_rvexp.record.runs import Run
from git_rvexp.workflow.repeating.shared import AGAIN, source
from git_rvexp.workflow.verifying.link import Link, changed, ok, unknown
from git_rvexp.workflow.verifying.outside import Outside


def shared_folder(outside: Outside, run: Run) -> list[Link]:
    """One link; none for a run that found nothing in such a folder."""
    try:
        name = source(run.plan)
        if not name:
            return []
        outside.executors.of(run.plan)  # another engine's volumes are not this one's
        there = is_there(outside.engine, name)
    except RvexpError as why:
        return [unknown("shared", why)]
    if not there:
        return [changed("shared", f"the volume {name}, which the chain's steps shared, is gone", AGAIN)]
    return [ok("shared", f"the volume {name} is there; what it holds may be more than the step found")]
