"""The definition that a repeat on Batch runs: the recorded one, or one registered again from its recorded body."""

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
from git_rvexp.workflow.repeating import roles

if TYPE_CHECKING:
    from git_rvexp.executors.definition import Definition


def provided(
    context: Context, settings: Settings, found: Found, plan: Plan, *, trusted: bool, dry: bool = False
) -> str:
    """The ARN of an ACTIVE definition: the recorded one, or one registered with the recorded body.

    `dry`: that one would be registered is told, and "" returned.
    UsageError when it acts under roles that nobody here chose, unless the record is `trusted` (see `roles`).
    """
    from git_rvexp.workflow import defining  # noqa: PLC0415  loads botocore

    record = context.ledger.record(found.snapshot.oid)
    known = [e for e in record.of("definition") if e.get("image") == plan.image]
    arn = plan.definition or (str(known[-1].get("arn", "")) if known else "")
    same = [e for e in record.of("definition") if e.get("arn") == arn]
    then: dict[str, Json] = dict(same[-1].get("body") or {}) if same else {}

    def agreed(now: Mapping[str, Json]) -> None:
        if not trusted:
            roles.check(context, settings, found.run.plan, now, then, again=f"git rvexp repeat {found.run.run}")

    there = _described(context, settings, arn, recorded=bool(same)) if arn and _pinned(same, plan) else None
    if there is not None:
        agreed(there.body)
        return there.arn
    if same:
        name, body = _body(same[-1], plan)
        agreed(body)
        if dry:
            context.say(f"the definition {name} would be registered, with the recorded body")
            return ""
        made = defining.ensure_registered(settings, name, body, context.say)
        fields: dict[str, Json] = {"arn": made.arn, "name": made.name, "image": plan.image, "body": dict(made.body)}
        _record(context, found, {**fields, "instead_of": arn})
        return made.arn
    return _first(context, settings, found, plan, dry=dry)


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


def _first(context: Context, settings: Settings, found: Found, plan: Plan, *, dry: bool) -> str:
    """A definition for a run that had none: it ran on an engine, and only the image is its own."""
    from git_rvexp.workflow.defining import ensure_definition  # noqa: PLC0415  loads botocore

    known = [e for e in context.ledger.record(found.snapshot.oid).of("image") if e.get("ref") == plan.image]
    if not known or not found.snapshot.tag:
        raise RvexpError(f"the record holds no definition and no image for {plan.image}", hint="git rvexp publish")
    if dry:
        context.say("a definition would be registered for the image")
        return ""
    image, tag = publish.image_of(known[-1]), TagName.parse(found.snapshot.tag)
    made = ensure_definition(settings, tag, found.snapshot, image, context.say)
    _record(context, found, {"arn": made.arn, "name": made.name, "image": image.ref, "body": dict(made.body)})
    return made.arn


def _record(context: Context, found: Found, fields: dict[str, Json]) -> None:
    context.ledger.append(found.snapshot.oid, context.ledger.event("definition", fields))
