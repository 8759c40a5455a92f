"""Record the work tree as an immutable tag and push it to the experiments remote.

The tag is <initials>/<project>/<yyyy-mm-dd>/NICK on a new commit on top of HEAD. The work tree, the index, HEAD,
branches and file times stay as they are. An existing name is never replaced.
"""

import argparse

from git_rvexp.commands.session import Session
from git_rvexp.errors import PendingError
from git_rvexp.quoting import quoted
from git_rvexp.workflow.snapshotting.naming import Request
from git_rvexp.workflow.snapshotting.report import report
from git_rvexp.workflow.snapshotting.take import Draft, drafted, take


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("nickname", metavar="NICK", help="the last part of the name: a-z, 0-9 and '-'")
    parser.add_argument("-m", "--message", default="", help="the tag's message")
    parser.add_argument("--project", default="", help="instead of the configured project")
    parser.add_argument("--initials", default="", help="instead of the configured initials")
    parser.add_argument("--date", default="", help="yyyy-mm-dd instead of today")
    parser.add_argument("--no-push", action="store_true", help="keep it in this clone until the next sync")
    about = "record their commit, or embed their files; instead of snapshot.submodules"
    parser.add_argument("--submodules", choices=("record", "embed"), default="", help=about)
    parser.add_argument("--allow-secrets", action="store_true", help="take it though something in it looks secret")
    parser.add_argument("-n", "--dry-run", action="store_true", help="list what goes in, what stays out and why")


def run(args: argparse.Namespace, session: Session) -> int:
    """Take it and print its tag."""
    request = Request(
        nickname=args.nickname,
        message=args.message,
        project=args.project,
        initials=args.initials,
        date=args.date,
        push=not args.no_push,
        submodules=args.submodules,
        allow_secrets=args.allow_secrets,
        folder=_folder(session),
    )
    if args.dry_run:
        with drafted(session.context, request) as plan:
            _tell(session, plan)
        return 0
    taken = take(session.context, request)
    session.speaker.result(taken.snapshot.tag)
    if taken.pending:
        raise PendingError(f"{taken.snapshot.tag} is recorded here; its push is pending", hint="git rvexp sync")
    if taken.buildable:
        session.speaker.say(f"next: git rvexp submit{session.context.config.flag} -- CMD")
    return 0


def _folder(session: Session) -> str:
    """Where in the tree the user stands; "" for its top."""
    here, top = session.cwd, session.repo.top
    return here.relative_to(top).as_posix() if top in here.parents else ""


def _tell(session: Session, draft: Draft) -> None:
    session.speaker.result(f"would tag {draft.name}: {draft.work.changes}")
    for row in report(draft.place, draft.work):
        session.speaker.result(f"  {row.word:<9} {quoted(row.path)}" + (f"  {row.note}" if row.note else ""))
