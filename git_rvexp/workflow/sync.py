"""Bring this clone and the experiments remote to the same state, and settle what is open."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git import notes, remote
from git_rvexp.git.tags import HERE, snapshots, standing
from git_rvexp.grammar import is_tag_name
from git_rvexp.record import moved, restoring, share
from git_rvexp.record.asking import Answer, ask
from git_rvexp.record.share import Alarm, AlarmError
from git_rvexp.workflow import choose
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.reconcile import Settled, settle
from git_rvexp.workflow.snapshotting import content
from git_rvexp.workflow.snapshotting.take import complete_all
from git_rvexp.workflow.storing.sharing import share_record

Tags = tuple[str, ...]


@dataclass(frozen=True)
class Synced:
    """What was done: tags fetched and pushed, and what became of open runs."""

    fetched: Tags
    pushed: Tags
    settled: tuple[Settled, ...]


def sync(context: Context, *, accept: bool = False) -> Synced:
    """Exchange tags and notes both ways, then settle open runs. AlarmError lists what moved, here or on the remote.

    With a store in S3 too, the one goes on without the other; what could not be reached is the error at the end.
    """
    context.connect()
    moved.refuse(context.ledger, moved.suspects(context.ledger))
    notes.ensure_notes_ref(context.repo)
    restoring.from_history(context.ledger)
    if not context.settings.store:
        fetched, pushed = _sync_remote(context, accept=accept)
        return Synced(fetched, pushed, _settled(context))
    failed: list[RvexpError] = []
    fetched, pushed = _tried(lambda: _sync_remote(context, accept=accept), failed)
    more, stored = _tried(lambda: _sync_store(context, accept=accept), failed)
    if more:
        _tried(lambda: _sync_remote(context, accept=accept), [])
    settled = _settled(context)
    for why in failed[1:]:
        context.warn(str(why))
    if failed:
        raise failed[0]
    return Synced((*fetched, *more), tuple(dict.fromkeys((*pushed, *stored))), settled)


def _tried(exchange: Callable[[], tuple[Tags, Tags]], failed: list[RvexpError]) -> tuple[Tags, Tags]:
    try:
        return exchange()
    except AlarmError:
        raise
    except RvexpError as why:
        failed.append(why)
        return (), ()


def _settled(context: Context) -> tuple[Settled, ...]:
    settled = settle(context, choose.noted(context).values(), Executors(context))
    if settled:
        share_record(context)
    return tuple(settled)


def _sync_store(context: Context, *, accept: bool) -> tuple[Tags, Tags]:
    """Tags that came from the store, and those whose copies were put there."""
    from git_rvexp.workflow.storing.exchange import exchange  # noqa: PLC0415  loads botocore

    return exchange(context, accept=accept)


def _sync_remote(context: Context, *, accept: bool) -> tuple[Tags, Tags]:
    """Tags that came from the experiments remote, and those that went there; notes both ways."""
    there = ask(context.repo)
    alarms = share.tag_alarms(there)
    if alarms and not accept:
        clashed = all(isinstance(alarm, share.Clash) for alarm in alarms)
        who = f"{share.CLASHED}; " if clashed else "ask who did it; "
        raise AlarmError(_told(alarms), hint=f"{who}`git rvexp sync --accept` keeps our tags and goes on")
    for alarm in alarms:
        context.warn(f"{alarm}; our own tag stays as it is")
    fetched = _fetch_tags(context, there.refs)
    _remember(context, there)
    pushed = _push_tags(context, there.refs)
    share.receive_notes(context.ledger, there, accept=accept)
    complete_all(context, snapshots(context.repo))
    share.push_notes(context.ledger)
    return fetched, pushed


def _fetch_tags(context: Context, there: Mapping[str, str]) -> tuple[str, ...]:
    """Fetch the snapshot tags this clone lacks, under their own names; none that we have is touched."""
    (here,) = standing(context.repo, [HERE])
    new = [n for n in _names(there) if n not in here]
    if new:
        with context.progress(f"fetching {len(new)} snapshots", 0, ""):
            remote.fetch(context.repo, *(f"refs/tags/{n}:refs/tags/{n}" for n in new))
    return tuple(new)


def _remember(context: Context, there: Answer) -> None:
    """Note what the remote holds now, beside our tags: the next sync compares with it."""
    known = there.published
    changed = [n for n in _names(there.refs) if known.get(n) != there.refs[f"refs/tags/{n}"]]
    if changed:
        remote.fetch(context.repo, *(f"+refs/tags/{n}:{remote.PUBLISHED}/{n}" for n in changed))
    for name in known.keys() - set(_names(there.refs)):
        context.repo.git("update-ref", "-d", f"{remote.PUBLISHED}/{name}", known[name])


def _names(there: Mapping[str, str]) -> list[str]:
    tags = [ref.removeprefix("refs/tags/") for ref in there if ref.startswith("refs/tags/")]
    return [t for t in tags if is_tag_name(t)]


def _push_tags(context: Context, there: Mapping[str, str]) -> tuple[str, ...]:
    mine = [s for s in snapshots(context.repo) if f"refs/tags/{s.tag}" not in there]
    if mine:
        with context.progress(f"pushing {len(mine)} snapshots", 0, ""):
            content.push(context, mine)
    return tuple(s.tag for s in mine)


def _told(alarms: list[Alarm]) -> str:
    return "snapshots changed on the experiments remote, where they never may\n" + "\n".join(f"  {a}" for a in alarms)
