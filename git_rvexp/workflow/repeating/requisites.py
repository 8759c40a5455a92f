"""The image and the definition that a repeat runs: the recorded ones, proven to be there before anything is submitted.

A definition that is gone is registered again from its recorded body. An image that is gone is not made up for: only
when the user asks is it built again from the tag, which is another environment unless it comes out the same.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.model import Image, Json, Plan
from git_rvexp.names import Digest, TagName
from git_rvexp.record.events import Event
from git_rvexp.settings import Settings
from git_rvexp.workflow import publish
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating import borrowed, roles

if TYPE_CHECKING:
    from git_rvexp.executors.definition import Definition


def provided(
    context: Context, settings: Settings, found: Found, plan: Plan, *, rebuild: bool, trusted: bool = False
) -> Plan:
    """The plan with an image that is there, and on Batch a definition that is ACTIVE and runs it.

    RvexpError when the image is gone and `rebuild` is not asked for; UsageError when the definition acts under roles
    that nobody here chose, unless the record is `trusted` (see `roles`).
    """
    carried = _carried(context, found, plan)
    if carried:
        return dataclasses.replace(plan, extra={**plan.extra, "image_id": carried})
    if not _present(context, settings, found, plan, trusted=trusted):
        plan = _rebuilt(context, found, plan, rebuild=rebuild)
    if plan.executor != "batch" or plan.extra.get("environment") == "rebuilt":
        return plan
    return dataclasses.replace(plan, definition=_definition(context, settings, found, plan, trusted=trusted))


def _carried(context: Context, found: Found, plan: Plan) -> str:
    """The recorded id of an image that the engine has, and not by the registry's name: it came in a bundle."""
    if plan.executor != "docker" or "@" not in plan.image:
        return ""
    from git_rvexp.images.engine import Engine  # noqa: PLC0415  114 ms of CPU

    engine = Engine.connect(context.environ)
    known = _image_id(context.ledger.record(found.snapshot.oid).of("image"), plan.image)
    if not known or engine.inspect(plan.image) is not None:
        return ""
    return known if engine.inspect(known) is not None else ""


def _present(context: Context, settings: Settings, found: Found, plan: Plan, *, trusted: bool) -> bool:
    """Whether the executor can get the image. Where a registry does not tell, it counts as there, with a warning."""
    if plan.executor == "docker":
        from git_rvexp.images.engine import Engine  # noqa: PLC0415  114 ms of CPU

        if Engine.connect(context.environ).inspect(plan.image) is not None:
            return True
        if "@" not in plan.image:
            return _pulled(context, settings, found, plan, trusted=trusted)
    elif "@" not in plan.image:
        raise RvexpError(
            f"AWS Batch cannot run an image that is only in an engine: {plan.image}",
            hint="git rvexp repeat --on docker",
        )
    return "@" in plan.image and _in_registry(context, settings, plan.image)


def _pulled(context: Context, settings: Settings, found: Found, plan: Plan, *, trusted: bool) -> bool:
    """Whether the engine got an image that it lacks from where the record says that it was pushed later."""
    ref = publish.pushed_as(context.ledger.record(found.snapshot.oid), plan.image)
    if ref and not trusted:
        borrowed.check_image(context.repo, settings, found.run.plan, ref)
    if not ref or not _in_registry(context, settings, ref):
        return False
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


def _rebuilt(context: Context, found: Found, plan: Plan, *, rebuild: bool) -> Plan:
    if not rebuild or not found.snapshot.tag:
        raise RvexpError(
            f"the image of run {found.run.run} is gone: {plan.image}",
            hint="git rvexp repeat --rebuild builds one from the tag again, which is another environment"
            if found.snapshot.tag
            else "this run had no snapshot to build one from",
        )
    if plan.executor == "batch":
        made = publish.publish(context, found.snapshot)
        ref, definition = made.image, made.definition
    else:
        ref, definition = publish.build(context, found.snapshot).ref, ""
    events = context.ledger.record(found.snapshot.oid).of("image")
    old, new = _image_id(events, plan.image), _image_id(events, ref)
    extra: dict[str, Json] = dict(plan.extra)
    if old != new:
        extra |= {"environment": "rebuilt", "unlike": [f"image {plan.image} (id {old or 'unknown'})"]}
        context.warn(f"the image was built again and is another environment\n  then {old or plan.image}\n  now  {new}")
    env = {**plan.env, "RVEXP_IMAGE": ref}
    return dataclasses.replace(plan, image=ref, definition=definition, env=env, extra=extra)


def _image_id(events: list[Event], ref: str) -> str:
    told = [str(e.get("id", "")) for e in events if e.get("ref") == ref]
    return told[-1] if told else ref if ref.startswith("sha256:") else ""


def _definition(context: Context, settings: Settings, found: Found, plan: Plan, *, trusted: bool) -> str:
    """The ARN of an ACTIVE definition: the recorded one, or one registered with the recorded body."""
    from git_rvexp.workflow import defining  # noqa: PLC0415  loads botocore

    record = context.ledger.record(found.snapshot.oid)
    known = [e for e in record.of("definition") if e.get("image") == plan.image]
    arn = plan.definition or (str(known[-1].get("arn", "")) if known else "")
    same = [e for e in record.of("definition") if e.get("arn") == arn]
    then: dict[str, Json] = dict(same[-1].get("body") or {}) if same else {}
    there = _described(context, settings, arn, recorded=bool(same)) if arn and _pinned(same, plan) else None
    if there is not None:
        _agreed(context, settings, found, there.body, then, trusted=trusted)
        return there.arn
    if same:
        name, body = _body(same[-1], plan)
        _agreed(context, settings, found, body, then, trusted=trusted)
        made = defining.ensure_registered(settings, name, body, context.say)
        fields: dict[str, Json] = {"arn": made.arn, "name": made.name, "image": plan.image, "body": dict(made.body)}
        _record(context, found, {**fields, "instead_of": arn})
        return made.arn
    return _first(context, settings, found, plan)


def _described(context: Context, settings: Settings, arn: str, *, recorded: bool) -> "Definition | None":
    """The definition as it is now; None when it is gone and the record can make up for it."""
    from git_rvexp.workflow import defining  # noqa: PLC0415  as above

    try:
        return defining.describe(settings, arn)
    except UsageError as why:
        if not recorded:
            raise RvexpError(f"the definition {arn} is gone and its body is not recorded") from why
        context.say(f"{why}: it is registered again as it was")
        return None


def _agreed(
    context: Context,
    settings: Settings,
    found: Found,
    now: Mapping[str, Json],
    then: Mapping[str, Json],
    *,
    trusted: bool,
) -> None:
    if not trusted:
        roles.check(context, settings, found.run.plan, now, then, again=f"git rvexp repeat {found.run.run}")


def _pinned(same: list[Event], plan: Plan) -> bool:
    """Whether the recorded definition can only run the plan's image (without a record nobody says otherwise)."""
    from git_rvexp.executors.definition import places  # noqa: PLC0415  as above

    return not same or any(place.image == plan.image for place in places(same[-1].get("body") or {}))


def _body(event: Event, plan: Plan) -> tuple[str, dict[str, Json]]:
    """Name and body to register; a body that names its image by a tag gets the digest that the tag had then."""
    from git_rvexp.executors import definition as defs  # noqa: PLC0415  as above

    body = dict(event.get("body") or {})
    if _pinned([event], plan):
        return str(event.get("name")), body
    image = Image(plan.image, Digest(plan.image.partition("@")[2]), "")
    derived = defs.derive(body, image, {"rvexp:base": str(event.get("arn"))})
    return f"{str(event.get('name'))[:100]}-{defs.content_hash(derived)[:12]}", derived


def _first(context: Context, settings: Settings, found: Found, plan: Plan) -> str:
    """A definition for a run that had none: it ran on an engine, and only the image is its own."""
    from git_rvexp.workflow.defining import ensure_definition  # noqa: PLC0415  loads botocore

    known = [e for e in context.ledger.record(found.snapshot.oid).of("image") if e.get("ref") == plan.image]
    if not known or not found.snapshot.tag:
        raise RvexpError(f"the record holds no definition and no image for {plan.image}", hint="git rvexp publish")
    image, tag = publish.image_of(known[-1]), TagName.parse(found.snapshot.tag)
    made = ensure_definition(settings, tag, found.snapshot, image, context.say)
    _record(context, found, {"arn": made.arn, "name": made.name, "image": image.ref, "body": dict(made.body)})
    return made.arn


def _record(context: Context, found: Found, fields: dict[str, Json]) -> None:
    context.ledger.append(found.snapshot.oid, context.ledger.event("definition", fields))
