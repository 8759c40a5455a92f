"""From what a person types to a snapshot or a run: full name, nickname, unique part, `@`; an id's prefix."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from git_rvexp.errors import UsageError
from git_rvexp.git.catalogue import Card, card, cards, tag_names, tied
from git_rvexp.git.notes import listed, tip
from git_rvexp.git.tags import HERE, NOBODY, Person, person, snapshots, standing
from git_rvexp.names import normalised
from git_rvexp.record.events import Record
from git_rvexp.record.index import index
from git_rvexp.record.runs import Run, runs
from git_rvexp.settings import Settings
from git_rvexp.terms import Snapshot
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.subjects import subjects
from git_rvexp.workflow.unnamed import gone, none_called, none_here

_SHOWN = 8
_RECENT = 20  # names have local dates, by which the last one is not the newest after a journey westwards
_JOB_BEGINS = 8  # characters of a job id that are enough of it
# Only a run or a job is called so: a run id, a UUID, a container id.
_RUN_LIKE = re.compile(r"[0-9a-hjkmnp-tv-z]{10}|[0-9a-f-]{36}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Found:
    """A run, and the snapshot whose record tells of it."""

    snapshot: Snapshot
    run: Run


@dataclass(frozen=True)
class Choice:
    """What somebody means by one word: a snapshot with all its runs, or with the one run that was named.

    `card` is None for what has no tag (any more).
    """

    snapshot: Snapshot
    card: Card | None
    record: Record
    runs: Sequence[Run]


def initials(settings: Settings, who: Person) -> str:
    """The initials in force: the configured ones, else those of the user's name."""
    if settings.initials:
        return settings.initials
    letters = "".join(word[0] for word in normalised(who.name).split("-") if word)
    return letters[:8] if who != NOBODY else "anon"


def snapshot(context: Context, text: str) -> Snapshot:
    """The snapshot that `text` names. UsageError lists candidates when there are several, neighbours when none."""
    return _card(context, text, None).snapshot


def either(context: Context, text: str) -> tuple[Snapshot, list[Run]]:
    """A snapshot with all its runs, or with the one run that `text` names; UsageError when it names neither."""
    chosen = choice(context, text)
    return chosen.snapshot, list(chosen.runs)


def choice(context: Context, text: str, names: Sequence[str] | None = None) -> Choice:
    """The same, with all that was read for it. `names` are all tags' names, for callers who look up several texts."""
    if text == "@":
        return _at(context)
    exact = card(context.repo, text)
    if exact:
        return _whole(context, exact)
    if not _RUN_LIKE.fullmatch(text):
        names = tag_names(context.repo) if names is None else names
        if _named(names, text):
            return _whole(context, _card(context, text, names))
    called = _called(context, text)
    if not called:
        return _whole(context, _card(context, text, names, "snapshot or run"))
    found, record = _only(context, text, called)
    return Choice(found.snapshot, card(context.repo, found.snapshot.tag), record, [found.run])


def _whole(context: Context, chosen: Card) -> Choice:
    record = context.ledger.record(chosen.snapshot.oid)
    return Choice(chosen.snapshot, chosen, record, runs(record))


def _card(context: Context, text: str, names: Sequence[str] | None, wanted: str = "snapshot") -> Card:
    exact = _my_newest(context) if text == "@" else card(context.repo, text)
    if exact:
        return exact
    names = tag_names(context.repo) if names is None else names
    if not names:
        raise none_here(context.repo)
    found = _named(names, text) or _of_commit(context, text)
    if len(found) > 1:
        raise UsageError(f"{text!r} names several snapshots\n" + _listed(found), hint="say more of it")
    if not found:
        raise none_called(context.repo, text, names, wanted)
    only = card(context.repo, found[0])
    if only is None:
        raise _no_tag_object(context, found[0])
    return only


def _my_newest(context: Context) -> Card:
    mine = initials(context.settings, person(context.repo))
    own = cards(context.repo, initials=mine, newest=_RECENT, warn=context.warn)
    if not own and not tag_names(context.repo):
        raise none_here(context.repo)
    if not own:
        raise UsageError(f"no snapshot is yours (initials {mine})", hint="git rvexp list")
    finer = tied(context.repo, {card.snapshot.oid: card.when for card in own})
    return max(own, key=lambda card: (card.when, finer.get(card.snapshot.oid, "")))


def _at(context: Context) -> Choice:
    """What `@` means: my newest snapshot; in a clone that never had any, the newest run."""
    try:
        return _whole(context, _my_newest(context))
    except UsageError:
        plain = None if tag_names(context.repo) or gone(context.repo, "") else _newest_plain(context)
        if plain is None:
            raise
        return plain


def _newest_plain(context: Context) -> Choice | None:
    """The newest run of a clone that has runs and no snapshot."""
    found = max(recorded_runs(context), key=lambda each: each.run.planned.time, default=None)
    if found is None:
        return None
    return Choice(found.snapshot, None, context.ledger.record(found.snapshot.oid), [found.run])


def _named(names: Sequence[str], text: str) -> list[str]:
    """The tags called `text`, else those with this nickname, else those that hold it; newest first."""
    exact = [n for n in names if n == text] or [n for n in names if n.endswith(f"/{text}")]
    found = exact or [n for n in names if text in n]
    return sorted(found, key=lambda n: n.split("/")[2:], reverse=True)


def _of_commit(context: Context, text: str) -> list[str]:
    if not re.fullmatch("[0-9a-f]{7,64}", text):
        return []
    return [s.tag for s in snapshots(context.repo) if s.commit.startswith(text)]


def run(context: Context, text: str) -> Found:
    """The run whose id or job id, or the beginning of one, is `text`; UsageError for none and for several.

    Of a job's id the beginning has 8 characters or more: `submit` prints 12 of a container's.
    """
    called = _called(context, text)
    if not called:
        raise UsageError(f"no run {text!r} is recorded in this clone", hint="git rvexp sync, then git rvexp list")
    return _only(context, text, called)[0]


_Called = Sequence[tuple[str, Record, Run]]
"""Runs, with the records that tell of them and the objects those are kept on."""


def _called(context: Context, text: str) -> _Called:
    """The runs that `text` may mean. Only those notes are read that the index names."""
    records = context.ledger.records(index(context.repo).naming(text)) if text else {}
    told = [(oid, record, each) for oid, record in records.items() for each in runs(record)]
    exact = [t for t in told if text == t[2].run or text in t[2].jobs]
    return exact or [t for t in told if _begins(text, t[2])]


def _begins(text: str, run: Run) -> bool:
    return run.run.startswith(text) or (len(text) >= _JOB_BEGINS and any(job.startswith(text) for job in run.jobs))


def _only(context: Context, text: str, called: _Called) -> tuple[Found, Record]:
    if len(called) > 1:
        told = _listed([each.run for _, _, each in called])
        raise UsageError(f"{text!r} begins the ids of several runs or of their jobs\n{told}", hint="say more of it")
    oid, record, only = called[0]
    return Found(subjects(context.repo, {oid: record})[oid], only), record


def of_objects(context: Context, oids: Iterable[str]) -> list[Found]:
    """Every run that the notes on these objects tell of."""
    records = context.ledger.records(oids)
    owners = subjects(context.repo, records)
    return [Found(owners[oid], each) for oid, record in records.items() for each in runs(record)]


def reread(context: Context, found: Sequence[Found]) -> list[Found]:
    """The same runs as the record tells of them now."""
    records = context.ledger.records({f.snapshot.oid for f in found})
    now: dict[str, Run] = {r.run: r for record in records.values() for r in runs(record)}
    return [Found(f.snapshot, now[f.run.run]) for f in found]


def noted(context: Context) -> dict[str, Snapshot]:
    """By object: every snapshot, and everything else that has a record, such as the commit of a run without one."""
    known = {s.oid: s for s in snapshots(context.repo)}
    for oid in listed(context.repo, tip(context.repo)):
        known.setdefault(oid, Snapshot("", oid, oid, ""))
    return known


def recorded_runs(context: Context, naming: str = "") -> list[Found]:
    """Every run that the record of this clone tells of, those without a snapshot (kept on a commit) too.

    With `naming` at least those of the notes that hold this text, which is quicker.
    """
    known = noted(context)
    records = context.ledger.naming(known, naming) if naming else context.ledger.records(known)
    return [Found(known[oid], each) for oid, record in records.items() for each in runs(record)]


def _no_tag_object(context: Context, tag: str) -> UsageError:
    """The error for a tag that is no snapshot; AlarmError when it was one and was moved."""
    from git_rvexp.record.moved import refuse  # noqa: PLC0415  only for what went wrong

    refuse(context.ledger, standing(context.repo, [HERE], [tag])[0])
    return UsageError(f"{tag} is no snapshot: it is not an annotated tag of a commit", hint="git rvexp list")


def _listed(names: Sequence[str]) -> str:
    more = [f"  … and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return "\n".join([f"  {n}" for n in names[:_SHOWN]] + more)
