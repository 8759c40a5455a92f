"""Publish a snapshot: its tag proven to be the remote's, its image, its job definition, each written to the record.

Every step resolves before it acts and adopts only equal content, so publishing again does nothing and a killed
publish is simply run again. The order is tag, image, definition, record: a crash leaves garbage, never a lie.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git import notes, remote
from git_rvexp.model import Image, Json, Snapshot
from git_rvexp.names import Digest, TagName
from git_rvexp.record import share
from git_rvexp.record.events import Event, Record
from git_rvexp.settings import Settings
from git_rvexp.workflow.building.engine import Ensured
from git_rvexp.workflow.building.ensure import ensure_image
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.snapshotting.take import complete
from git_rvexp.workflow.storing.sharing import PENDING, deposit_one, deposit_or_tell, share_record

if TYPE_CHECKING:
    from git_rvexp.workflow.building.context import Copy


@dataclass(frozen=True)
class Published:
    """What a run needs: the image's reference, on Batch the definition's ARN. `fresh` when anything was made."""

    image: str
    definition: str
    fresh: bool


def build(context: Context, snapshot: Snapshot) -> Image:
    """The snapshot's image in this machine's engine, found or built; recorded here, shared with the next sync."""
    local = dataclasses.replace(context.trusted(), ecr_repo="")
    made = _image(context, snapshot, local)
    _record(context, snapshot, "image", _image_fields(made))
    return made.image


def image_for_run(context: Context, snapshot: Snapshot) -> str:
    """The image to run here: the published one by digest where the record names one, else the engine's own."""
    published = recorded_image(context.ledger.record(snapshot.oid), in_registry=True)
    return published.ref if published else build(context, snapshot).ref


def publish(context: Context, snapshot: Snapshot, *, full: bool = False) -> Published:
    """Everything a run of the snapshot needs, found or made, recorded and shared; with `full` built by the engine."""
    agree_on_tag(context, snapshot)
    made = provide(context, snapshot, full=full)
    share_record(context)
    return made


def provide(context: Context, snapshot: Snapshot, *, full: bool = False) -> Published:
    """The image and the definition of a snapshot whose tag was agreed on, found or made, and recorded in this clone.

    Whoever asks shares the record: a run does that with its intent, before the first call that may cost money.
    """
    settings = context.trusted()
    made = _image(context, snapshot, settings, full=full)
    _record(context, snapshot, "image", _image_fields(made))
    arn, registered = _define(context, snapshot, made.image) if settings.on_batch else ("", False)
    return Published(made.image.ref, arn, fresh=made.built or made.pushed or registered)


def _image(context: Context, snapshot: Snapshot, settings: Settings, *, full: bool = False) -> Ensured:
    return ensure_image(
        context.repo,
        snapshot,
        TagName.parse(snapshot.tag),
        remote_url=context.wanted_remote().url,
        settings=settings,
        environ=context.environ,
        say=context.say,
        progress=context.progress,
        recorded=_recorded_manifests(context, snapshot, settings.ecr_repo),
        full=full,
        copy=_copy(context, snapshot),
    )


def _copy(context: Context, snapshot: Snapshot) -> "Copy | None":
    """The zip in the configured store, where the record names one."""
    if not context.settings.store:
        return None
    from git_rvexp.workflow.storing.unzipping import zip_copy  # noqa: PLC0415  loads boto3

    return zip_copy(context, snapshot)


def _recorded_manifests(context: Context, snapshot: Snapshot, repository: str) -> list[Digest]:
    """Digests of the images that the record names in `repository`, newest first."""
    refs = [str(e.get("ref", "")).partition("@") for e in reversed(context.ledger.record(snapshot.oid).of("image"))]
    return [Digest(digest) for name, _, digest in refs if digest and name == repository]


def agree_on_tag(context: Context, snapshot: Snapshot) -> None:
    """Make sure the tag in each shared place is ours, and put it where it is missing. AlarmError when it moved.

    Of the experiments remote and the store one may be out of reach, and is told.
    """
    context.connect()
    try:
        _agree_with_remote(context, snapshot)
    except GitError as why:
        if not context.settings.store:
            raise
        deposit_one(context, snapshot)
        context.warn(f"{why}\n  {PENDING}")
    else:
        deposit_or_tell(context, snapshot)


def _agree_with_remote(context: Context, snapshot: Snapshot) -> None:
    there = remote.ids(context.repo, [f"refs/tags/{snapshot.tag}", notes.REF])
    refuse_moved(context, snapshot, there)
    if f"refs/tags/{snapshot.tag}" not in there:
        with context.progress(f"pushing {snapshot.tag}", 0, ""):
            remote.push_tags(context.repo, [snapshot.tag])
    share.receive_notes(context.ledger, there.get(notes.REF, ""))
    complete(context, [snapshot])


def refuse_moved(context: Context, snapshot: Snapshot, there: dict[str, str]) -> None:
    """AlarmError with both ids when this snapshot's tag stands elsewhere on the remote, or was there and went."""
    for alarm in share.tag_alarms(context.ledger, there, only=snapshot.tag):
        raise share.AlarmError(str(alarm), hint="git rvexp sync shows all of it; a snapshot's tag must never move")


def recorded_image(record: Record, *, in_registry: bool) -> Image | None:
    """The newest image the record knows of, of the kind that is asked for."""
    for event in reversed(record.of("image")):
        image = image_of(event)
        if image.in_registry == in_registry:
            return image
    return None


def image_of(event: Event) -> Image:
    """The image that an `image` event tells of. RvexpError when the event cannot be read."""
    try:
        return Image(str(event.fields["ref"]), Digest(event.fields["id"]), str(event.get("platform", "")))
    except (KeyError, TypeError) as why:
        raise RvexpError(f"the record holds an image that cannot be read: {event}") from why


def _define(context: Context, snapshot: Snapshot, image: Image) -> tuple[str, bool]:
    from git_rvexp.workflow.defining import ensure_definition  # noqa: PLC0415  loads boto3

    found = ensure_definition(context.trusted(), TagName.parse(snapshot.tag), snapshot, image, context.say)
    fields = {"arn": found.arn, "name": found.name, "image": image.ref, "body": found.body}
    _record(context, snapshot, "definition", fields)
    return found.arn, found.registered


def _image_fields(made: Ensured) -> dict[str, Json]:
    image = made.image
    fields = {"ref": image.ref, "id": str(image.image_id), "platform": image.platform, "source": made.source}
    fields["environment"] = made.environment
    return {k: v for k, v in fields.items() if v}


def _record(context: Context, snapshot: Snapshot, kind: str, fields: Mapping[str, Json]) -> None:
    """Append the event unless the record already says the same of its identity (`ref` or `arn`)."""
    identity = "arn" if kind == "definition" else "ref"
    known = context.ledger.record(snapshot.oid).of(kind)
    if any(e.get(identity) == fields[identity] for e in known):
        return
    context.ledger.append(snapshot.oid, context.ledger.event(kind, fields))
