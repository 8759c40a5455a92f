"""Make the image of a snapshot on this machine, from the tag's own files. stdout is the image's id."""

import argparse

from git_rvexp.commands import arguments as shared
from git_rvexp.commands.session import Session
from git_rvexp.workflow import choose, publish


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    shared.tag(parser, optional=True)


def run(args: argparse.Namespace, session: Session) -> int:
    """Build (or find) it and print its id."""
    context = session.context
    image = publish.build(context, choose.snapshot(context, args.tag or "@"))
    session.speaker.say(f"tagged {image.tag}")
    session.speaker.result(image.ref)
    return 0
