"""From a request to a started run: choose the snapshot, publish it, freeze the plan, submit it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.executors.protocol import Executor
from git_rvexp.model import Json, Plan, Snapshot
from git_rvexp.record.runs import runs
from git_rvexp.settings import Settings
from git_rvexp.workflow import links, parents, planning, publish
from git_rvexp.workflow.ahead import Ahead
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.foresight import Foresight
from git_rvexp.workflow.planning import Request
from git_rvexp.workflow.publish import Published
from git_rvexp.workflow.reconcile import settle_and_tell
from git_rvexp.workflow.repeating.pinning import pinned
from git_rvexp.workflow.submit import submit
from git_rvexp.workflow.where import executor_named, name_of


@dataclass(frozen=True)
class Started:
    """A run that was handed over: what was planned, on which snapshot, and the executor's id."""

    snapshot: Snapshot
    plan: Plan
    job: str


@dataclass(frozen=True)
class Prepared:
    """What can be submitted: frozen plans on one published snapshot, and the executor they are for."""

    snapshot: Snapshot
    plans: tuple[Plan, ...]
    executor: Executor


def start(
    context: Context, request: Request, *, ahead: Ahead | None = None, offline: bool = False, follow: bool = False
) -> Started:
    """Do all of it. Nothing is started when any check fails; what is made on the way is found again next time.

    With `follow` runs it has to come after are waited for here, where the executor does not do that. The experiments
    remote may be asked `ahead`.
    """
    planning.check_secrets(context, {"": request}, request.tag)
    asked = dataclasses.replace(request, after=parents.runs_named(context, request.after))

    def draft(snapshot: Snapshot, executor: Executor) -> list[Plan]:
        return [planning.drafted(context, snapshot, asked, executor.name, executor.place)]

    ready = prepared(context, request.tag, draft, verb="submit", ahead=ahead, offline=offline)
    (plan,) = ready.plans
    waits = parents.ready(context, plan, ready.executor, follow=follow)
    job = submit(context, ready.snapshot, plan, ready.executor, waits=waits, offline=offline)
    return Started(ready.snapshot, plan, job)


def prepared(
    context: Context,
    tag: str,
    draft: Callable[[Snapshot, Executor], Sequence[Plan]],
    *,
    verb: str,
    ahead: Ahead | None = None,
    offline: bool = False,
) -> Prepared:
    """The plans that `draft` makes, checked, with the snapshot that `tag` names published for them.

    `verb` is what the user typed. The experiments remote may be asked `ahead`; with `offline` it is not asked whether
    its tag is ours.
    """
    settings = context.trusted()
    foresight = Foresight(context, settings)  # AWS, the registry and the remote are asked at once
    snapshot = planning.snapshot_of(context, tag, verb)
    if snapshot is not None:
        foresight.about(snapshot)
    if snapshot is not None and not offline:
        publish.agree_on_tag(context, snapshot, ahead)
    executor = foresight.executor()
    if snapshot is None:
        snapshot, published = _without_snapshot(context)
        drafts = draft(snapshot, executor)
    else:
        drafts = draft(snapshot, executor)
        for each in drafts:
            checked(executor, each)  # what can be refused before anything is built
        published = publish.provide(context, snapshot, foresight=foresight)
    settle_and_tell(context, [snapshot], Executors(context))
    body = published.body
    plans = (links.linked(context, planning.frozen(each, published), body) for each in drafts)
    return Prepared(snapshot, tuple(pinned(context, each, settings.run_pin_inputs) for each in plans), executor)


def checked(executor: Executor, plan: Plan) -> None:
    """Let the executor check a plan; of a chain's plan the complaint names the step."""
    try:
        executor.check(plan)
    except RvexpError as why:
        step = plan.extra.get("step")
        raise type(why)(f"step {step!r}: {why}" if step else str(why), hint=why.hint) from why


def preview(context: Context, request: Request) -> Mapping[str, Json]:
    """The plan that `start` would make, from what is recorded; nothing is built, registered or written.

    It is checked as far as the executor can be asked. `image` is None where none is built yet.
    """
    settings = context.trusted()
    planning.check_secrets(context, {"": request}, request.tag)
    request = dataclasses.replace(request, after=parents.runs_named(context, request.after))
    snapshot = planning.snapshot_of(context, request.tag, "submit")
    if snapshot is None:
        return {"snapshot": None, "definition": settings.batch_job_def_name, "command": list(request.command)}
    executor = _reached(context, settings)
    draft = planning.drafted(context, snapshot, request, name_of(settings), executor.place if executor else {})
    if executor:
        checked(executor, draft)
    record = context.ledger.record(snapshot.oid)
    image = publish.recorded_image(record, in_registry=bool(settings.ecr_repo))
    if image is None:
        context.say(f"{snapshot.tag} has no image yet: submit builds it")
        return {"snapshot": snapshot.tag, **links.linked(context, draft, {}).fields(), "image": None}
    definition = record.last("definition")
    arn, body = (str(definition.get("arn", "")), definition.get("body") or {}) if definition else ("", {})
    published = Published(image.ref, arn, fresh=False, body=body)
    plan = links.linked(context, planning.frozen(draft, published), published.body)
    return {"snapshot": snapshot.tag, **plan.fields()}


def _reached(context: Context, settings: Settings) -> Executor | None:
    """The executor that would run it; None, which is told, when it cannot be asked."""
    try:
        executor = executor_named(name_of(settings), settings, context.environ, context.say, context.progress)
        _ = executor.place
    except RvexpError as why:
        context.say(f"the plan is not checked: {why}")
        return None
    return executor


def found(context: Context, started: Started) -> Found:
    """The started run as the record tells it."""
    told = runs(context.ledger.record(started.snapshot.oid))
    return Found(started.snapshot, next(r for r in told if r.run == str(started.plan.run)))


def _without_snapshot(context: Context) -> tuple[Snapshot, Published]:
    """The newcomers' path: the configured definition as it is, recorded on the current commit."""
    from git_rvexp.workflow.plain import plain_definition  # noqa: PLC0415  loads botocore

    return plain_definition(context)
