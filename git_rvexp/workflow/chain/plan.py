"""The plans of a chain: all of them before anything is submitted, on one snapshot; new ones for what is done again."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from git_rvexp.errors import UsageError
from git_rvexp.executors.docker_asking import SHARED, VOLUME
from git_rvexp.executors.protocol import Executor
from git_rvexp.git.tags import person
from git_rvexp.model import Json, Plan, Snapshot
from git_rvexp.names import RunId
from git_rvexp.workflow import links, planning
from git_rvexp.workflow.chain.record import Chain
from git_rvexp.workflow.chain.steps import Step
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.planning import Request
from git_rvexp.workflow.repeating.inputs import NAMED

QUEUES = "rvexp.local.queue"
"""Job queues, beside the configured one, that the user lets chains of this clone choose."""


@dataclass(frozen=True)
class Options:
    """What the command line adds to a chain. `parallel`: array children at a time on an engine; 0: as many as fit.

    `file` is where in the work tree the chain stands; "" when it is not there.
    """

    secret_env: tuple[str, ...] = ()
    parallel: int = 0
    allow_secrets: bool = False
    file: str = ""


def drafts(
    context: Context, name: str, steps: Sequence[Step], tag: str, options: Options
) -> Callable[[Snapshot, Executor], list[Plan]]:
    """What makes the drafts of the chain `name` once the snapshot and the executor are known.

    UsageError at once when a step looks as if it held secrets.
    """
    check(context, steps, tag, options)

    def drafted(snapshot: Snapshot, executor: Executor) -> list[Plan]:
        made: dict[str, Plan] = {}
        for nth, step in enumerate(steps, start=1):
            plan = planning.drafted(context, snapshot, _request(step, options), executor.name, executor.place)
            marks: dict[str, Json] = {"chain": name, "step": step.name, "nth": nth}
            made[step.name] = _in_chain(context, plan, step, made, marks, options)
        return list(made.values())

    return drafted


def check(context: Context, steps: Sequence[Step], tag: str, options: Options) -> None:
    """UsageError when steps look as if they held secrets; `tag` is the snapshot that was named for them."""
    planning.check_secrets(context, {step.name: _request(step, options) for step in steps}, tag)


def again(context: Context, chain: Chain, redo: set[str]) -> list[Plan]:
    """New plans for the steps `redo`, linked to the old ones: the same but for run ids and the runs they wait for."""
    made: dict[str, Plan] = {}
    for name, run in chain.runs.items():
        if name not in redo:
            continue
        old, new = run.plan, RunId.new()
        now = {r: str(made[s].run) if s in made else chain.runs[s].run for r, s in chain.step_of.items()}
        renewed = dataclasses.replace(
            old,
            run=new,
            job_name=old.job_name.replace(str(old.run), str(new)),
            env={**old.env, "RVEXP_RUN": str(new)},
            after=tuple(now[r] for r in old.after),
            after_each=tuple(now[r] for r in old.after_each),
            extra={**old.extra, **_unseen(old), "resumes": str(old.run), "by": str(person(context.repo))},
        )
        made[name] = links.relinked(context, renewed)
    return list(made.values())


def _unseen(plan: Plan) -> dict[str, Json]:
    """Its inputs as they were named, to be looked at anew."""
    found = plan.extra.get("inputs")
    return {"inputs": [{k: v for k, v in e.items() if k in NAMED} for e in found]} if found else {}


def _request(step: Step, options: Options) -> Request:
    return Request(
        command=step.command,
        env=step.env,
        secret_env=options.secret_env,
        resources=step.resources,
        timeout=step.timeout,
        attempts=step.attempts,
        array=step.array,
        seed=step.seed,
        inputs=step.inputs,
        outputs=step.outputs,
        allow_secrets=options.allow_secrets,
    )


def _in_chain(
    context: Context, plan: Plan, step: Step, made: Mapping[str, Plan], marks: Mapping[str, Json], options: Options
) -> Plan:
    """The plan of a single run as one of the chain: its parents by run id, the folder its steps share on an engine."""
    told = {"RVEXP_CHAIN": str(marks["chain"]), "RVEXP_STEP": step.name}
    shared: dict[str, Json] = {}
    env = {**plan.env, **told}
    if plan.executor == "docker":
        env = {"RVEXP_SHARED": SHARED, **env}
        shared = {"shared": f"{VOLUME}{marks['chain']}"}
        if options.parallel:
            shared["parallel"] = options.parallel
    return dataclasses.replace(
        plan,
        job_name=f"{plan.job_name}-{step.name}",
        env=env,
        queue=_queue(context, plan, step),
        after=tuple(str(made[p].run) for p in step.after),
        after_each=tuple(str(made[p].run) for p in step.after_each),
        sequential=step.sequential,
        extra={**plan.extra, **marks, **shared},
    )


def _queue(context: Context, plan: Plan, step: Step) -> str:
    """The step's queue where there are queues. UsageError for one that only the file chose: queues cost money."""
    if plan.executor != "batch" or not step.queue or step.queue == plan.queue:
        return plan.queue
    if step.queue not in context.repo.config.get(QUEUES, ()):
        raise UsageError(
            f"step {step.name!r} chooses the job queue {step.queue!r}, and you have not said that chains may use it",
            hint=f"git config --add {QUEUES} {step.queue}    (if that queue is yours to use)",
        )
    return step.queue
