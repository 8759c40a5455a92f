"""Make the image of a snapshot on this machine, from the tag's own files. stdout is the image's id.

With --reproduce make the published image again, without an engine and without sending anything, and say whether its
digest is the recorded one (exit code 1 if not). stdout is the digest.
"""

import argparse

from git_rvexp.commands import arguments as shared
from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO
from git_rvexp.workflow import choose, publish


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    shared.tag(parser, optional=True)
    parser.add_argument("--reproduce", action="store_true", help="make the published image again and compare digests")


def run(args: argparse.Namespace, session: Session) -> int:
    """Build (or find) it and print its id; or reproduce it and print its digest."""
    context = session.context
    snapshot = choose.snapshot(context, args.tag or "@")
    if args.reproduce:
        from git_rvexp.workflow.building.reproduce import reproduce  # noqa: PLC0415  not needed for a build

        found = reproduce(context, snapshot)
        session.speaker.say(f"{'the same as' if found.same else 'NOT the same as'} the recorded {found.ref}")
        session.speaker.result(str(found.made))
        return DONE if found.same else NO
    image = publish.build(context, snapshot)
    session.speaker.say(f"tagged {image.tag}")
    session.speaker.result(image.ref)
    return 0
