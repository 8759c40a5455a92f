"""Publish a snapshot: its tag proven to be the remote's, its image, its job definition, each written to the record.

Every step resolves before it acts and adopts only equal content, so publishing again does nothing and a killed
publish is simply run again. The order is tag, image, definition, record: a crash leaves garbage, never a lie.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git import remote
from git_rvexp.imagesettings import chosen
from git_rvexp.model import Image, Json, Snapshot
from git_rvexp.names import Digest, TagName
from git_rvexp.record import share
from git_rvexp.record.asking import Answer, ask
from git_rvexp.record.events import Event, Record
from git_rvexp.record.moved import refuse
from git_rvexp.settings import Settings
from git_rvexp.workflow.ahead import Ahead
from git_rvexp.workflow.asof import acting
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.foresight import Foresight, manifests
from git_rvexp.workflow.snapshotting import content
from git_rvexp.workflow.snapshotting.take import complete
from git_rvexp.workflow.storing.sharing import PENDING, deposit_one, deposit_or_tell, share_record

if TYPE_CHECKING:
    from git_rvexp.executors.batch_definitions import Definitions
    from git_rvexp.executors.definition import Definition
    from git_rvexp.workflow.building.context import Copy
    from git_rvexp.workflow.building.engine import Ensured
    from git_rvexp.workflow.building.recorded import Recorded


@dataclass(frozen=True)
class Published:
    """What a run needs: the image's reference, on Batch the definition's ARN. `fresh` when anything was made.

    `body` is what was registered as the definition; empty where there is none.
    """

    image: str
    definition: str
    fresh: bool
    body: Mapping[str, Json] = field(default_factory=dict, repr=False)


def build(context: Context, snapshot: Snapshot) -> Image:
    """The snapshot's image in this machine's engine, found or built; recorded here, shared with the next sync."""
    context = acting(context, snapshot)
    local = dataclasses.replace(context.trusted(), ecr_repo="")
    record = context.ledger.record(snapshot.oid)
    made = _image(context, snapshot, local, record)
    _write(context, snapshot, record, "image", _image_fields(made, local))
    return made.image


def image_for_run(context: Context, snapshot: Snapshot) -> str:
    """The image to run here: the published one by digest where the record names one, else the engine's own."""
    published = recorded_image(context.ledger.record(snapshot.oid), in_registry=True)
    return published.ref if published else build(context, snapshot).ref


def publish(context: Context, snapshot: Snapshot, *, full: bool = False) -> Published:
    """Everything a run of the snapshot needs, found or made, recorded and shared; with `full` built by the engine."""
    refuse(context.ledger, {snapshot.tag: snapshot.oid})
    agree_on_tag(context, snapshot)
    made = provide(context, snapshot, full=full)
    share_record(context)
    return made


def provide(
    context: Context, snapshot: Snapshot, *, full: bool = False, foresight: Foresight | None = None
) -> Published:
    """The image and the definition of a snapshot whose tag was agreed on, found or made, and recorded in this clone.

    `foresight` holds what was asked of them already.

    Whoever asks shares the record: a run does that with its intent, before the first call that may cost money.
    """
    context = acting(context, snapshot)
    settings = context.trusted()
    seen, known = (foresight.image(), foresight.definitions) if foresight else (None, None)
    record = context.ledger.record(snapshot.oid)
    made = _image(context, snapshot, settings, record, full=full, seen=seen)
    _write(context, snapshot, record, "image", _image_fields(made, settings))
    fresh = made.built or made.pushed
    if not settings.on_batch:
        return Published(made.image.ref, "", fresh)
    defined = _defined(context, snapshot, made.image, known)
    fields = {"arn": defined.arn, "name": defined.name, "image": made.image.ref, "body": defined.body}
    _write(context, snapshot, record, "definition", fields)
    return Published(made.image.ref, defined.arn, fresh or defined.registered, defined.body)


def _image(
    context: Context,
    snapshot: Snapshot,
    settings: Settings,
    record: Record,
    *,
    full: bool = False,
    seen: "Recorded | None" = None,
) -> "Ensured":
    from git_rvexp.workflow.building.ensure import ensure_image  # noqa: PLC0415  slow to load: see Foresight

    return ensure_image(
        context.repo,
        snapshot,
        TagName.parse(snapshot.tag),
        remote_url=context.wanted_remote().url,
        settings=settings,
        environ=context.environ,
        say=context.say,
        progress=context.progress,
        recorded=manifests(record, settings.ecr_repo),
        full=full,
        copy=_copy(context, snapshot),
        seen=seen,
        ids=_ids(record),
    )


def _ids(record: Record) -> list[str]:
    """What an engine may call the images of the record, newest first: by their config, or by their manifest."""
    named = ((str(e.get("id", "")), str(e.get("ref", "")).partition("@")[2]) for e in reversed(record.of("image")))
    return [each for pair in named for each in pair if each.startswith("sha256:")]


def _copy(context: Context, snapshot: Snapshot) -> "Copy | None":
    """The zip in the configured store, where the record names one."""
    if not context.settings.store:
        return None
    from git_rvexp.workflow.storing.unzipping import zip_copy  # noqa: PLC0415  loads botocore

    return zip_copy(context, snapshot)


def agree_on_tag(context: Context, snapshot: Snapshot, ahead: Ahead | None = None) -> None:
    """Make sure the tag in each shared place is ours, and put it where it is missing. AlarmError when it moved.

    Of the experiments remote and the store one may be out of reach, and is told. The remote may be asked `ahead`.
    """
    context.connect()
    try:
        _agree_with_remote(context, snapshot, ahead)
    except GitError as why:
        if not context.settings.store:
            raise
        deposit_one(context, snapshot)
        context.warn(f"{why}\n  {PENDING}")
    else:
        deposit_or_tell(context, snapshot)


def _agree_with_remote(context: Context, snapshot: Snapshot, ahead: Ahead | None) -> None:
    there = ahead.about(snapshot.tag) if ahead else ask(context.repo, [snapshot.tag])
    _refuse_moved(there)
    if f"refs/tags/{snapshot.tag}" not in there.refs:
        with context.progress(f"pushing {snapshot.tag}", 0, ""):
            content.push(context, [snapshot])
    elif snapshot.tag not in there.published:  # pushed by plain git
        remote.note(context.repo, [snapshot.tag])
    share.receive_notes(context.ledger, there)
    complete(context, [snapshot])


def _refuse_moved(there: Answer) -> None:
    """AlarmError with both ids when the tag asked for stands elsewhere on the remote, or was there and went.

    That the two differ may have been accepted by a sync: what runs under a name is still what all others find there.
    """
    for alarm in (*share.tag_alarms(there), *share.clashes(there)):
        shown = "git rvexp sync shows all of it; a snapshot's tag must never move"
        raise share.AlarmError(str(alarm), hint=share.CLASHED if isinstance(alarm, share.Clash) else shown)


def recorded_image(record: Record, *, in_registry: bool) -> Image | None:
    """The newest image the record knows of, of the kind that is asked for."""
    for event in reversed(record.of("image")):
        image = image_of(event)
        if image.in_registry == in_registry:
            return image
    return None


def pushed_as(record: Record, image: str) -> str:
    """The newest reference by digest that the record has for the image with the id `image`; "" for none."""
    for event in reversed(record.of("image")):
        ref = str(event.get("ref", ""))
        if "@" in ref and (event.get("id") == image or ref.endswith(f"@{image}")):
            return ref
    return ""


def image_of(event: Event) -> Image:
    """The image that an `image` event tells of. RvexpError when the event cannot be read."""
    try:
        return Image(str(event.fields["ref"]), Digest(event.fields["id"]), str(event.get("platform", "")))
    except (KeyError, TypeError) as why:
        raise RvexpError(f"the record holds an image that cannot be read: {event}") from why


def _defined(context: Context, snapshot: Snapshot, image: Image, known: "Definitions | None") -> "Definition":
    from git_rvexp.workflow.defining import ensure_definition  # noqa: PLC0415  loads botocore

    return ensure_definition(context.trusted(), TagName.parse(snapshot.tag), snapshot, image, context.say, known)


def _image_fields(made: "Ensured", settings: Settings) -> dict[str, Json]:
    image = made.image
    fields: dict[str, Json] = {"ref": image.ref, "id": str(image.image_id), "platform": image.platform}
    fields |= {"source": made.source, "environment": made.environment, "settings": chosen(settings)}
    return {k: v for k, v in fields.items() if v}


def _write(context: Context, snapshot: Snapshot, record: Record, kind: str, fields: Mapping[str, Json]) -> None:
    """Append the event unless `record` already says the same of its identity (`ref` or `arn`)."""
    identity = "arn" if kind == "definition" else "ref"
    if any(e.get(identity) == fields[identity] for e in record.of(kind)):
        return
    context.ledger.append(snapshot.oid, context.ledger.event(kind, fields))
