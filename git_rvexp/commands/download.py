"""Copy what a run left at its declared outputs to a folder here: out of its ended container, or from S3.

Of a snapshot it is the newest run. Each file is held against the record: only what is as the run left it is copied, of
S3 the version that was listed when the run ended. What has changed since, or is gone, is named and makes the exit code
1. A file that is here and the same is kept; one that differs is named, and never written over. Links are not made.
Without -o the files go to rvexp/outputs/RUN in the clone's git directory. stdout is the folder.
"""

import argparse

from git_rvexp.commands import TARGET
from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO

TYPE_CHECKING = False  # as typing has it, which takes 2 ms to load; checkers know the name
if TYPE_CHECKING:
    from git_rvexp.workflow.downloading.download import Downloaded

_SHOWN = 20
READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("what", metavar="TAG|RUN", nargs="?", default="@", help=TARGET)
    where = "the folder, made if need be, instead of one in the git directory"
    parser.add_argument("-o", "--output", metavar="DIR", default="", help=where)


def run(args: argparse.Namespace, session: Session) -> int:
    """Copy it, tell what became of it, print where it is."""
    from git_rvexp.workflow.downloading.download import download  # noqa: PLC0415  -h needs none of it
    from git_rvexp.workflow.downloading.ended import ended  # noqa: PLC0415  as above
    from git_rvexp.workflow.resultfile import writing  # noqa: PLC0415  as above
    from git_rvexp.workflow.snapshotting.written import tell  # noqa: PLC0415  as above

    context = session.context
    found = ended(context, args.what)
    own = context.repo.state_dir / "outputs" / found.run.run
    top = session.cwd / args.output if args.output else own
    with writing(top):
        top.mkdir(parents=True, exist_ok=True)
    done = download(context, found, top)
    _tell(session, done)
    tell(context, top, "a folder outside keeps it as it is, and so does a download without -o")
    session.speaker.result(args.output or str(own))
    if not done.wrong:
        return DONE
    more = [f"  … and {len(done.wrong) - _SHOWN} more"] if len(done.wrong) > _SHOWN else []
    listed = "\n".join([*(f"  {line}" for line in done.wrong[:_SHOWN]), *more])
    hint = f"git rvexp verify {found.run.run}"
    session.speaker.error(f"not all that run {found.run.run} left is in {args.output or own}\n{listed}", hint)
    return NO


def _tell(session: Session, done: "Downloaded") -> None:
    say = session.speaker.say
    say(f"{done.new} file(s) are new here" + (f", {done.kept} were here already" if done.kept else ""))
    if done.links:
        say(f"links are not made: {', '.join(done.links[:3])}{', …' if len(done.links) > 3 else ''}")
    if done.unnamed:
        say(f"{done.unnamed} more file(s) are there that the run did not leave, and stay there")
