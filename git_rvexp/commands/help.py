"""Show help for a verb, the same as its -h. The man page is shown by `git rvexp --help`."""

import argparse
import difflib

from git_rvexp.commands import VERBS, overview
from git_rvexp.commands.parsing import load, parser_of
from git_rvexp.commands.session import Session
from git_rvexp.errors import UsageError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("verb", nargs="?", metavar="VERB", default="", help="default: all verbs in one line each")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print it."""
    if not args.verb:
        session.speaker.result(overview())
        return 0
    if args.verb not in VERBS:
        near = difflib.get_close_matches(args.verb, VERBS, n=1)
        raise UsageError(
            f"there is no verb {args.verb!r}", hint=f"git rvexp help {near[0]}" if near else "git rvexp help"
        )
    session.speaker.result(parser_of(args.verb, load(args.verb)).format_help().rstrip())
    return 0
