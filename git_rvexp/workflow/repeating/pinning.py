"""`--pin-inputs`: give the job exact versions of what it reads in S3, and not whatever stands there when it looks.

A pinned input is another address in the command and the environment: a copy in the store, named by the hash of the
manifest it was made from, or the object itself with `?versionId=`. The record has both addresses, and from then on it
is the pinned one that is listed, compared and verified. Only S3 is pinned; a place where nothing is yet cannot be.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping

from git_rvexp.data import places
from git_rvexp.data.manifest import Item
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.model import Json, Plan
from git_rvexp.names import Digest
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating import inputs
from git_rvexp.workflow.repeating.manifests import Entry, recorded

NO, COPY, VERSION = "no", "copy", "version-id"
FOLDER = "inputs"
"""Of the store: STORE/inputs/<SHA-256 of the manifest>/<the last part of the input's name>."""
VARIABLE = "RVEXP_INPUTS"
"""In the job: a JSON object, from each input's own address to the pinned one."""


def asked(context: Context) -> str:
    """How inputs are pinned when somebody asks for it: as configured, else by copies."""
    configured = context.settings.run_pin_inputs
    return COPY if configured == NO else configured


def way_back(context: Context, run: str, entries: Iterable[Entry]) -> str:
    """How `run` is repeated over these inputs as they were; "" where a recorded version is lacking."""
    if not all(_has_versions(context, entry) for entry in entries):
        return ""
    return f"git rvexp repeat {run} --pin-inputs reads the recorded versions, as long as S3 has them; "


def _has_versions(context: Context, entry: Entry) -> bool:
    if not places.is_s3(str(entry["uri"])) or entry.get("pinned") or not entry.get("count"):
        return False
    try:
        lines = recorded(context.repo, entry, context.trusted())
    except RvexpError:
        return False
    return lines is not None and all(Item.parse(line).version not in ("", "null") for line in lines)


def pinned(context: Context, plan: Plan, how: str, entries: Iterable[Entry] | None = None) -> Plan:
    """The plan over pinned inputs: as they are now, else as `entries` list them. UsageError where that cannot be."""
    if how == NO or not plan.extra.get("inputs"):
        return plan
    if how == COPY and not context.trusted().store:
        raise UsageError(
            "pinned inputs are copied to the store, and there is none",
            hint="git config rvexp.store s3://BUCKET/PREFIX, or rvexp.run.pininputs version-id for single objects",
        )
    known = list(entries) if entries is not None else list(inputs.seen(context, plan).extra["inputs"])
    places_of = {str(e["uri"]): _pin(context, plan, e, how) for e in known if _fit(context, e)}
    now = [places_of.get(str(e["uri"]), e) for e in known]
    moved = {uri: str(entry["uri"]) for uri, entry in places_of.items()}
    return _over(context, plan, moved, now) if moved else plan


def _fit(context: Context, entry: Entry) -> bool:
    """Whether there is something to pin. UsageError for an input in S3 that cannot be listed."""
    uri = str(entry["uri"])
    if not places.is_s3(uri) or entry.get("pinned"):
        return False
    if "manifest" not in entry:
        raise UsageError(f"{uri} cannot be pinned: {entry.get('why', 'it was not listed')}")
    if not entry["count"] and entry.get("declared"):
        context.warn(f"{uri} is empty, so it cannot be pinned")
    return bool(entry["count"])


def _pin(context: Context, plan: Plan, entry: Entry, how: str) -> dict[str, Json]:
    from git_rvexp.data.s3 import WRITTEN  # noqa: PLC0415  as below

    uri = str(entry["uri"])
    where = _copied(context, plan, entry) if how == COPY else _versioned(context, entry)
    bare = {"uri": where, "pinned": uri, "pinned_manifest": entry["manifest"]}
    looked = inputs.look(context, plan, bare | ({"declared": True} if entry.get("declared") else {}))
    # A second old is what we copied and checked just now; nobody writes a copy, or a version, anew.
    hazards = {text: count for text, count in looked.pop("hazards", {}).items() if text != WRITTEN}
    return looked | ({"hazards": hazards} if hazards else {})


def _copied(context: Context, plan: Plan, entry: Entry) -> str:
    from git_rvexp.data.copying import Copy  # noqa: PLC0415  loads botocore
    from git_rvexp.data.store import content_uri  # noqa: PLC0415  as above

    uri, store = str(entry["uri"]), context.trusted().store
    last = uri.rstrip("/").rpartition("/")[2] + ("/" if uri.endswith("/") else "")
    target = f"{content_uri(store, FOLDER, Digest(entry['manifest']))}/{last}"
    copy = Copy(inputs.reaching(context, plan), uri, target)
    made = copy.make(map(Item.parse, _lines(context, entry)))
    copy.check(_lines(context, entry))
    context.say(f"pinned {uri}: {made} of {entry['count']} object(s) copied to {target}")
    return target


def _versioned(context: Context, entry: Entry) -> str:
    uri = str(entry["uri"])
    items = [Item.parse(line) for line, _ in zip(_lines(context, entry), range(2), strict=False)]
    if len(items) > 1 or items[0].name != uri:
        raise UsageError(
            f"{uri} is a prefix, which has no version", hint="rvexp.run.pininputs copy pins whole prefixes"
        )
    version = items[0].version
    if version in ("", "null"):
        raise UsageError(
            f"{uri} cannot be pinned by a version: its bucket keeps none, or kept none when it was written",
            hint="rvexp.run.pininputs copy",
        )
    return f"{uri}{places.VERSION}{version}"


def _lines(context: Context, entry: Entry) -> Iterator[str]:
    found = recorded(context.repo, entry, context.trusted())
    if found is None:
        raise RvexpError(f"{entry['uri']} cannot be pinned: the list of its {entry['count']} objects was not kept")
    return found


def _over(context: Context, plan: Plan, moved: Mapping[str, str], entries: list[Json]) -> Plan:
    command = tuple(places.moved(word, moved) for word in plan.command)
    env = {name: places.moved(value, moved) for name, value in plan.env.items()}
    named = set(places.mentioned([*plan.command, *plan.env.values()]))
    for uri in moved.keys() - named:
        context.warn(f"{uri} stands in no word of the command or environment: the job finds its copy in {VARIABLE}")
    env[VARIABLE] = json.dumps(dict(moved), sort_keys=True)
    return dataclasses.replace(plan, command=command, env=env, extra={**plan.extra, "inputs": entries})
