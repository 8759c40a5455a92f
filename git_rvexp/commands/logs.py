"""Print what a run's job has printed: all its attempts, in order. RUN:N is the job with index N of an array.

Of an array all its jobs follow one another, each line behind its index. Of a snapshot, the log of its newest run. -f
follows until the job has ended; Ctrl-C leaves the job alone. --save keeps the log in this clone, and in the store where
one is configured, with its checksum in the record, so that it outlives the executor's; a kept log is read when there is
no other.
"""

import argparse
import datetime as dt
import re
from collections.abc import Iterable

from git_rvexp.commands import TARGET
from git_rvexp.commands.session import Session
from git_rvexp.errors import INTERRUPTED, UsageError
from git_rvexp.output import printable
from git_rvexp.workflow.choose import Found, either
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.keeping import Part, keep, lines_of
from git_rvexp.workflow.following.nothing import why_nothing
from git_rvexp.workflow.looking.moments import since

_CHILD = re.compile(r"(.+):(\d+)")
READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("what", metavar="TAG|RUN", nargs="?", default="@", help=TARGET)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the job has ended")
    parser.add_argument("--since", metavar="WHEN", help="only what was printed since a date, or 10m, 2h, 3d ago")
    parser.add_argument("--attempt", type=int, default=0, metavar="N", help="only what this attempt printed (from 1)")
    parser.add_argument("--grep", metavar="REGEX", help="only lines that match; case counts")
    parser.add_argument("--save", action="store_true", help="keep the log, and its checksum in the record")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the log."""
    context = session.context
    child = _CHILD.fullmatch(args.what)
    snapshot, told = either(context, child[1] if child else args.what)
    if not told:
        raise UsageError(f"{snapshot.tag} has no runs", hint=f"git rvexp submit {snapshot.tag} -- CMD")
    found = Found(snapshot, told[-1])
    executors = Executors(context)
    part = _part(args, child[2] if child else "", context.ledger.now())
    try:
        lines = lines_of(context, found, executors, part, follow=args.follow)
        if args.save:
            kept = keep(context, found, lines, part.index)
            session.speaker.result(str(kept.path))
            where = f"here and at {kept.uri}" if kept.uri else "here only: no store is configured"
            session.speaker.say(f"kept {kept.lines} lines, {kept.digest}, {where}")
            return 0
        count, shown = _print(lines, args.grep, session)
        if not shown:
            session.speaker.say(f"none of {count} lines matches" if count else why_nothing(found, executors))
    except KeyboardInterrupt:
        session.speaker.say(f"the run goes on; git rvexp logs -f {found.run.run} comes back to it")
        return INTERRUPTED
    return 0


def _part(args: argparse.Namespace, index: str, now: dt.datetime) -> Part:
    if args.attempt < 0:
        raise UsageError("--attempt takes a number from 1 on")
    part = Part(index, since(args.since, now).timestamp() if args.since else 0, args.attempt)
    if args.save and not part.whole:
        raise UsageError("--save keeps a whole log: it goes with neither --since nor --attempt")
    return part


def _print(lines: Iterable[str], grep: str | None, session: Session) -> tuple[int, int]:
    """How many lines there were, and how many of them were wanted."""
    try:
        wanted = re.compile(grep or "")
    except re.error as why:
        raise UsageError(f"--grep {grep!r} is not a regular expression: {why}") from why
    count = shown = 0
    for line in lines:
        count += 1
        if wanted.search(line):
            shown += 1
            # A terminal obeys what it is shown; a program gets the bytes.
            session.speaker.raw(printable(line) if session.speaker.terminal else line)
    return count, shown
