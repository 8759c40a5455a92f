"""What a run read and wrote: listed again today and held against the manifests of then.

Listings are streamed and nothing is kept. An S3 object without a version id can be the same by size and ETag, which is
evidence and no proof; that, and rules that will delete objects, are told as hazards.
"""

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from git_rvexp import aws
from git_rvexp.data import local, places
from git_rvexp.data.lifecycle import ARCHIVED
from git_rvexp.data.manifest import Manifest, taken
from git_rvexp.data.s3 import Listing
from git_rvexp.errors import RvexpError
from git_rvexp.model import Json, Plan
from git_rvexp.record.events import Event
from git_rvexp.record.runs import Run
from git_rvexp.workflow.repeating import outputs as written
from git_rvexp.workflow.repeating.inputs import Drift, became, reaching, written_to
from git_rvexp.workflow.repeating.pinning import way_back
from git_rvexp.workflow.verifying.link import Link, changed, hazard, ok, one_line, unknown
from git_rvexp.workflow.verifying.outside import Outside

_SHOWN = 3
_DRIFT = "git rvexp repeat {} --allow-data-drift goes on over what is there now, and records it"


class _Gone(Exception):  # noqa: N818  an answer, not an error
    """The place itself is no more."""


def inputs(outside: Outside, run: Run) -> list[Link]:
    """One link for all inputs of a run: the gravest thing found is what it says. None for a plan without inputs."""
    entries = [e for e in run.planned.get("inputs") or [] if isinstance(e, dict) and not written_to(e)]
    if not entries:
        return []
    found, untold, coming, unlike, restore = [], [], [], [], ""
    for entry in entries:
        try:
            drift, hazards, thaw = _drift(outside, run.plan, entry)
        except _Gone as why:
            found.append(f"{entry.get('uri')} {why}")
        except (RvexpError, ValueError) as why:
            untold.append(f"{entry.get('uri')}: {why}")
        else:
            if drift:
                (found if drift.certain else untold).append(str(drift))
                unlike += [entry] if drift.certain else []
            found += [f"{entry['uri']}: {h}" for h in hazards if h == ARCHIVED]
            coming += [f"{entry['uri']}: {h}" for h in hazards if h != ARCHIVED]
            restore = restore or thaw
    if found and restore:
        return [changed("inputs", _some(found), restore)]
    if found:
        back = way_back(outside.context, run.run, unlike) if len(unlike) == len(found) else ""  # else some are gone
        return [changed("inputs", _some(found), back + _DRIFT.format(run.run))]
    return [_rest(run, entries, untold, coming)]


def outputs(outside: Outside, run: Run) -> list[Link]:
    """One link for what a run wrote; none where it declared nothing. A repeat needs the old manifest, not the files."""
    event = run.outputs
    if event is None or "manifest" not in event.fields:
        missing = run.planned.get("outputs") and run.first("ended")
        text = "they were declared and never listed when the run ended"
        return [unknown("outputs", text, needed=False)] if missing else []
    try:
        return [_unread(run, event.get("unread")) if event.get("unread") else _written(outside, run, event)]
    except (RvexpError, ValueError) as why:
        return [unknown("outputs", str(why), needed=False)]


def _written(outside: Outside, run: Run, event: Event) -> Link:
    """What was written, listed again."""
    if not all(map(places.is_s3, written.declared(run.plan))):
        outside.executors.of(run.plan)  # another engine's containers are not this one's
    now, seen = written.listed(outside.context, run.plan, run.job)
    if seen.unread:
        return unknown("outputs", _some(f"{place}: {why}" for place, why in seen.unread.items()), needed=False)
    drift = _became(outside, event.fields, now)
    if drift:
        return (changed if drift.certain else unknown)("outputs", drift.words, needed=False)
    text = f"{now.count} file(s) are as the run left them"
    if seen.empty:
        return hazard("outputs", f"{text}; it wrote nothing to {', '.join(seen.empty)}, which it declared")
    return ok("outputs", text)


def _unread(run: Run, unread: Mapping[str, str]) -> Link:
    """What nobody has seen is neither as it was nor changed."""
    text = f"not read when the run ended: {_some(f'{place}: {why}' for place, why in unread.items())}"
    remedy = f"git rvexp status -r {run.run} reads them, by whoever can" if written.lacking(run) else ""
    return unknown("outputs", one_line(text), remedy, needed=False)


def _rest(run: Run, entries: Sequence[Mapping[str, Json]], untold: list[str], coming: list[str]) -> Link:
    if untold:
        return unknown("inputs", _some(untold))
    then = run.first("inputs")
    if then is not None and then.get("changed"):
        text = f"they changed while it ran, and are now as when it was planned: {_some(then.get('changed'))}"
        return changed("inputs", text, needed=False)
    count = sum(int(e.get("count", 0)) for e in entries)
    text = f"{count} file(s) in {len(entries)} place(s) are as they were when the run was planned"
    return hazard("inputs", f"{text}; but {_some(coming)}") if coming else ok("inputs", text)


def _drift(outside: Outside, plan: Plan, entry: Mapping[str, Json]) -> tuple[Drift | None, list[str], str]:
    """How an input differs from what was recorded (None: not at all), what threatens it, and how it can be read."""
    uri = str(entry["uri"])
    if "manifest" not in entry:
        raise RvexpError(f"it could not be listed when the run was planned: {entry.get('why', 'not looked at')}")
    if not places.is_s3(uri):
        return _became(outside, entry, _here(entry), machine=local.machine()), [], ""
    now, hazards, restore = _listed(outside, plan, uri)
    return _became(outside, entry, now), hazards, restore


def _became(outside: Outside, then: Mapping[str, Json], now: Manifest, **where: str) -> Drift | None:
    return became(outside.context, then, {"manifest": str(now.digest), "count": now.count, **where}, now.lines)


def _listed(outside: Outside, plan: Plan, uri: str) -> tuple[Manifest, list[str], str]:
    listing = Listing(reaching(outside.context, plan), uri)
    try:
        return taken(listing.items()), list(listing.hazards), _restoring(uri, listing.frozen)
    except aws.ServiceError as why:
        if why.name != "NoSuchBucket":
            raise
        raise _Gone("is gone, its bucket too") from why


def _restoring(uri: str, key: str) -> str:
    """The command by which the first archived object can be read again in some hours; "" for none."""
    place = places.Place.parse(uri)
    version = ["--version-id", place.version] if place.version else []
    words = ["aws", "s3api", "restore-object", "--bucket", place.bucket, "--key", key, *version]
    return f"{shlex.join(words)} --restore-request Days=7, and the like of the others" if key else ""


def _here(entry: Mapping[str, Json]) -> Manifest:
    """A path of this machine. That it is not here says something only where it was."""
    uri, here, then = str(entry["uri"]), local.machine(), entry.get("machine")
    if not os.path.lexists(uri):
        if then == here:
            raise _Gone("is gone")
        raise RvexpError(f"there is none on {here}; it was on {then or 'a machine that is not recorded'}")
    return taken(local.items(Path(uri), uri))


def _some(texts: Iterable[str]) -> str:
    known = [str(t) for t in texts]
    return "; ".join(known[:_SHOWN]) + (f"; and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
