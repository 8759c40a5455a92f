"""Fetch and push snapshots and records, and settle open runs.

Nothing is overwritten on either side. A tag that moved or a record that was rewritten on the remote is an alarm
with both ids; --accept goes on after somebody has looked. A tag that moved in this clone is an alarm with the command
that puts it back. --foreign also lists jobs that run on our job definitions and that no record names; --adopt JOB puts
one of them on record.
"""

import argparse

from git_rvexp.commands.session import Session
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.sync import sync


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--accept", action="store_true", help="go on although the remote's history was rewritten")
    parser.add_argument("--foreign", action="store_true", help="list jobs on our definitions that no record names")
    parser.add_argument("--adopt", action="append", default=[], metavar="JOB", help="record such a job, by id or name")


def run(args: argparse.Namespace, session: Session) -> int:
    """Sync and tell what changed."""
    context = session.context
    done = sync(context, accept=args.accept)
    for word, tags in (("fetched", done.fetched), ("pushed", done.pushed)):
        for tag in tags:
            session.speaker.result(f"{word}\t{tag}")
    for settled in done.settled:
        session.speaker.result(f"run {settled.run}\t{settled.text}")
    if not (done.fetched or done.pushed or done.settled):
        session.speaker.say("everything is up to date")
    if args.foreign or args.adopt:
        _foreign(context, session, args.adopt)
    return 0


def _foreign(context: Context, session: Session, wanted: list[str]) -> None:
    """Adopt the foreign jobs that are wanted; with none wanted, list them all."""
    from git_rvexp.workflow.foreign import adopt, foreign  # noqa: PLC0415  loads botocore

    for text in wanted:
        session.speaker.result(f"run {adopt(context, text)}\tadopted {text}")
    found = [] if wanted else foreign(context)
    for one in found:
        listed = one.listed
        session.speaker.result(f"foreign\t{listed.job}\t{listed.status}\t{listed.name}\t{one.snapshot.tag}")
    if found:
        session.speaker.say("next: git rvexp sync --adopt JOB")
