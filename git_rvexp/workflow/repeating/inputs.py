"""What a run reads, listed before it is submitted and at its end.

Declared inputs, and every S3 URI in its command and in the files that the settings name.

Only what is named is seen: a program that reads other places does so unnoticed. A place that cannot be listed is
recorded with the reason and never called unchanged.
"""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from git_rvexp import aws, homes
from git_rvexp.data import lifecycle, local, places
from git_rvexp.data.manifest import Difference, compare, taken
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Json, Plan, Snapshot
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating.manifests import Entry, recorded, told

NAMED = ("uri", "declared", "pinned", "pinned_manifest")
"""What an input is, beside what was found there: its address, and where it was pinned the one it had before."""
_WAYS = "small data goes into a snapshot, larger data to S3: --input s3://BUCKET/KEY, which the command reads"


@dataclass(frozen=True)
class Drift:
    """An input that is not what it was, or (`certain` False) of which that cannot be told."""

    uri: str
    words: str
    certain: bool = True

    def __str__(self) -> str:
        return f"{self.uri}: {self.words}"


def wanted(
    context: Context, snapshot: Snapshot, command: Sequence[str], declared: Iterable[str], outputs: Iterable[str]
) -> list[Json]:
    """The inputs of a plan that is being drafted; what it declares as output is none.

    An S3 URI counts in the command, and in the files of the snapshot that `run.input_files` names. UsageError for a
    declared path that is not there.
    """
    texts = [*command, *_lines(context, snapshot)]
    written = [o.partition(places.RUN)[0].rstrip("/") for o in outputs if places.is_s3(o)]
    named = [d if places.is_s3(d) else str((context.repo.top / homes.expanded(d)).resolve()) for d in declared]
    for uri in named:
        if places.is_s3(uri):
            places.Place.parse(uri)
        else:
            _check_local(context, snapshot, Path(uri))
    found = [u for u in places.mentioned(texts) if not any(u == w or u.startswith(w + "/") for w in written)]
    return [{"uri": u, "declared": True} for u in named] + [{"uri": u} for u in found if u not in named]


def _check_local(context: Context, snapshot: Snapshot, path: Path) -> None:
    if not os.path.lexists(path):
        raise UsageError(
            f"the input {path} is not there, so nothing was submitted", hint="--input PATH or s3://BUCKET/KEY"
        )
    if not _in_snapshot(context.repo, snapshot, path):
        context.warn(f"input {path} is only watched: it is not in the snapshot, so the run does not get it\n  {_WAYS}")


def _in_snapshot(repo: Repo, snapshot: Snapshot, path: Path) -> bool:
    """Whether the snapshot holds something at a path of this machine."""
    if not snapshot.tag or not path.is_relative_to(repo.top):
        return False
    inner = path.relative_to(repo.top).as_posix()
    asked = ("--literal-pathspecs", "ls-tree", "--full-tree", "-z", "--name-only", snapshot.tree, "--", inner)
    return inner == "." or bool(repo.git(*asked).out)


def _lines(context: Context, snapshot: Snapshot) -> list[str]:
    """The lines that hold an S3 URI, in the snapshot's files that the settings name; none of binary files."""
    patterns = context.settings.run_input_files
    if not patterns or not snapshot.tag:
        return []
    asked = ("grep", "-I", "-h", "--no-color", "--fixed-strings", "-e", "s3://", snapshot.tree, "--", *patterns)
    return context.repo.git(*asked, ok=(0, 1)).lines


def seen(context: Context, plan: Plan) -> Plan:
    """The plan with its inputs as they are now; those that were looked at already stay as they are.

    UsageError for a declared one in a bucket that does not exist.
    """
    entries = plan.extra.get("inputs")
    if not entries:
        return plan
    looked = [e if "manifest" in e or "why" in e else _first_look(context, plan, e) for e in entries]
    for entry in looked:
        for hazard in entry.get("hazards", {}):
            context.warn(f"input {entry['uri']}: {hazard}")
        if "why" in entry:
            context.warn(f"input {entry['uri']} cannot be listed: {entry['why']}")
    return dataclasses.replace(plan, extra={**plan.extra, "inputs": looked})


def look(context: Context, plan: Plan, entry: Entry, *, keeping: bool = True) -> dict[str, Json]:
    """One input as it is now: its manifest, with `keeping` kept in the record where it is small enough."""
    try:
        return _looked(context, plan, entry, keeping=keeping)
    except RvexpError as why:
        return _untold(entry, why)


def _first_look(context: Context, plan: Plan, entry: Entry) -> dict[str, Json]:
    try:
        return _looked(context, plan, entry)
    except aws.ServiceError as why:
        if why.name == "NoSuchBucket" and entry.get("declared"):
            raise UsageError(
                f"the input {entry['uri']} is in no bucket that exists\n  {why}", hint="aws s3 ls"
            ) from why
        return _untold(entry, why)
    except RvexpError as why:
        return _untold(entry, why)


def _looked(context: Context, plan: Plan, entry: Entry, *, keeping: bool = True) -> dict[str, Json]:
    uri = str(entry["uri"])
    if not places.is_s3(uri):
        found = told(context, taken(local.items(Path(uri), uri)), keeping=keeping)
        return {**_bare(entry), **found, "level": "content", "machine": local.machine()}
    from git_rvexp.data.s3 import Listing  # noqa: PLC0415  only where there is an S3 input

    listing = Listing(reaching(context, plan), uri)
    fields = {**_bare(entry), **told(context, taken(listing.items()), keeping=keeping), "level": listing.level}
    return {**fields, **({"hazards": listing.hazards} if listing.hazards else {})}


def _untold(entry: Entry, why: RvexpError) -> dict[str, Json]:
    return {**_bare(entry), "why": str(why)}


def _bare(entry: Entry) -> dict[str, Json]:
    return {k: v for k, v in entry.items() if k in NAMED}


def drift(context: Context, before: Iterable[Entry], now: Iterable[Entry]) -> list[Drift]:
    """What became of the inputs in `before`, which were looked at, by what they are `now`."""
    current = {str(e["uri"]): e for e in now}
    found = [_drift(context, e, current.get(str(e["uri"]), {})) for e in before if not written_to(e)]
    return [d for d in found if d is not None]


def frozen(now: Iterable[Entry]) -> list[Drift]:
    """Those of the inputs, as they are now, that no run could read."""
    found = ((str(e["uri"]), (e.get("hazards") or {}).get(lifecycle.ARCHIVED)) for e in now if not written_to(e))
    return [Drift(uri, f"{count} object(s) {lifecycle.ARCHIVED}") for uri, count in found if count]


def _drift(context: Context, before: Entry, now: Entry) -> Drift | None:
    uri = str(before["uri"])
    for entry, when in ((before, "when the run was planned"), (now, "now")):
        if "manifest" not in entry:
            return Drift(uri, f"could not be listed {when}: {entry.get('why', 'not looked at')}", certain=False)
    return became(context, before, now, lambda: recorded(context.repo, now, context.trusted()))


def became(context: Context, before: Entry, now: Entry, lines: Callable[[], Iterator[str] | None]) -> Drift | None:
    """What became of the files of a recorded manifest by what there is `now`, whose `lines` are read if need be.

    None where they are the same. Checksums of kinds that cannot be held against each other prove neither, and what
    another machine has at the same path proves no change.
    """
    drift = None if before["manifest"] == now["manifest"] else _difference(context, before, now, lines)
    if drift and before.get("machine") != now.get("machine"):
        words = f"there are others on {now.get('machine')} than on {before.get('machine') or 'the machine of then'}"
        return Drift(drift.uri, f"{words}: {drift.words}", certain=False)
    return drift


def _difference(context: Context, before: Entry, now: Entry, lines: Callable[[], Iterator[str] | None]) -> Drift | None:
    uri, counts = str(before.get("uri", "")), f"{before.get('count')} files then, {now.get('count')} now"
    try:
        told = recorded(context.repo, before, context.trusted()), lines()
    except RvexpError as why:
        return Drift(uri, f"{counts}; which changed cannot be told: {why}")
    if told[0] is None or told[1] is None:
        return Drift(uri, f"{counts}; which changed was not kept")
    difference = compare(told[0], told[1])
    if set(difference.counts) == {"unknown"}:
        return Drift(uri, f"checksums of different kinds: {difference.words()}", certain=False)
    return Drift(uri, difference.words()) if difference else None


def between(repo: Repo, before: Entry, now: Entry) -> Difference | None:
    """How two recorded manifests differ; None when the lines of one were not kept, or are in the store."""
    told = [recorded(repo, entry) for entry in (before, now)]
    return None if told[0] is None or told[1] is None else compare(told[0], told[1])


def written_to(entry: Entry) -> bool:
    """Whether it is a place in the command where nothing was when the run was planned: surely where the run writes."""
    return entry.get("count") == 0 and not entry.get("declared")


def reaching(context: Context, plan: Plan) -> Settings:
    """The user's own settings, for the region that the plan is for."""
    settings = context.trusted()
    return dataclasses.replace(settings, aws_region=plan.region) if plan.region else settings
