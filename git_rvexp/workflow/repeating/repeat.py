"""The same run again, from the record alone: neither the work tree, nor the Dockerfile, nor the settings of images.

Settings say only how things are reached (region, login, the experiments remote). Everything that the new run needs is
looked at before it may cost money. What cannot be the same (an image that had to be built again, a definition that had
to be registered again, inputs that changed) is refused or allowed by the user, and recorded.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors.protocol import Executor
from git_rvexp.git.tags import HERE, person, standing
from git_rvexp.grammar import is_tag_name
from git_rvexp.model import Json, Plan
from git_rvexp.names import RunId
from git_rvexp.record.moved import refuse
from git_rvexp.record.runs import Run
from git_rvexp.settings import Settings
from git_rvexp.workflow import choose, links, publish
from git_rvexp.workflow.choose import Choice, Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.harvest import complete
from git_rvexp.workflow.repeating import borrowed, inputs, outputs, pinning, requisites, shared
from git_rvexp.workflow.repeating.borrowed import Leave
from git_rvexp.workflow.running import Started
from git_rvexp.workflow.storing.sharing import receive_record
from git_rvexp.workflow.submit import submit
from git_rvexp.workflow.where import executor_named

# What a plan says of its own submission, and what is looked at anew.
_NOT_REPEATED = (
    "offline",
    "image_id",
    "repeats",
    "environment",
    "unlike",
    "drift",
    "account",
    "region",
    "engine",
    "chain",
    "step",
)


@dataclass(frozen=True)
class Asked:
    """How to repeat: "" and None mean as the original did. `secrets` and `trusted`: see `borrowed`."""

    executor: str = ""
    queue: str = ""
    secrets: tuple[str, ...] = ()
    trusted: bool = False
    rebuild: bool = False
    allow_drift: bool = False
    tolerance: float | None = None
    pin: bool = False


@dataclass(frozen=True)
class Ready:
    """A repeat that nothing stands in the way of: what it repeats, its plan, and where it will run."""

    original: Found
    plan: Plan
    executor: Executor


def original(context: Context, text: str) -> Found:
    """The run that `text` names; of a snapshot the newest that succeeded, else that ended, and is no repeat itself.

    UsageError when there is none, RvexpError for one that has not ended, AlarmError when its tag was moved here.
    """
    context.connect()
    receive_record(context)
    chosen = choose.choice(context, text)
    snapshot, told = chosen.snapshot, chosen.runs
    _refuse_moved(context, chosen)
    ended = [run for run in told if run.first("ended") or run.phase.value == "unknown"]
    if not ended:
        waiting = f"run {told[-1].run} has not ended ({told[-1].word})" if told else f"{snapshot.tag} has no runs"
        raise UsageError(f"{waiting}, so there is nothing to repeat yet", hint="git rvexp status")
    first = [run for run in ended if not run.planned.get("repeats")] or ended
    succeeded = [run for run in first if run.word == "ok"]
    found = Found(snapshot, (succeeded or first)[-1])
    complete(context, [found], Executors(context))  # what it wrote is what the repeat will be held against
    return found


def _refuse_moved(context: Context, chosen: Choice) -> None:
    """AlarmError when the tag that the record tells of was moved here: its runs are still found by their own names."""
    first = chosen.record.last("snapshot")
    name = chosen.snapshot.tag or (str(first.get("tag", "")) if first else "")
    if is_tag_name(name):
        refuse(context.ledger, standing(context.repo, [HERE], [name])[0])


def prepared(context: Context, found: Found, asked: Asked) -> Ready:
    """Everything looked at: tag, image, definition, queue, secrets, inputs. RvexpError names what stands in the way."""
    if found.snapshot.tag:
        publish.agree_on_tag(context, found.snapshot)
    return _ready(context, found, asked)


def preview(context: Context, found: Found, asked: Asked) -> Mapping[str, Json]:
    """The plan that `start` would make; `image` is None where it would be built again.

    The same is looked at, and nothing is pulled, built, registered, copied or recorded.
    """
    plan = _ready(context, found, asked, dry=True).plan
    return {"snapshot": found.snapshot.tag or None, **plan.fields(), **({} if plan.image else {"image": None})}


def _ready(context: Context, found: Found, asked: Asked, *, dry: bool = False) -> Ready:
    before = found.run.plan
    if "@sha256:" not in before.image and not before.image.startswith("sha256:"):
        raise RvexpError(f"run {before.run} cannot be repeated: its image {before.image} was not known by a digest")
    name = asked.executor or before.executor
    settings = settings_for(context, before, name)
    leave = Leave(asked.secrets, asked.trusted, asked.queue)
    borrowed.check(context.repo, settings, before, name, leave, again=f"git rvexp repeat {before.run}")
    executor = executor_named(name, settings, context.environ, context.say, context.progress)
    draft = shared.apart(context, before, _draft(context, found.run, executor, asked, settings))
    _tell_place(context, before, draft)
    provided = requisites.provided(
        context, settings, found, draft, rebuild=asked.rebuild, trusted=asked.trusted, dry=dry
    )
    plan = links.relinked(context, provided)
    if asked.pin and dry:
        context.say("the recorded versions of the inputs would be pinned")
    elif asked.pin:
        plan = pinning.pinned(context, plan, pinning.asked(context), plan.extra.get("inputs") or [])
    if not (asked.pin and dry):
        plan = _over_the_same(context, plan, allowed=asked.allow_drift, dry=dry)
    # An engine that is asked about an image pulls what it lacks.
    executor.check(dataclasses.replace(plan, image="") if dry and plan.executor == "docker" else plan)
    return Ready(found, plan, executor)


def start(context: Context, ready: Ready) -> Started:
    """Record and submit it, as any run."""
    snapshot = ready.original.snapshot
    return Started(snapshot, ready.plan, submit(context, snapshot, ready.plan, ready.executor))


def settings_for(context: Context, before: Plan, name: str) -> Settings:
    """The user's own settings, for the region where the original ran."""
    settings = context.trusted()
    region = before.region or settings.aws_region
    return dataclasses.replace(settings, executor=name, aws_region=region)


def _draft(context: Context, run: Run, executor: Executor, asked: Asked, settings: Settings) -> Plan:
    """The original's plan under a new id, for `executor`; runs that it waited for have ended long ago."""
    before, new = run.plan, RunId.new()
    place = executor.place
    on_batch = executor.name == "batch"
    extra: dict[str, Json] = {k: v for k, v in before.extra.items() if k not in _NOT_REPEATED}
    extra |= {k: v for k, v in place.items() if k not in ("account", "region")}
    extra |= {"by": str(person(context.repo)), "repeats": run.run}
    if asked.tolerance is not None:
        extra["tolerance"] = asked.tolerance
    return dataclasses.replace(
        before,
        run=new,
        executor=executor.name,
        job_name=new.job_name(before.job_name.split("-", 2)[-1]),
        env={**before.env, "RVEXP_RUN": str(new)},
        queue=(asked.queue or before.queue or settings.batch_queue) if on_batch else "",
        definition=before.definition if on_batch else "",
        account=place.get("account", ""),
        region=place.get("region", ""),
        after=(),
        after_each=(),
        extra=extra,
    )


def _tell_place(context: Context, before: Plan, draft: Plan) -> None:
    for word in ("executor", "account", "region"):
        old, new = getattr(before, word), getattr(draft, word)
        if old and new and old != new:
            context.warn(f"another {word} than the original's: {new}, not {old}")
    fixed = [o for o in outputs.declared(draft) if o.startswith("s3://") and "{run}" not in o]
    for place in fixed:
        context.warn(f"the repeat writes where the original did: {place}\n  {{run}} in an output keeps them apart")


def _over_the_same(context: Context, plan: Plan, *, allowed: bool, dry: bool) -> Plan:
    """The plan with its inputs as they are now. RvexpError when they are not what they were and that is not allowed.

    Where the original wrote is still no input, whatever it has left there.
    """
    before: list[dict[str, Json]] = plan.extra.get("inputs") or []
    if not before:
        return plan
    now = [e if inputs.written_to(e) else inputs.look(context, plan, e, keeping=not dry) for e in before]
    never = {str(e["uri"]) for e in before if "manifest" not in e}
    drifts = inputs.drift(context, before, now)
    for drift in drifts:
        if drift.uri in never:
            context.warn(f"whether an input has changed cannot be told: {drift}")
    drifts = [drift for drift in drifts if drift.uri not in never]
    frozen = inputs.frozen(now)
    known = [str(drift) for drift in (*drifts, *frozen)]
    if known and not allowed:
        changed = [e for e in before if str(e["uri"]) in {d.uri for d in drifts}]
        run = str(plan.extra["repeats"])
        restoring = f"git rvexp verify {run} tells how to restore them; "
        back = restoring if frozen else pinning.way_back(context, run, changed)
        certain = any(drift.certain for drift in (*drifts, *frozen))
        what = "the inputs are not" if certain else "it cannot be told whether the inputs are"
        raise RvexpError(
            f"{what} as the original read them, so nothing was submitted\n  " + "\n  ".join(known),
            hint=f"{back}--allow-data-drift runs it over what is there now and says so in the record",
        )
    for text in known:
        context.warn(f"input {text}")
    return dataclasses.replace(plan, extra={**plan.extra, "inputs": now, **({"drift": known} if known else {})})
