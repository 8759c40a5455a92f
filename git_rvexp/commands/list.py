"""List snapshots, newest first, with the state of their runs as the record has it.

Newest is by the date in the name, then by the time of tagging, to the millisecond. Other people's snapshots, and what
became of their runs, come with git rvexp sync. No executor is asked: `git rvexp status --refresh` does that. --format
takes %(tag) %(nickname) %(commit) %(tree) %(date) %(age) %(by) %(message) %(changes) %(image) %(state) %(run)
%(metrics), `%%`, and bytes such as %09.
"""

import argparse
import re
import time

from git_rvexp.commands.session import Session
from git_rvexp.errors import UsageError
from git_rvexp.output import printable
from git_rvexp.record.ledger import Ledger
from git_rvexp.workflow.looking.metrics import in_words
from git_rvexp.workflow.looking.moments import age, iso, since
from git_rvexp.workflow.looking.survey import NO_RUNS, STATES, Query, Row, rows

_HEAD = ("snapshot", "age", "changes", "runs", "last run")
_METRICS = "metrics"  # of the last run; the last column, where any has some
_SHOWN_NUMBERS = 3
_SPARE = ("changes", "metrics", "last run", "age")
_NARROW = 60  # columns; below, a nickname has to do for the whole tag
READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("-n", "--number", type=int, default=20, metavar="N", help="at most N (default 20)")
    parser.add_argument("-a", "--all", action="store_true", help="all of them")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--mine", action="store_true", help="only those with my initials")
    whose.add_argument("--initials", metavar="XY", help="only those with these initials")
    parser.add_argument("--project", default="*", help="only those of a project")
    states = (*STATES, NO_RUNS)
    told = f"only those with a run in this state: {', '.join(states)}"
    parser.add_argument("--state", choices=states, metavar="STATE", help=told)
    parser.add_argument("--since", metavar="WHEN", help="only those since a date, or 12h, 3d, 2w ago")
    parser.add_argument(
        "--grep", metavar="REGEX", help="only where tag, message, who took it, command or run id match; case ignored"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--format", metavar="TEXT", help="a line of your own for each")
    form.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the list."""
    query = _query(args, session)
    found = rows(session.repo, Ledger(session.repo), query, session.speaker.warn)
    if args.json:
        session.speaker.document("rvexp.list/1", {"snapshots": [row.fields() for row in found]})
        return 0
    if args.format is not None:
        from git_rvexp.workflow.looking.template import template  # noqa: PLC0415  brings difflib

        line = template(args.format, _values(None))
        for row in found:
            session.speaker.result(printable(line(_values(row))))
        return 0
    shown = list(found)
    numbers = any(row.metrics for row in shown)
    head = (*_HEAD, _METRICS) if numbers else _HEAD
    session.speaker.table(head, (_cells(row, session, numbers=numbers) for row in shown), spare=_SPARE)
    if not shown:
        session.speaker.say("no snapshots" if query == Query(limit=query.limit) else "no snapshots match")
    elif len(shown) == query.limit and session.speaker.terminal:
        session.speaker.say(f"the newest {query.limit}; git rvexp list --all shows every one")
    return 0


def _query(args: argparse.Namespace, session: Session) -> Query:
    if args.number < 1:
        raise UsageError("-n takes a number from 1 on", hint="git rvexp list --all")
    ledger = Ledger(session.repo)
    return Query(
        initials=_initials(args, session),
        project=args.project,
        state=args.state or "",
        since=since(args.since, ledger.now()) if args.since else None,
        grep=_pattern(args.grep) if args.grep else None,
        limit=0 if args.all else args.number,
        requests=args.json,
    )


def _initials(args: argparse.Namespace, session: Session) -> str:
    if args.initials is not None:
        from git_rvexp.names import checked_part  # noqa: PLC0415  as below

        return checked_part("the initials", args.initials)
    if not args.mine:
        return "*"
    from git_rvexp.git.tags import person  # noqa: PLC0415  the plain list needs no settings
    from git_rvexp.workflow.choose import initials  # noqa: PLC0415  as above

    return initials(session.context.settings, person(session.repo))


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as why:
        raise UsageError(f"--grep {text!r} is not a regular expression: {why}") from why


def _cells(row: Row, session: Session, *, numbers: bool) -> tuple[str, ...]:
    terminal = session.speaker.terminal
    when = age(time.time() - row.card.when) if terminal else iso(row.card.when)
    tag = row.card.snapshot.tag
    name = tag.rpartition("/")[2] if terminal and session.speaker.columns < _NARROW else tag
    told = (name, when, row.changes or "-", row.glance, row.last_run or "-")
    most = _SHOWN_NUMBERS if terminal else 0
    return (*told, in_words(row.metrics, most=most) or "-") if numbers else told


def _values(row: Row | None) -> dict[str, str]:
    """What --format can name; of no row, the names."""
    if row is None:
        names = "tag nickname commit tree date age by message changes image state run metrics"
        return dict.fromkeys(names.split(), "")
    card = row.card
    return {
        "tag": card.snapshot.tag,
        "nickname": card.snapshot.tag.rpartition("/")[2],
        "commit": card.snapshot.commit,
        "tree": card.snapshot.tree,
        "date": iso(card.when),
        "age": age(time.time() - card.when),
        "by": card.by,
        "message": card.subject,
        "changes": row.changes,
        "image": row.image,
        "state": row.glance,
        "run": row.last_run,
        "metrics": in_words(row.metrics),
    }
