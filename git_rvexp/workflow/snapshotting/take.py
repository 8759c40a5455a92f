"""Take a snapshot: the work tree as an immutable tag on the experiments remote, and its first line in the record."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from git_rvexp import sizes
from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git import remote, worktree
from git_rvexp.git.catalogue import TAKEN
from git_rvexp.git.depth import prepare_push
from git_rvexp.git.notes import ensure_notes_ref
from git_rvexp.git.scratch import Scratch
from git_rvexp.git.tags import Person, Told, create, person, told
from git_rvexp.git.weight import Limits
from git_rvexp.git.worktree import WorkTree
from git_rvexp.model import Snapshot
from git_rvexp.names import TagName
from git_rvexp.record import absent
from git_rvexp.record.events import VERSION, Event, stamp
from git_rvexp.record.moved import refuse
from git_rvexp.record.share import AlarmError
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.guard import ensure_guard
from git_rvexp.workflow.secrecy.scan import refusal
from git_rvexp.workflow.secrecy.snapshots import secrets_in
from git_rvexp.workflow.snapshotting import content
from git_rvexp.workflow.snapshotting.buildable import unbuildable
from git_rvexp.workflow.snapshotting.naming import EMBED, Request, guesses, named, taken
from git_rvexp.workflow.snapshotting.notices import notices
from git_rvexp.workflow.storing.sharing import deposit_or_tell, share_record


@dataclass(frozen=True)
class Taken:
    """A snapshot that was made. `pending` when it could not be pushed yet; `buildable`: an image can be made of it."""

    snapshot: Snapshot
    pending: bool
    buildable: bool


@dataclass(frozen=True)
class Draft:
    """A snapshot before it is made: its objects are in `place` as long as the block lasts that it was made for.

    `buildable`: an image can be made of it. `allowed` counts the places that look like secrets and were let through
    with --allow-secrets.
    """

    name: TagName
    work: WorkTree
    who: Person
    place: Scratch
    buildable: bool
    allowed: int = 0


@contextmanager
def drafted(context: Context, request: Request) -> Iterator[Draft]:
    """What the snapshot would be; nothing is kept. RvexpError when it may not be made."""
    who = person(context.repo)
    name = named(context, request, who)
    exists, base = context.repo.resolve(name.ref, "HEAD^{commit}")
    if exists:
        raise taken(context.repo, name, "in this clone")
    settings = context.settings
    limits = Limits(sizes.parsed(settings.snapshot_max_file), sizes.parsed(settings.snapshot_max_total))
    embed = (request.submodules or settings.snapshot_submodules) == EMBED
    with ExitStack() as stack:
        with context.progress("reading the work tree", 0, ""):
            work, place = stack.enter_context(worktree.captured(context.repo, base, limits, embed=embed))
        hits = secrets_in(place, work, request.message, settings, context.warn)
        if hits and not request.allow_secrets:
            raise refusal(hits)
        missing = list(unbuildable(place, settings, work.tree, request.folder))
        for text in (*guesses(context, request, who), *notices(context.repo, settings, work), *missing):
            context.warn(text)
        yield Draft(name, work, who, place, not missing, len(hits))


def take(context: Context, request: Request) -> Taken:
    """Make the snapshot, record it, push both; when the remote is out of reach it stands all the same."""
    connected = context.connect()
    with drafted(context, request) as plan:
        there = _on_remote(context, plan.name) if request.push else None
        if there:
            raise taken(context.repo, plan.name, "on the experiments remote")
        if request.push and there is not None:
            embedded = connected.embedded
            prepare_push(context.repo, remote.NAME, plan.work.head, context.say, takes_shallow=embedded)
        ensure_guard(context)
        if ensure_notes_ref(context.repo):
            context.say("set core.notesRef, so that `git notes show TAG` prints the record")
        plan.place.keep()
        made = _made(context, plan, request.message)
    if not request.push:
        return Taken(made, pending=False, buildable=plan.buildable)
    pushed = there is not None and _pushed(context, made)
    stored = deposit_or_tell(context, made)
    shared = (pushed or bool(context.settings.store)) and _shared(context)
    if pushed and shared:
        context.say(_WHERE[connected.embedded])
    return Taken(made, pending=not (pushed and stored and shared), buildable=plan.buildable)


def _made(context: Context, plan: Draft, message: str) -> Snapshot:
    now = context.ledger.now()
    embedded = ", ".join(link.path for link in plan.work.links if link.taken)
    trailers = {
        "Rvexp-Snapshot": str(plan.name),
        "Rvexp-Base": plan.work.head or "none",
        "Rvexp-Tree": plan.work.tree,
        "Rvexp-Changes": plan.work.changes,
        TAKEN: stamp(now),
        **({"Rvexp-Embedded": embedded.encode("unicode_escape").decode()} if embedded else {}),
        **({"Rvexp-Secrets-Allowed": str(plan.allowed)} if plan.allowed else {}),
    }
    message = message or f"Snapshot {plan.name.nickname}"
    made, says = create(context.repo, plan.name, plan.work, plan.who, message, trailers, now)
    context.ledger.append(made.oid, snapshot_event(made, says))
    return made


def snapshot_event(made: Snapshot, says: Told) -> Event:
    """The record's first line of a snapshot, from what its tag says: the same after a crash, in any clone."""
    base = says.trailers.get("Rvexp-Base", "none")
    fields = {
        "v": VERSION,
        "tag": made.tag,
        "commit": made.commit,
        "tree": made.tree,
        **({"base": base} if base != "none" else {}),
        "changes": says.trailers.get("Rvexp-Changes", "unknown"),
        "by": says.tagger,
        "message": says.subject,
    }
    return Event(stamp(dt.datetime.fromtimestamp(says.when, dt.UTC)), "snapshot", fields)


def complete(context: Context, known: Iterable[Snapshot]) -> None:
    """Write the first line of snapshots whose making was cut short between tag and record. AlarmError: see `moved`."""
    by_oid = {s.oid: s for s in known}
    cut = [by_oid[oid] for oid, record in context.ledger.records(by_oid).items() if not record.of("snapshot")]
    refuse(context.ledger, {s.tag: s.oid for s in cut})
    for made in cut:
        try:
            context.ledger.append(made.oid, snapshot_event(made, told(context.repo, made.oid)))
        except RvexpError as why:
            context.warn(f"{made.tag}: {why}")


def complete_all(context: Context, known: Sequence[Snapshot]) -> None:
    """The same for all snapshots of a clone. In a plain copy, which has no record at all, that is told instead."""
    if known and absent.remedy(context.repo) == absent.FETCH:
        context.warn(absent.told(absent.FETCH))
    else:
        complete(context, known)


def _on_remote(context: Context, name: TagName) -> bool | None:
    """Whether the remote has the name; None when it cannot be asked now."""
    try:
        return name.ref in remote.ids(context.repo, [name.ref])
    except GitError as why:
        context.warn(str(why))
        return None


def _pushed(context: Context, made: Snapshot) -> bool:
    try:
        with context.progress(f"pushing {made.tag}", 0, ""):
            content.push(context, [made])
    except GitError as why:
        context.warn(str(why))
        return False
    return True


def _shared(context: Context) -> bool:
    try:
        share_record(context)
    except AlarmError:
        raise
    except RvexpError as why:
        context.warn(str(why))
        return False
    return True


_WHERE = {True: "kept in this clone's own experiments repository", False: "pushed to the experiments remote"}
