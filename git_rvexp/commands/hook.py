"""Install, remove and look at the hooks that guard and publish snapshots.

Hooks that are there already stay and run after ours.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO, RvexpError, UsageError
from git_rvexp.git import hooks
from git_rvexp.git.hooks import HookState
from git_rvexp.git.tags import snapshots
from git_rvexp.record.events import stamp

EPILOG = """\
install            put the hooks in this clone; with --publish-on-push, a plain
                   `git push experiments TAG` publishes TAG in the background
install --server   make the bare repository at PATH append-only for snapshots
                   and their record
uninstall          take them away; the next snapshot does not put them back
status             print where each is
post-push TAG      publish a snapshot that was pushed by hand; a hook calls it
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    what = "put them in, take them away, tell where each is; post-push publishes a TAG that was pushed by hand"
    parser.add_argument("action", choices=("install", "uninstall", "status", "post-push"), help=what)
    parser.add_argument("tag", nargs="?", default="", metavar="TAG", help="for post-push: the snapshot")
    parser.add_argument("--server", type=Path, metavar="PATH", help="the bare repository at PATH, not this clone")
    parser.add_argument(
        "--publish-on-push",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether a plain `git push experiments TAG` publishes TAG",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """Do it; `status` is 1 when a hook is missing."""
    if bool(args.tag) != (args.action == "post-push"):
        raise UsageError("post-push takes a TAG, the others take none", hint="git rvexp hook -h")
    if args.server:
        return _server(args.action, args.server, session)
    if args.action == "post-push":
        return _post_push(args.tag, session)
    if args.action == "uninstall":
        hooks.uninstall(session.repo)
        session.speaker.say("hooks removed; `git push --tags` would now publish snapshots")
        return DONE
    if args.action == "status":
        return _show(hooks.states(session.repo, hooks.inspect(session.repo)), session)
    if args.publish_on_push is not None:
        hooks.publish_on_push(session.repo, _program(), wanted=args.publish_on_push)
    return _show(hooks.install(session.repo), session)


def _show(states: list[HookState], session: Session) -> int:
    session.speaker.table(("hook", "state", "where"), [(s.event, s.state, s.where) for s in states])
    for state in states:
        if state.remedy:
            session.speaker.warn(state.remedy)
    return DONE if all(s.fine for s in states) else NO


def _server(action: str, path: Path, session: Session) -> int:
    if not (path / "objects").is_dir() or not (path / "HEAD").is_file():
        raise UsageError(f"{path} is not a bare repository", hint="git init --bare PATH")
    if action == "uninstall":
        hooks.uninstall_server(path)
    elif action != "install":
        raise UsageError("--server goes with install or uninstall", hint="git rvexp hook -h")
    elif not hooks.install_server(path, publish=True):
        raise RvexpError(f"a hook in {path / 'hooks'} cannot be chained", hint="remove its .rvexp-next neighbour")
    session.speaker.say(f"{path}: hooks {action}ed")
    return DONE


def _post_push(tag: str, session: Session) -> int:
    found = snapshots(session.repo, [tag])
    if not found:
        raise UsageError(f"there is no snapshot {tag} in this clone", hint="git rvexp list")
    from git_rvexp.workflow.publish import publish  # noqa: PLC0415  loads the engine's and the registry's doors

    context = session.context
    context.say(f"{stamp(context.ledger.now())} publishing {tag}")
    published = publish(context, found[0])
    context.say(f"{stamp(context.ledger.now())} done {tag} {published.image} {published.definition}".rstrip())
    return DONE


def _program() -> str:
    """The file that runs us, for hooks that git starts where PATH may lack it."""
    named = Path(sys.argv[0]).resolve()
    return str(named) if named.is_file() and os.access(named, os.X_OK) else shutil.which("git-rvexp") or ""
