"""Stop runs: a run, a whole chain, or all runs of a snapshot that have not ended. Who wanted it and why is recorded.

An array is stopped with all its jobs. Steps of a chain that were not handed over yet are withdrawn. Exit 0 when all
have stopped, 8 when one takes longer than --timeout.
"""

import argparse

from git_rvexp.commands.session import Session
from git_rvexp.errors import RvexpError
from git_rvexp.git.tags import person
from git_rvexp.workflow.chain.meant import meant
from git_rvexp.workflow.chain.record import chosen
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import Patience
from git_rvexp.workflow.following.stopping import stop
from git_rvexp.workflow.looking.moments import span
from git_rvexp.workflow.looking.reasons import why

READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("what", metavar="TAG|RUN|CHAIN", help="a snapshot, a run id, a job id, or a chain's name")
    parser.add_argument("--chain", action="store_true", help="the whole chain that this run is a step of")
    parser.add_argument("--reason", default="cancelled by its user", help="kept in the record and told to the executor")
    parser.add_argument("--timeout", metavar="SPAN", default="2m", help="how long to look that it stops (default 2m)")


def run(args: argparse.Namespace, session: Session) -> int:
    """Stop them and print how each ended."""
    context = session.context
    patience = Patience(context.ledger.sleep, span(args.timeout))
    runs = chosen(context, args.what).found if args.chain else meant(context, args.what)
    pending = [f for f in runs if not f.run.phase.over]
    if not pending:
        raise RvexpError(f"nothing to stop: no run of {args.what} is under way", hint="git rvexp status")
    for found, state in stop(context, pending, Executors(context), args.reason, str(person(context.repo)), patience):
        session.speaker.result(f"{found.run.run}\t{found.run.word}\t{why(state)}")
    return 0
