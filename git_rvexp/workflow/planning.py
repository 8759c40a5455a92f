"""From what the user asked for to a plan: which snapshot, which image, which command, all frozen."""

import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from git_rvexp.errors import UsageError
from git_rvexp.executors.limits import check_tries
from git_rvexp.git.tags import person, snapshots
from git_rvexp.grammar import is_tag_name
from git_rvexp.model import Json, Plan, Resources, Snapshot
from git_rvexp.names import RunId
from git_rvexp.record.moved import refuse
from git_rvexp.settings import Settings
from git_rvexp.workflow import choose
from git_rvexp.workflow.asof import as_of
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating import inputs, seeding
from git_rvexp.workflow.secrecy import requests
from git_rvexp.workflow.secrecy.refusing import refuse as refuse_secrets
from git_rvexp.workflow.snapshotting import matching

if TYPE_CHECKING:
    from git_rvexp.workflow.publish import Published

_WITH_TAG = {"submit": "submit {} -- CMD", "run": "run {} -- CMD", "chain": "chain FILE {}"}


@dataclass(frozen=True)
class Request:
    """One run as asked for. Zero, empty and None mean "as configured"; `tag` empty: the snapshot of this work tree."""

    command: tuple[str, ...]
    tag: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)
    timeout: int = 0
    attempts: int = 0
    array: int = 0
    after: tuple[str, ...] = ()
    seed: int | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    allow_secrets: bool = False

    def __post_init__(self) -> None:
        """Refuse a time limit or attempts that cannot be (UsageError)."""
        check_tries(self.timeout, self.attempts)


def check_secrets(context: Context, asked: Mapping[str, Request], tag: str) -> None:
    """UsageError when what everybody may read of the runs looks as if it held secrets; it names all places.

    Each request stands under the name of its step, "" for none; `tag` is the snapshot that was named for them.
    """
    settings, found = context.settings, []
    for name, request in asked.items():
        if not request.allow_secrets:
            step = f"step {name!r}: " if name else ""
            ours = {key: value for key, value in settings.job_env.items() if key not in request.env}
            found += [step + place for place in requests.places(request.command, request.env)]
            found += [f"{place} (job.env)" for place in requests.named("the variable", ours)]
            found += requests.named("the tag", settings.job_tags)
    refuse_secrets(context, list(dict.fromkeys(found)), tag)


def snapshot_of(context: Context, text: str, verb: str) -> Snapshot | None:
    """The snapshot to run: the one named, else the newest whose tree is the work tree's.

    None: run without a snapshot (the configured definition as it is), which happens only where there is a base
    definition and no experiments remote. UsageError offers the choices otherwise, in terms of the `verb` that was
    typed (submit, run or chain): what runs is never a guess. AlarmError when its tag was moved in this clone.
    """
    found = choose.snapshot(context, text) if text else _of_work_tree(context, verb)
    if found:
        refuse(context.ledger, {found.tag: found.oid})
    return found


def runs_plain(settings: Settings) -> bool:
    """Whether a work tree without a snapshot runs the configured definition as it is: nothing else is set up yet."""
    remote_named = settings.experiments_remote or settings.github_experiment_repo or settings.store
    return bool(settings.on_batch and settings.batch_job_def_name and not remote_named)


def _of_work_tree(context: Context, verb: str) -> Snapshot | None:
    found, work = matching.same(context)
    if found:
        return found
    if runs_plain(context.settings):
        return None
    raise _no_snapshot(work.changes, snapshots(context.repo), verb)


def drafted(context: Context, snapshot: Snapshot, request: Request, executor: str, place: Mapping[str, str]) -> Plan:
    """The plan of one run of `snapshot` before its image is known; the run id and a missing seed are drawn here."""
    settings = context.settings
    run = RunId.new()
    seed = secrets.randbelow(seeding.SEEDS) if request.seed is None else request.seed
    nickname = snapshot.tag.rpartition("/")[2] if is_tag_name(snapshot.tag) else "plain"
    told = {
        "RVEXP_TAG": snapshot.tag,
        "RVEXP_COMMIT": snapshot.commit,
        "RVEXP_RUN": str(run),
        "RVEXP_SEED": str(seed),
    }
    return Plan(
        run=run,
        executor=executor,
        job_name=run.job_name(nickname),
        image="",
        command=request.command,
        env={
            **seeding.switches(seed, injected=as_of(context, snapshot).settings.seed_inject),
            **settings.job_env,
            **request.env,
            **{k: v for k, v in told.items() if v},
        },
        seed=seed,
        resources=_resources(settings, request),
        timeout=request.timeout or settings.job_timeout,
        attempts=request.attempts or settings.job_attempts,
        queue=settings.batch_queue if executor == "batch" else "",
        account=place.get("account", ""),
        region=place.get("region", ""),
        array=request.array,
        after=request.after,
        secret_env=request.secret_env,
        extra={
            **{k: v for k, v in place.items() if k not in ("account", "region")},
            **({"tag": snapshot.tag, "tag_oid": snapshot.oid} if snapshot.tag else {"not_a_snapshot": True}),
            "by": str(person(context.repo)),
            **(_scheduling(settings) if executor == "batch" else {}),
            **_data(context, snapshot, request),
        },
    )


def frozen(draft: Plan, published: "Published") -> Plan:
    """The draft with the image it runs, and on Batch the definition: nothing about the run is open any more."""
    env = {**draft.env, "RVEXP_IMAGE": published.image}
    return dataclasses.replace(draft, image=published.image, definition=published.definition, env=env)


def _scheduling(settings: Settings) -> dict[str, Json]:
    asked = {"share_identifier": settings.job_share, "priority": settings.job_priority, "tags": dict(settings.job_tags)}
    return {key: value for key, value in asked.items() if value}


def _data(context: Context, snapshot: Snapshot, request: Request) -> dict[str, Json]:
    """What the run reads and writes, as far as it is named; what was asked for comes beside what is configured."""
    settings = context.settings
    written = list(dict.fromkeys([*settings.run_outputs, *request.outputs]))
    read = inputs.wanted(context, snapshot, request.command, [*settings.run_inputs, *request.inputs], written)
    tolerated = {"tolerance": settings.run_tolerance} if settings.run_tolerance else {}
    judged = {"metrics": list(settings.run_metrics)} if settings.run_metrics else {}
    return {**({"inputs": read} if read else {}), **({"outputs": written, **tolerated} if written else {}), **judged}


def _resources(settings: Settings, request: Request) -> Resources:
    asked = request.resources
    return Resources(
        asked.vcpus or settings.job_vcpus, asked.memory or settings.job_memory, asked.gpus or settings.job_gpus
    )


def _no_snapshot(changes: str, known: list[Snapshot], verb: str) -> UsageError:
    if not known:
        return UsageError(
            "nothing was snapshotted yet, so there is nothing that could be repeated",
            hint="git rvexp snapshot NICKNAME",
        )
    instead = _WITH_TAG[verb].format(known[0].tag)
    against = "no change" if changes == "none" else changes
    return UsageError(
        f"no snapshot holds this work tree ({against} against HEAD), and code is never run that nobody named\n"
        f"  git rvexp snapshot NICKNAME    records the work tree as it is; then {verb} again\n"
        f"  git rvexp {instead}    runs the newest snapshot instead",
        hint="git rvexp snapshot NICKNAME",
    )
