"""Everything the page of one experiment is made of, gathered from the clone and, for today's checks, from outside."""

import datetime as dt
from dataclasses import dataclass

from git_rvexp import __version__
from git_rvexp.addresses import redacted
from git_rvexp.errors import RvexpError
from git_rvexp.git import notes
from git_rvexp.record.events import parse
from git_rvexp.workflow.choose import Choice, choice
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.reporting import checks
from git_rvexp.workflow.reporting.source import Source, Told, told
from git_rvexp.workflow.reporting.veil import Veil, veil
from git_rvexp.workflow.verifying.check import verify


@dataclass(frozen=True)
class Wish:
    """What a page shall show. `parent` is a tag, a run or ""; `check` how many snapshots are looked at today."""

    made: dt.datetime
    public: bool = False
    parent: str = ""
    check: int = 0


def gather(context: Context, what: str, wish: Wish) -> Source:
    """The source of the page about the snapshot or run that `what` names."""
    chosen = choice(context, what)
    other = choice(context, wish.parent) if wish.parent else None
    snapshots = [each.snapshot for each in (chosen, other) if each]
    texts = notes.read(context.repo, notes.tip(context.repo), [s.oid for s in snapshots])
    private = context.settings.report_private if wish.public else ()
    over = veil(private, [parse(text) for text in texts.values()])
    found = next(verify(context, [chosen.snapshot]), None) if wish.check else None
    checked = checks.written(found, over) if found else None
    whole = told(chosen.snapshot, chosen.card, texts.get(chosen.snapshot.oid, ""), over)
    parent = told(other.snapshot, other.card, texts.get(other.snapshot.oid, ""), over) if other else None
    source = Source(
        made=int(wish.made.timestamp()),
        version=__version__,
        about=whole,
        focus=_focus(chosen, whole),
        since=_focus(other, parent) if other and parent else "",
        parent=parent,
        checks=checked,
        code=_shown(over, _origin(context)),
        experiments=_shown(over, experiments(context)),
        private=tuple(private),
    )
    return Source.from_fields(source.fields())  # what is shown is what is carried


def _focus(chosen: Choice, whole: Told) -> str:
    """The run that was named, or the one that stands for its snapshot."""
    return _only(chosen) or whole.principal


def _only(chosen: Choice) -> str:
    return chosen.runs[0].run if len(chosen.runs) == 1 else ""


def _shown(over: Veil, url: str) -> str:
    return "" if "remote" in over.names else over.text(redacted(url))


def _origin(context: Context) -> str:
    return context.repo.git("config", "--get", "remote.origin.url", ok=(0, 1)).text


def experiments(context: Context) -> str:
    """Where snapshots are fetched from, fit to be shown; "" where that was not confirmed in this clone."""
    try:
        return redacted(context.wanted_remote().url)
    except RvexpError:
        return ""
