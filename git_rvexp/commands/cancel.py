"""Stop runs: a run, or all runs of a snapshot that have not ended. Who wanted it and why is recorded.

Exit 0 when all have stopped, 8 when one takes longer than --timeout.
"""

import argparse

from git_rvexp.commands.session import Session
from git_rvexp.errors import RvexpError
from git_rvexp.git.tags import person
from git_rvexp.workflow.choose import Found, either
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.follow import Patience
from git_rvexp.workflow.following.stopping import stop
from git_rvexp.workflow.looking.moments import span
from git_rvexp.workflow.looking.reasons import why


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("what", metavar="TAG|RUN", help="a snapshot, a run id or a job id")
    parser.add_argument("--reason", default="cancelled by its user", help="kept in the record and told to the executor")
    parser.add_argument("--timeout", metavar="SPAN", default="2m", help="how long to look that it stops (default 2m)")


def run(args: argparse.Namespace, session: Session) -> int:
    """Stop them and print how each ended."""
    context = session.context
    patience = Patience(context.ledger.sleep, span(args.timeout))
    snapshot, told = either(context, args.what)
    pending = [Found(snapshot, r) for r in told if not r.phase.over]
    if not pending:
        raise RvexpError(f"nothing to stop: no run of {args.what} is under way", hint=f"git rvexp status {args.what}")
    executors, by = Executors(context), str(person(context.repo))
    for found in pending:
        state = stop(context, found, executors, args.reason, by, patience)
        session.speaker.result(f"{found.run.run}\t{state.phase.value}\t{why(state)}")
    return 0
