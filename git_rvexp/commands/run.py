"""Run a command in a snapshot's image, here, now, in the foreground.

Terminal, signals and exit code are the command's own (125: docker itself failed). The code is the snapshot's: the work
tree is never mounted over it. Nothing is recorded; a run that must be proven is submitted.
"""

import argparse

from git_rvexp.commands import arguments as shared
from git_rvexp.commands.session import Session
from git_rvexp.errors import UsageError
from git_rvexp.workflow import links, planning, publish
from git_rvexp.workflow.foreground import Here, run_here
from git_rvexp.workflow.secrecy import requests
from git_rvexp.workflow.secrecy.refusing import SEEN_HERE, refuse

TAKES_COMMAND = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    shared.tag(parser, shared.THIS_WORK_TREE)
    parser.add_argument("-v", "--volume", action="append", default=[], metavar="S:D[:ro]", help="mount data")
    parser.add_argument("-p", "--port", action="append", default=[], metavar="H:C", help="publish a port")
    parser.add_argument("--gpus", default="", help='number of GPUs, "all", or "device=N" for one of them')
    shared.environment(parser)


def run(args: argparse.Namespace, session: Session) -> int:
    """Find or build the image and become the command."""
    command = shared.command(args, "run")
    context = session.context
    env = {**context.settings.job_env, **shared.pairs(args.env)}
    if not args.allow_secrets:
        refuse(context, requests.places(command, env), args.tag, SEEN_HERE)
    snapshot = planning.snapshot_of(context, args.tag, "run")
    if snapshot is None:
        raise UsageError("there is no snapshot of this work tree to run", hint="git rvexp snapshot NICKNAME")
    image = publish.image_for_run(context, snapshot)
    told = {"RVEXP_TAG": snapshot.tag, "RVEXP_COMMIT": snapshot.commit, "RVEXP_IMAGE": image}
    here = Here(
        image=image,
        command=command,
        env=links.foreground(context, {**env, **told}, args.secret_env),
        env_names=tuple(args.secret_env),
        volumes=tuple(args.volume),
        ports=tuple(args.port),
        gpus=args.gpus,
    )
    run_here(here, context.repo.top, session.cwd, session.environ, context.settings, context.say, context.progress)
