"""The image and the definition that a repeat runs: the recorded ones, proven to be there before anything is submitted.

A definition that is gone is registered again from its recorded body. An image that is gone is not made up for: only
when the user asks is it built again from the tag, which is another environment unless it comes out the same.
"""

import dataclasses

from git_rvexp.errors import RvexpError
from git_rvexp.model import Json, Plan
from git_rvexp.settings import Settings
from git_rvexp.workflow import publish
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating import borrowed, definitions


def provided(
    context: Context,
    settings: Settings,
    found: Found,
    plan: Plan,
    *,
    rebuild: bool,
    trusted: bool = False,
    dry: bool = False,
) -> Plan:
    """The plan with an image that is there, and on Batch a definition that is ACTIVE and runs it.

    `dry`: what would have to be pulled, built or registered first is told, and left out of the plan.
    RvexpError when the image is gone and `rebuild` is not asked for; UsageError when the definition acts under roles
    that nobody here chose, unless the record is `trusted` (see `roles`).
    """
    if plan.executor == "batch" and "@" not in plan.image:
        plan = _copied(context, settings, found, plan, rebuild=rebuild, trusted=trusted)
    carried = _carried(context, found, plan)
    if carried:
        return dataclasses.replace(plan, extra={**plan.extra, "image_id": carried})
    if not _present(context, settings, found, plan, trusted=trusted, dry=dry):
        plan = _rebuilt(context, found, plan, rebuild=rebuild, dry=dry)
    if plan.executor != "batch" or plan.extra.get("environment") == "rebuilt" or not plan.image:
        return plan
    definition = definitions.provided(context, settings, found, plan, trusted=trusted, dry=dry)
    return dataclasses.replace(plan, definition=definition)


def _carried(context: Context, found: Found, plan: Plan) -> str:
    """The id of an image that the engine has, and not by the registry's name: it came in a bundle.

    It is the recorded one, or its manifest's digest in engines that name images so.
    """
    if plan.executor != "docker" or "@" not in plan.image:
        return ""
    from git_rvexp.images.engine import Engine  # noqa: PLC0415  114 ms of CPU

    engine = Engine.connect(context.environ)
    if engine.inspect(plan.image) is not None:
        return ""
    recorded = context.ledger.record(found.snapshot.oid).image_id(plan.image)
    ids = (recorded, plan.image.partition("@")[2])
    return next((known for known in ids if known and engine.inspect(known) is not None), "")


def _present(context: Context, settings: Settings, found: Found, plan: Plan, *, trusted: bool, dry: bool) -> bool:
    """Whether the executor can get the image. Where a registry does not tell, it counts as there, with a warning."""
    if plan.executor == "docker":
        from git_rvexp.images.engine import Engine  # noqa: PLC0415  114 ms of CPU

        if Engine.connect(context.environ).inspect(plan.image) is not None:
            return True
        if "@" not in plan.image:
            return _pulled(context, settings, found, plan, trusted=trusted, dry=dry)
    return "@" in plan.image and _in_registry(context, settings, plan.image)


def _pushed(context: Context, settings: Settings, found: Found, plan: Plan, *, trusted: bool) -> str:
    """Where the record says that an engine's image was pushed later; "" for nowhere. UsageError for a strange place."""
    ref = publish.pushed_as(context.ledger.record(found.snapshot.oid), plan.image)
    if ref and not trusted:
        borrowed.check_image(context.repo, settings, found.run.plan, ref)
    return ref


def _copied(context: Context, settings: Settings, found: Found, plan: Plan, *, rebuild: bool, trusted: bool) -> Plan:
    """The plan of a run on an engine with the registry's copy of its image, which Batch needs; without, as it is."""
    ref = _pushed(context, settings, found, plan, trusted=trusted)
    if ref:
        context.say(f"the image is taken from where it was published: {ref}")
        return dataclasses.replace(plan, image=ref, env={**plan.env, "RVEXP_IMAGE": ref})
    if not rebuild:
        ways = [f"git rvexp repeat {found.run.run} --executor docker"]
        ways[:0] = [f"git rvexp publish {found.snapshot.tag}, and then again"] if found.snapshot.tag else []
        raise RvexpError(f"AWS Batch cannot run an image that is only in an engine: {plan.image}", hint="; ".join(ways))
    return plan


def _pulled(context: Context, settings: Settings, found: Found, plan: Plan, *, trusted: bool, dry: bool) -> bool:
    """Whether the engine got an image that it lacks from where it was pushed."""
    ref = _pushed(context, settings, found, plan, trusted=trusted)
    if not ref or not _in_registry(context, settings, ref):
        return False
    if dry:
        context.say(f"the image would be pulled from where it was published: {ref}")
        return True
    from git_rvexp.executors.docker import DockerExecutor  # noqa: PLC0415  loads docker

    executor = DockerExecutor(context.environ, settings, say=context.say, progress=context.progress)
    got = str(executor.ensure_image(ref)["Id"])
    if got != plan.image:
        context.warn(f"{ref} was pulled, and this engine knows it as {got}: it is not the recorded image")
    return got == plan.image


def _in_registry(context: Context, settings: Settings, ref: str) -> bool:
    from git_rvexp.images.credentials import login  # noqa: PLC0415  may load botocore or docker
    from git_rvexp.images.reference import Repository, parted  # noqa: PLC0415  as above
    from git_rvexp.images.registry import Registry  # noqa: PLC0415  as above

    name, _, digest = parted(ref)
    try:
        repository = Repository.parse(name)
        return Registry(repository, login(repository, settings, context.environ)).resolve(digest) is not None
    except RvexpError as why:
        context.warn(f"whether the image is still there cannot be told: {why}")
        return True


def _rebuilt(context: Context, found: Found, plan: Plan, *, rebuild: bool, dry: bool) -> Plan:
    if not rebuild or not found.snapshot.tag:
        raise RvexpError(
            f"the image of run {found.run.run} is gone: {plan.image}",
            hint="git rvexp repeat --rebuild builds one from the tag again, which is another environment"
            if found.snapshot.tag
            else "this run had no snapshot to build one from",
        )
    if dry:
        context.say("the image is gone, and would be built again; it may become another environment")
        return dataclasses.replace(plan, image="", definition="")
    if plan.executor == "batch":
        made = publish.publish(context, found.snapshot)
        ref, definition = made.image, made.definition
    else:
        ref, definition = publish.build(context, found.snapshot).ref, ""
    record = context.ledger.record(found.snapshot.oid)
    old, new = record.image_id(plan.image), record.image_id(ref)
    extra: dict[str, Json] = dict(plan.extra)
    if old != new:
        extra |= {"environment": "rebuilt", "unlike": [f"image {plan.image} (id {old or 'unknown'})"]}
        context.warn(f"the image was built again and is another environment\n  then {old or plan.image}\n  now  {new}")
    env = {**plan.env, "RVEXP_IMAGE": ref}
    return dataclasses.replace(plan, image=ref, definition=definition, env=env, extra=extra)
