"""Write an experiment in a form that others read: a crate, a statement, a bundle, JSON, or a citation.

ro-crate: a Process Run Crate, of a chain a Workflow Run Crate; a zip (or only its metadata, to a name ending in .json
or to stdout). slsa: an in-toto statement with SLSA provenance, of the image, or of what a RUN wrote. bundle: one file
with everything that a repeat needs; see `git rvexp import`. json: all that is recorded (rvexp.export/1). citation:
CITATION.cff. The same record gives the same bytes; no file is ever written over.
"""

import argparse
import tempfile
from pathlib import Path

from git_rvexp.commands import TARGET
from git_rvexp.commands.session import Session
from git_rvexp.errors import UsageError

TYPE_CHECKING = False  # as typing has it, which takes 2 ms to load; checkers know the name
if TYPE_CHECKING:
    from git_rvexp.workflow.exporting.subject import Subject

FORMATS = ("ro-crate", "slsa", "bundle", "json", "citation")
BUNDLE = FORMATS[2]
_STDOUT = "-"
READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    told = f"a chain, {TARGET}"
    parser.add_argument("what", metavar="TAG|RUN|CHAIN", nargs="?", default="@", help=told)
    parser.add_argument("--format", choices=FORMATS, required=True, help="which form")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default=_STDOUT,
        help="where to; default: stdout, which for a bundle is no terminal",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """Make it and write it; stdout is the form itself, or the file's name."""
    from git_rvexp.workflow.exporting import formats  # noqa: PLC0415  -h needs none of it
    from git_rvexp.workflow.exporting.subject import subject  # noqa: PLC0415  as above
    from git_rvexp.workflow.resultfile import refuse_taken, written  # noqa: PLC0415  as above

    path = Path(session.cwd / args.output)
    if args.output != _STDOUT:
        refuse_taken(path)
    about = subject(session.context, args.what)
    if args.format == BUNDLE:
        _bundle(args, about, session)
        return 0
    if args.output == _STDOUT:
        session.speaker.stream([formats.text(about, args.format).encode()])
        return 0
    if args.format == "ro-crate" and path.suffix != ".json":
        made = formats.crate_zip(about)
    else:
        made = formats.text(about, args.format).encode()
    written(path, [made])
    _tell(args, session, path)
    return 0


def _bundle(args: argparse.Namespace, about: "Subject", session: Session) -> None:
    from git_rvexp.progress import passing  # noqa: PLC0415  -h needs none of it
    from git_rvexp.workflow.carrying.bundling import pieces  # noqa: PLC0415  loads docker
    from git_rvexp.workflow.resultfile import writing, written  # noqa: PLC0415  as above

    if args.output == _STDOUT:
        if session.speaker.terminal:
            raise UsageError("a bundle is not for a terminal", hint="git rvexp export TAG --format bundle -o FILE")
        with tempfile.TemporaryDirectory(prefix="rvexp-") as folder, writing(Path(folder)):
            session.speaker.stream(pieces(about, Path(folder)))
        return
    path = Path(session.cwd / args.output)
    with writing(path), tempfile.TemporaryDirectory(prefix=".rvexp-", dir=path.parent) as folder:
        made = pieces(about, Path(folder))
        with about.context.progress(f"writing {path.name}", 0, "") as step:
            written(path, passing(made, step))
    _tell(args, session, path)


def _tell(args: argparse.Namespace, session: Session, path: Path) -> None:
    from git_rvexp.workflow.snapshotting.written import tell  # noqa: PLC0415  -h needs none of it

    tell(session.context, path, "-o with a place outside keeps it as it is")
    session.speaker.result(args.output)
