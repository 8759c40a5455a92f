"""Fetch and push snapshots and records, and settle open runs.

Nothing is overwritten on either side. A tag that moved or a record that was rewritten on the remote is an alarm
with both ids; --accept goes on after somebody has looked.
"""

import argparse

from git_rvexp.commands.session import Session
from git_rvexp.workflow.sync import sync


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--accept", action="store_true", help="go on although the remote's history was rewritten")


def run(args: argparse.Namespace, session: Session) -> int:
    """Sync and tell what changed."""
    done = sync(session.context, accept=args.accept)
    for word, tags in (("fetched", done.fetched), ("pushed", done.pushed)):
        for tag in tags:
            session.speaker.result(f"{word}\t{tag}")
    for settled in done.settled:
        session.speaker.result(f"run {settled.run}\t{settled.text}")
    if not (done.fetched or done.pushed or done.settled):
        session.speaker.say("everything is up to date")
    return 0
