"""Build a snapshot's image, push it, register its job definition, and record each.

What is there already is found by its content: publishing again builds, pushes and registers nothing. stdout is the
image's reference by digest.
"""

import argparse

from git_rvexp.commands import arguments as shared
from git_rvexp.commands.session import Session
from git_rvexp.workflow.publish import publish
from git_rvexp.workflow.snapshotting import matching


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    shared.tag(parser, shared.MY_NEWEST)
    parser.add_argument(
        "--full", action="store_true", help="let the engine build the whole image, whatever image.code says"
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """Publish and print the reference."""
    context = session.context
    snapshot = matching.named_or_newest(context, args.tag, "published")
    published = publish(context, snapshot, full=args.full)
    if not context.settings.ecr_repo:
        done = "built" if published.fresh else "nothing new was built"
        session.speaker.say(f"no registry is set (ecr_repo): {done}; the image is in this machine's engine, not pushed")
    elif not published.fresh:
        session.speaker.say(f"{snapshot.tag} is published already: nothing was built, pushed or registered")
    if published.definition:
        session.speaker.say(f"definition {published.definition}")
    session.speaker.result(published.image)
    return 0
