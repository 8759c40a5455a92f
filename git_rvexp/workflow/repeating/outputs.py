"""What a run wrote: its declared outputs when it has ended, as one manifest, with small JSON and CSV files kept.

A path is one in the container, taken from its WORKDIR, and read from the engine while the ended container is still
there; where it is a link, what it leads to is read. On Batch only S3 can be read after the job.
"""

import heapq
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from git_rvexp.data import places, tarred
from git_rvexp.data.manifest import SHOWN, Item, Manifest, taken
from git_rvexp.data.tolerance import READABLE
from git_rvexp.errors import RvexpError
from git_rvexp.model import Json, Plan
from git_rvexp.record.kept import keep
from git_rvexp.record.runs import Run
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating.inputs import reaching
from git_rvexp.workflow.repeating.manifests import recorded, told

if TYPE_CHECKING:
    from git_rvexp.images.engine import Engine
    from git_rvexp.workflow.following.asking import Executors

# Bytes of result files that one run may put into the record.
_TEXTS_MOST = 262144


@dataclass
class Reading:
    """What is found while the outputs pass: small texts by name, why places could not be read, which hold no file."""

    texts: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    room: int = _TEXTS_MOST

    def has_room(self, item: Item) -> bool:
        """Whether the file's text would be kept: its numbers can be compared, and there is not too much already."""
        return item.name.endswith(READABLE) and 0 < item.size <= self.room and len(self.texts) < SHOWN

    def keep(self, item: Item, text: str | None) -> None:
        """Take a small text, as long as there is room."""
        if text and self.has_room(item):
            self.texts[item.name] = text
            self.room -= item.size


def declared(plan: Plan) -> list[str]:
    """The outputs that the plan declares."""
    return [str(o) for o in plan.extra.get("outputs") or []]


def fields(context: Context, plan: Plan, job: str) -> dict[str, Json]:
    """The fields of the `outputs` event of a run whose job has ended. What cannot be read is told with the reason.

    The user hears of that too, and of declared places that the run wrote nothing to.
    """
    manifest, reading = listed(context, plan, job)
    return _told(context, plan, job, manifest, reading)


def lacking(run: Run) -> list[str]:
    """The declared places that could not be read when the run had ended and may be readable now."""
    unread = (run.outputs.get("unread") if run.outputs else None) or {}
    return [place for place in sorted(unread) if place in declared(run.plan) and not unreadable(run.plan, place)]


def completed(context: Context, run: Run, executors: "Executors") -> dict[str, Json] | None:
    """The fields of a new `outputs` event, with what `lacking` names and can be read now; None when that is nothing.

    What was read when the run ended stays as it was listed then: others may have written there since.
    """
    before, plan, reading = run.outputs, run.plan, Reading()
    missing = [place for place in lacking(run) if places.is_s3(place) or _is_here(executors, plan)]
    known = recorded(context.repo, before.fields, context.trusted()) if before and missing else None
    if before is None or known is None:
        return None
    streams = {place: read(context, plan, run.job, place, reading) for place in missing}
    reading.empty = _empty(streams, reading)
    if len(reading.unread) == len(missing):
        _warn(context, plan, reading)
        return None
    never = {place: str(why) for place, why in before.get("unread").items() if place not in missing}
    manifest = taken(heapq.merge(map(Item.parse, known), *streams.values()))
    found = _told(context, plan, run.job, manifest, reading)
    texts = {**(before.get("texts") or {}), **found.get("texts", {})}
    unread = {**never, **reading.unread}
    return {**found, **({"texts": texts} if texts else {}), **({"unread": unread} if unread else {})}


def _is_here(executors: "Executors", plan: Plan) -> bool:
    """Whether the run's containers can be asked: another engine's are not this one's."""
    try:
        executors.of(plan)
    except RvexpError:
        return False
    return True


def _warn(context: Context, plan: Plan, reading: Reading) -> None:
    for place in reading.empty:
        context.warn(f"run {plan.run} wrote nothing to its declared output {place}{_from(place)}")
    for place, why in reading.unread.items():
        context.warn(f"output {place} of run {plan.run} could not be read: {why}")


def _told(context: Context, plan: Plan, job: str, manifest: Manifest, reading: Reading) -> dict[str, Json]:
    _warn(context, plan, reading)
    found: dict[str, Json] = {"run": str(plan.run), **told(context, manifest)}
    from git_rvexp.workflow.secrecy.results import harmless  # noqa: PLC0415  nothing is read before a run has ended

    texts = harmless(context, plan, job, reading.texts, "the record has the file's hash only")
    if texts:
        found["texts"] = dict(zip(texts, keep(context.ledger, texts.values()), strict=True))
    if manifest.count:
        found["items"] = _first(manifest)
    if reading.unread:
        found["unread"] = reading.unread
    return found


def foretell(context: Context, plan: Plan) -> None:
    """Warn of declared outputs that nobody will be able to read once the job has ended."""
    for place in declared(plan):
        why = unreadable(plan, place)
        if why:
            context.warn(f"output {place} will not be known: {why}, such as --output s3://BUCKET/{places.RUN}/")


def listed(context: Context, plan: Plan, job: str) -> tuple[Manifest, Reading]:
    """The outputs as they are now, and what was seen on the way. Nothing is written."""
    reading = Reading()
    streams = {place: read(context, plan, job, place, reading) for place in sorted(set(declared(plan)))}
    reading.empty = _empty(streams, reading)
    return taken(heapq.merge(*streams.values())), reading


def _empty(streams: Mapping[str, list[Item]], reading: Reading) -> list[str]:
    return [place for place, items in streams.items() if not items and place not in reading.unread]


def _from(place: str) -> str:
    return "" if places.is_s3(place) else ": it is taken from the image's WORKDIR"


def _first(manifest: Manifest) -> list[Json]:
    items = manifest.items()
    return [[i.name, i.size, i.digest] for i, _ in zip(items, range(SHOWN), strict=False)]


def read(context: Context, plan: Plan, job: str, place: str, reading: Reading) -> list[Item]:
    """The files at one place, sorted by name; small texts, or why it cannot be read, go into `reading`."""
    try:
        if places.is_s3(place):
            return _from_s3(context, plan, place, reading)
        why = unreadable(plan, place)
        if why:
            reading.unread[place] = why
            return []
        return _from_container(context.environ, job, place, reading)
    except RvexpError as why:
        reading.unread[place] = str(why)
        return []


def unreadable(plan: Plan, place: str) -> str:
    """Why what a job leaves there is out of reach when it has ended; "" when it is not."""
    if places.is_s3(place):
        return ""
    if plan.executor != "docker":
        return "a path in a container cannot be read after a job on Batch: declare an S3 URI"
    return "each child of an array has a container of its own: declare an S3 URI" if plan.array else ""


def archived(engine: "Engine", job: str, place: str, given: Mapping[str, Json]) -> tuple[Iterator[bytes], str] | None:
    """A tar of what is at a declared place of a container that was `given` so, and its path there; None for nothing.

    The place is taken from the WORKDIR, and where it is a link, the tar is of what that leads to.
    """
    top = posixpath.normpath(PurePosixPath(given.get("WorkingDir") or "/") / place)
    found = engine.archive(job, top)
    if found and found[1]:  # the tar of a link holds the link alone
        top = found[1]
        found = engine.archive(job, top)
    return (found[0], top) if found else None


def _from_s3(context: Context, plan: Plan, place: str, reading: Reading) -> list[Item]:
    from git_rvexp.data.s3 import Listing, summable  # noqa: PLC0415  only where there is an S3 output

    listing = Listing(reaching(context, plan), places.for_run(place, str(plan.run)))
    items = list(listing.items(place))
    for item in filter(reading.has_room, items):
        reading.keep(item, listing.text(item, place))
    return [listing.summed(item, place) for item in items] if summable(len(items)) else items


def _from_container(environ: Mapping[str, str], job: str, place: str, reading: Reading) -> list[Item]:
    from git_rvexp.images.engine import Engine  # noqa: PLC0415  114 ms of CPU

    engine = Engine.connect(environ)
    found = archived(engine, job, place, engine.given(job))
    return sorted(_passing(found[0], place, found[1], reading)) if found else []


def _passing(chunks: Iterator[bytes], place: str, top: str, reading: Reading) -> Iterator[Item]:
    for read in tarred.files(chunks, place, top):
        reading.keep(read.item, read.text)
        yield read.item
