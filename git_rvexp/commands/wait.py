"""Wait until runs have ended; exit 0 when they succeeded, 1 when one did not, 8 when the time is up.

TAG or CHAIN means all its runs, and those that had ended before count too. Without an argument: those of my newest
snapshot. Ctrl-C leaves the runs alone.
"""

import argparse

from git_rvexp.commands.session import Session
from git_rvexp.errors import Interrupted, UsageError
from git_rvexp.workflow.chain.meant import its_turn, meant
from git_rvexp.workflow.choose import reread
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import Patience, until_over, verdict
from git_rvexp.workflow.looking.moments import span
from git_rvexp.workflow.looking.reasons import ending

READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        "what", metavar="TAG|RUN|CHAIN", nargs="?", default="@", help="a snapshot, a run, a job or a chain"
    )
    parser.add_argument("--timeout", metavar="SPAN", default="", help="give up (exit 8) after 90s, 10m, 2h …")


def run(args: argparse.Namespace, session: Session) -> int:
    """Wait, and print how each run ended."""
    context = session.context
    found = meant(context, args.what)
    if not found:
        raise UsageError(f"{args.what} has no runs", hint=f"git rvexp submit {args.what} -- CMD")
    executors = Executors(context)
    patience = Patience(context.ledger.sleep, span(args.timeout) if args.timeout else 0)
    codes = []
    for each in found:
        try:
            state = until_over(context, its_turn(context, each, patience), executors, patience)
        except KeyboardInterrupt as why:
            raise Interrupted.going_on(each.run.run) from why
        told = reread(context, [each])[0].run  # somebody may have cancelled it meanwhile
        session.speaker.result("\t".join(t for t in (told.run, *ending(told, state)) if t))
        codes.append(verdict(state))
    return max(codes)
