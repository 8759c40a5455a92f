"""Show where runs stand: those that have not ended, and those of the last day.

From this clone's record, at once: a job that has ended since stays submitted here until somebody asks. --refresh (-r)
asks the executors, of runs that other clones submitted too, and writes down the outcome of what has ended; runs that
other clones recorded come with git rvexp sync. With --exit-status: 8 while anything is pending, else 1 when anything
failed, else 0.
"""

import argparse
import json

from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO, PENDING
from git_rvexp.workflow.choose import reread
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.harvest import Look, complete, refresh
from git_rvexp.workflow.following.standing import Standing, chains, chosen, stale, standings
from git_rvexp.workflow.reconcile import settle_and_tell

_HEAD = ("run", "snapshot", "executor", "state", "note")
_PAUSE = 15.0
_NOTHING = "nothing runs, and nothing ran in the last day; git rvexp sync brings what other clones have recorded"
_NARROW = 60  # columns; below, a nickname has to do for the whole tag
READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        "what", metavar="TAG|RUN|CHAIN", nargs="?", default="", help="a snapshot, a run, a job or a chain"
    )
    parser.add_argument("-r", "--refresh", action="store_true", help="ask the executors")
    parser.add_argument("-w", "--watch", action="store_true", help="ask again every 15 seconds until all have ended")
    parser.add_argument("--exit-status", action="store_true", help="tell by the exit code")
    parser.add_argument("--json", action="store_true", help="one JSON document (with --watch one a line)")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print where runs stand."""
    context = session.context
    executors = Executors(context)
    while True:
        shown = _shown(context, args.what, executors, ask=args.refresh or args.watch)
        _tell(shown, args, session)
        if not args.json:
            for name, lines in chains(context, shown):
                session.speaker.say("\n".join([f"chain {name}", *(f"  {line}" for line in lines)]))
        pending = any(s.pending for s in shown)
        if not args.watch or not pending:
            break
        context.ledger.sleep(_PAUSE)
    if pending and not args.refresh and not args.watch:
        asking = f"git rvexp status -r {args.what}".rstrip()
        session.speaker.say(f"as last recorded; {asking} asks where they stand now, and writes down what has ended")
    return _code(shown) if args.exit_status else DONE


def _shown(context: Context, text: str, executors: Executors, *, ask: bool) -> list[Standing]:
    found = chosen(context, text)
    look = Look()
    if ask:
        open_ones = {f.snapshot.oid: f.snapshot for f in found if f.run.phase.open}
        settle_and_tell(context, open_ones.values(), executors)
        found = reread(context, found)
        complete(context, found, executors)
        look = refresh(context, found, executors)
        found = reread(context, found)
    warning = stale(context, found)
    if warning:
        context.warn(warning)
    return standings(found, look)


def _tell(shown: list[Standing], args: argparse.Namespace, session: Session) -> None:
    if args.json and args.watch:
        session.speaker.result(json.dumps({"schema": "rvexp.status/1", "runs": [s.fields() for s in shown]}))
    elif args.json:
        session.speaker.document("rvexp.status/1", {"runs": [s.fields() for s in shown]})
    else:
        narrow = session.speaker.terminal and session.speaker.columns < _NARROW
        session.speaker.table(_HEAD, [_cells(s, narrow=narrow) for s in shown], spare=("executor",), flowing=True)
        if not shown:
            session.speaker.say(_NOTHING if not args.what else "no runs")
    untold = {s.untold for s in shown if s.untold}
    for why in sorted(untold):
        session.speaker.warn(f"some runs could not be asked about: {why}")


def _cells(standing: Standing, *, narrow: bool) -> tuple[str, ...]:
    run = standing.found.run
    tag = standing.found.snapshot.tag or "(no snapshot)"
    tag = tag.rpartition("/")[2] if narrow else tag
    return (run.run, tag, run.executor, standing.word, standing.note() or "-")


def _code(shown: list[Standing]) -> int:
    if any(s.pending for s in shown):
        return PENDING
    return NO if any(s.word != "ok" for s in shown) else DONE
