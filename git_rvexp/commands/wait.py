"""Wait until runs have ended; exit 0 when they succeeded, 1 when one did not, 8 when the time is up.

TAG or CHAIN means all its runs, and those that had ended before count too. Without an argument: those of my newest
snapshot. Ctrl-C leaves the runs alone.
"""

import argparse
from collections.abc import Sequence

from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, Interrupted, UsageError
from git_rvexp.workflow.chain.meant import meant
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import Patience, verdict
from git_rvexp.workflow.following.together import ends
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
    """Wait, and print of each run how it ended, as soon as it has."""
    context = session.context
    found = meant(context, args.what)
    if not found:
        raise UsageError(f"{args.what} has no runs", hint=f"git rvexp submit {args.what} -- CMD")
    patience = Patience(context.ledger.sleep, span(args.timeout) if args.timeout else 0)
    code = DONE
    try:
        for ended, state in ends(context, found, Executors(context), patience):
            session.speaker.result("\t".join(t for t in (ended.run, *ending(ended, state)) if t))
            code = max(code, verdict(state))
    except KeyboardInterrupt as why:
        raise _going_on(found, args.what) from why
    return code


def _going_on(found: Sequence[Found], what: str) -> Interrupted:
    if len(found) == 1:
        return Interrupted.going_on(found[0].run.run)
    return Interrupted(f"what runs goes on; git rvexp wait {what} comes back to it")
