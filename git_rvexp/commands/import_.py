"""Take in what `git rvexp export --format bundle` wrote: a snapshot, its record, and its image.

Every byte of the file is proven before anything is written; a file that was cut, changed or made up is refused. The
image goes to this machine's engine, the tag and the record into this clone (git init makes one), so that `git rvexp
repeat` works without any remote. What is here already is never replaced. stdout is the tag.
"""

import argparse
from pathlib import Path

from git_rvexp.commands.session import Session


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("file", metavar="FILE", help="the bundle")
    parser.add_argument("--no-image", action="store_true", help="leave the image out: no engine is needed")


def run(args: argparse.Namespace, session: Session) -> int:
    """Prove it, take it in, and print its tag."""
    from git_rvexp.workflow.carrying.taking import take  # noqa: PLC0415  -h needs none of it

    done = take(session.context, Path(session.cwd / args.file), image=not args.no_image)
    if not (done.new_tag or done.new_image):
        session.speaker.say("the snapshot and its image were here already; its record was merged")
    session.speaker.result(done.tag)
    session.speaker.say(f"next: git rvexp repeat {done.tag} --wait")
    return 0
