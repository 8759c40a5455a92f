"""Make a page of an experiment, or of all of them, to look at and to hand over.

The page is one file: it loads nothing, runs nothing, prints well, and carries the record it was made from, so that
`git rvexp verify --report FILE` can hold it against the record later. Checks are made today; --check 0 makes none. With
--public it leaves out the fields that the setting report.private names, and their values wherever else they stand.
Without -o the page goes to rvexp/reports in the clone's git directory, as TAG.html (with _ for /) or experiments.html,
so that the work tree stays what its snapshot holds. Another file is never written over.
"""

import argparse
import datetime as dt
from pathlib import Path

from git_rvexp.commands import TARGET
from git_rvexp.commands.session import Session
from git_rvexp.errors import UsageError
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.resultfile import writing

_STDOUT = "-"
_NEWEST = 50
READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("what", metavar="TAG|RUN", nargs="?", default="", help=TARGET)
    parser.add_argument("-a", "--all", action="store_true", help="one page of all experiments")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="",
        help="where to write it, instead of the git directory; - is stdout",
    )
    parser.add_argument("--parent", metavar="TAG|RUN", default="", help="show what changed since this one")
    parser.add_argument("--public", action="store_true", help="leave out what report.private names")
    looked = f"look today at the N newest snapshots, or at all (default {_NEWEST})"
    parser.add_argument("--check", metavar="N", default=str(_NEWEST), help=looked)
    parser.add_argument("-f", "--force", action="store_true", help="write over a file that is not a report")


def run(args: argparse.Namespace, session: Session) -> int:
    """Make the page, write it, print where it is."""
    from git_rvexp.workflow.reporting.gather import Wish  # noqa: PLC0415  -h needs none of it

    if args.all and (args.what or args.parent):
        raise UsageError("--all takes no snapshot and no parent", hint="git rvexp report -h")
    context = session.context
    wish = Wish(context.ledger.now().astimezone(dt.UTC), args.public, args.parent, _count(args.check))
    if args.all:
        from git_rvexp.workflow.reporting import history  # noqa: PLC0415  as above

        name, page = "experiments", history.render(context, wish)
    else:
        from git_rvexp.workflow.reporting import experiment  # noqa: PLC0415  as above

        name, page = experiment.named(context, args.what or "@", wish)
    if args.output == _STDOUT:
        session.speaker.raw(page.removesuffix("\n"))
        return 0
    from git_rvexp.workflow.reporting.writing import write  # noqa: PLC0415  as above
    from git_rvexp.workflow.snapshotting.written import tell  # noqa: PLC0415  as above

    path = Path(args.output) if args.output else _kept(context, f"{name}.html")
    write(path, page, force=args.force)
    session.speaker.say(f"{len(page.encode()) // 1000 + 1} kB; open it in a browser")
    tell(context, path, "a place outside keeps it as it is, and so does a report without -o")
    session.speaker.result(str(path))
    return 0


def _kept(context: Context, name: str) -> Path:
    folder = context.repo.state_dir / "reports"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def _count(text: str) -> int:
    if text == "all":
        return 1 << 62
    if not text.isdecimal():
        raise UsageError(f"--check takes a number or all, not {text!r}", hint="git rvexp report -h")
    return int(text)
