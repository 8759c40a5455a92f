"""A run's job: what the executor says of it today, held against what was written when it ended.

Executors forget, so "no longer known" says nothing. Only runs whose end is recorded are asked about: asking a Docker
engine about others may start or stop them, and `status` is for that.
"""

from git_rvexp.errors import RvexpError
from git_rvexp.model import JobState, Json, Phase
from git_rvexp.record.events import Event
from git_rvexp.record.runs import Run
from git_rvexp.workflow.verifying.link import Link, changed, ok, unknown
from git_rvexp.workflow.verifying.outside import Outside


def plan(run: Run) -> Link:
    """The recorded plan can be read whole: it is all that a repeat goes by."""
    try:
        read = run.plan
    except RvexpError as why:
        return changed("plan", str(why))
    if not read.image:
        return changed("plan", "the recorded plan names no image")
    words = " ".join(read.command)
    seed = f", seed {read.seed}" if read.seed is not None else ""
    return ok("plan", (words if len(words) < 60 else words[:59] + "…") + seed)


def job(outside: Outside, run: Run) -> Link:
    """One link. A repeat does not need the old job, so nothing here stands in its way."""
    if len(run.jobs) > 1:
        extra = ", ".join(run.jobs[1:])
        text = f"{len(run.jobs)} jobs ran for one plan: {run.job} counts, {extra} should not exist"
        return changed("job", text, f"git rvexp cancel {run.run}, if they still run", needed=False)
    ended = run.first("ended")
    if ended is None:
        return _not_ended(run)
    try:
        state = outside.executors.of(run.plan).states([run.job]).get(run.job)
    except RvexpError as why:
        return unknown("job", why, needed=False)
    if state is None:
        return unknown("job", f"{_told(run, ended)} is recorded; the executor no longer knows {run.job}", needed=False)
    wrong = _differences(run, ended, state)
    if wrong:
        return changed("job", f"{run.job} is not as recorded: {'; '.join(wrong)}", needed=False)
    return ok("job", f"{_told(run, ended)}, as recorded")


def _not_ended(run: Run) -> Link:
    if run.phase in (Phase.REFUSED, Phase.NOTFOUND):
        return ok("job", f"there is none: the run was {run.word}")
    if run.phase is Phase.UNKNOWN:
        return unknown("job", "how it ended was never recorded, and the executor has forgotten it", needed=False)
    remedy = "git rvexp sync" if run.phase.open else f"git rvexp status {run.run}"
    return unknown("job", f"the run is {run.word}: no end is recorded yet", remedy, needed=False)


def _differences(run: Run, ended: Event, state: JobState) -> list[str]:
    pairs: dict[str, tuple[Json, Json]] = {
        "state": (run.phase.value, state.phase.value),
        "exit": (ended.get("exit"), state.exit_code),
        "definition": (run.planned.get("definition"), state.details.get("definition")),
        "name": (run.planned.get("job_name"), state.details.get("name") or state.details.get("container")),
    }
    known = {key: pair for key, pair in pairs.items() if pair[0] is not None and pair[1] is not None}
    return [f"{key} was {was}, is {now}" for key, (was, now) in known.items() if was != now]


def _told(run: Run, ended: Event) -> str:
    code = f", exit {ended.get('exit')}" if "exit" in ended.fields else ""
    return f"{run.word}{code}"
