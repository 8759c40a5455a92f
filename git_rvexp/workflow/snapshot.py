"""Take a snapshot: the work tree as an immutable tag on the experiments remote, and its first line in the record."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from git_rvexp.errors import GitError, PendingError, RvexpError
from git_rvexp.git import remote, worktree
from git_rvexp.git.notes import ensure_notes_ref
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import Person, Told, create, person, snapshots, told
from git_rvexp.git.worktree import WorkTree
from git_rvexp.model import Snapshot
from git_rvexp.names import TagName, checked_part, normalised
from git_rvexp.record import share
from git_rvexp.record.events import VERSION, Event, stamp
from git_rvexp.workflow.choose import initials
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.guard import ensure_guard


@dataclass(frozen=True)
class Request:
    """What the user asked for; empty fields take the configured or found value."""

    nickname: str
    message: str = ""
    project: str = ""
    initials: str = ""
    date: str = ""
    push: bool = True


@dataclass(frozen=True)
class Taken:
    """A snapshot that was made. `pending` when it could not be pushed yet."""

    snapshot: Snapshot
    pending: bool


@dataclass(frozen=True)
class Draft:
    """A snapshot before it is made."""

    name: TagName
    work: WorkTree
    who: Person


def draft(context: Context, request: Request) -> Draft:
    """What the snapshot would be; nothing is written but loose objects. RvexpError when it may not be made."""
    who = person(context.repo)
    name = _name(context, request, who)
    taken, base = context.repo.resolve(name.ref, "HEAD^{commit}")
    if taken:
        raise _taken(context.repo, name, "in this clone")
    return Draft(name, worktree.capture(context.repo, base), who)


def take(context: Context, request: Request) -> Taken:
    """Make the snapshot, record it, push both; when the remote is out of reach it stands all the same."""
    connected = context.connect()
    plan = draft(context, request)
    there = _on_remote(context, plan.name) if request.push else None
    if there:
        raise _taken(context.repo, plan.name, "on the experiments remote")
    ensure_guard(context)
    if ensure_notes_ref(context.repo):
        context.say("set core.notesRef, so that `git notes show TAG` prints the record")
    made = _made(context, plan, request.message)
    pushed = request.push and there is not None and _pushed(context, made)
    if pushed:
        context.say(_WHERE[connected.embedded])
    return Taken(made, pending=request.push and not pushed)


def _made(context: Context, plan: Draft, message: str) -> Snapshot:
    trailers = {
        "Rvexp-Snapshot": str(plan.name),
        "Rvexp-Base": plan.work.head or "none",
        "Rvexp-Tree": plan.work.tree,
        "Rvexp-Changes": plan.work.changes,
    }
    message = message or f"Snapshot {plan.name.nickname}"
    made, says = create(context.repo, plan.name, plan.work, plan.who, message, trailers, context.ledger.now())
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
    """Write the first line of snapshots whose making was cut short between tag and record."""
    by_oid = {s.oid: s for s in known}
    for oid, record in context.ledger.records(by_oid).items():
        if not record.of("snapshot"):
            made = by_oid[oid]
            try:
                context.ledger.append(oid, snapshot_event(made, told(context.repo, oid)))
            except RvexpError as why:
                context.warn(f"{made.tag}: {why}")


def next_free(repo: Repo, name: TagName) -> str:
    """The first of nick-2, nick-3 … that no tag of this clone has."""
    taken = {s.tag for s in snapshots(repo)}
    number = 2
    while True:
        stem = name.nickname[: 39 - len(str(number))].rstrip("-")
        candidate = TagName(name.initials, name.project, name.date, f"{stem}-{number}")
        if str(candidate) not in taken:
            return candidate.nickname
        number += 1


def _name(context: Context, request: Request, who: Person) -> TagName:
    settings = context.settings
    checked_part("nickname", request.nickname)
    return TagName(
        request.initials or initials(settings, who),
        request.project or settings.project or normalised(context.repo.top.name),
        request.date or context.ledger.now().astimezone().date().isoformat(),
        request.nickname,
    )


def _taken(repo: Repo, name: TagName, where: str) -> RvexpError:
    return RvexpError(
        f"the snapshot {name} exists already {where}; snapshots are never replaced",
        hint=f"git rvexp snapshot {next_free(repo, name)}",
    )


def _on_remote(context: Context, name: TagName) -> bool | None:
    """Whether the remote has the name; None when it cannot be asked now."""
    try:
        return name.ref in remote.ids(context.repo, [name.ref])
    except GitError as why:
        context.warn(str(why))
        return None


def _pushed(context: Context, made: Snapshot) -> bool:
    try:
        remote.push_tags(context.repo, [made.tag])
        share.push_notes(context.ledger)
    except (GitError, PendingError) as why:
        context.warn(str(why))
        return False
    return True


_WHERE = {True: "kept in this clone's own experiments repository", False: "pushed to the experiments remote"}
