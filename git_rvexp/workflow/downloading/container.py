"""What a run left in its ended container, as the tar that the engine makes of it."""

from collections.abc import Iterator

from git_rvexp.data.places import RUN
from git_rvexp.errors import RvexpError
from git_rvexp.executors.docker_reading import refuse_other
from git_rvexp.record.runs import Run
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.repeating.outputs import archived

_SHOWN = 20


def left_at(context: Context, run: Run, place: str) -> tuple[Iterator[bytes], str] | None:
    """The tar of what is at a declared place, and its path in the container; None when nothing is there.

    RvexpError when the container is gone, is not the run's, or is on another engine.
    """
    from git_rvexp.executors.docker_containers import Containers  # noqa: PLC0415  loads docker
    from git_rvexp.images.engine import Engine  # noqa: PLC0415  as above

    Executors(context).of(run.plan)  # another engine's containers are not this one's
    seen = Containers(context.environ, context.trusted(), context.say, context.progress).inspect(run.job)
    if seen is None:
        raise _gone(run)
    refuse_other(seen, run.job, run.run)
    return archived(Engine.connect(context.environ), run.job, place, seen["Config"])


def _gone(run: Run) -> RvexpError:
    event = run.outputs
    texts = list(((event.get("texts") if event else None) or {}).items())
    kept = "".join(f"\n  {name}: git notes --ref=rvexp show {oid}" for name, oid in texts[:_SHOWN])
    return RvexpError(
        f"the container of run {run.run} is gone from the engine, and the files that it left with it"
        + (f"\n  the record has the content of these:{kept}" if kept else ""),
        hint=f"git rvexp repeat {run.run} --wait makes them again; --output s3://BUCKET/{RUN}/ outlives a container",
    )
