"""Run several steps that depend on one another, on one snapshot.

FILE holds [[step]] tables: name, command, after, array and what a run may ask for (docs/chains.md). The whole plan is
recorded and pushed before the first step is submitted. AWS Batch gets all steps at once. A Docker engine has no
scheduler, so there this command drives the chain until its end; after Ctrl-C what runs goes on, and --resume goes on
with the rest. stdout is the chain's name.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from git_rvexp.commands import arguments as shared
from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO, RvexpError, UsageError
from git_rvexp.model import JobState, Json
from git_rvexp.workflow.chain import file as chain_file
from git_rvexp.workflow.chain import record as chain_record
from git_rvexp.workflow.chain.drive import resume, start
from git_rvexp.workflow.chain.picture import picture
from git_rvexp.workflow.chain.plan import Options, check
from git_rvexp.workflow.chain.record import Chain
from git_rvexp.workflow.chain.steps import Step
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.repeating.borrowed import Leave
from git_rvexp.workflow.repeating.pinning import asked

_NEWEST = "@"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("file", metavar="FILE", nargs="?", default="", help="the chain's TOML file")
    parser.add_argument("tag", metavar="TAG", nargs="?", default="", help="a snapshot; default: this work tree's")
    resuming = "go on after a crash or a failed step; default: this clone's newest"
    parser.add_argument("--resume", metavar="CHAIN", nargs="?", const=_NEWEST, help=resuming)
    parser.add_argument("--wait", action="store_true", help="follow to the end; exit 0 when all steps succeed, else 1")
    parser.add_argument("-n", "--dry-run", action="store_true", help="draw the chain; start and record nothing")
    parser.add_argument("--queue", help="job queue of steps that name none, instead of batch_queue")
    parser.add_argument("--executor", choices=("docker", "batch"), help="instead of the configured one")
    named = "a secret, by name only; with --resume, one that steps which somebody else planned may have"
    shared.secret_environment(parser, named)
    stands = "with --resume: use images, queues and roles of somebody else's steps, though your settings name others"
    parser.add_argument("--trust-record", action="store_true", help=stands)
    shared.allow_secrets(parser)
    shared.pinning(parser)
    parallel = "children of an array at a time, on docker; default: as many as fit"
    parser.add_argument("--parallel", type=int, default=0, metavar="N", help=parallel)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace, session: Session) -> int:
    """Start or resume the chain, and follow it where asked or needed."""
    if bool(args.file) == bool(args.resume):
        raise UsageError("a chain needs a FILE to start, or --resume to go on", hint="git rvexp chain chain.toml")
    if args.parallel < 0:
        raise UsageError("--parallel is the number of children that may run at a time")
    steps = () if args.resume else chain_file.read(Path.cwd() / args.file, args.file)
    if args.dry_run:
        return _draw(args, session, steps)
    story = _Story(session, args)
    pinned = {"run.pin_inputs": asked(session.context)} if args.pin_inputs else {}
    context = session.with_flags({"batch_queue": args.queue, "executor": args.executor, **pinned})
    shared.warn_unused(session, context.settings, {"--queue": args.queue})
    try:
        chain = _run(args, context, steps, story)
    except RvexpError:
        if story.left:
            session.speaker.say(story.left)
        raise
    return story.end(chain)


def _run(args: argparse.Namespace, context: Context, steps: tuple[Step, ...], story: "_Story") -> Chain:
    if args.resume:
        chain = chain_record.chosen(context, "" if args.resume == _NEWEST else args.resume)
        story.left = chain.left
        leave = Leave(tuple(args.secret_env), args.trust_record)
        return resume(context, chain, story.tell, leave, follow=args.wait)
    return start(context, steps, args.tag, _options(args, context), story.tell, follow=args.wait)


def _options(args: argparse.Namespace, context: Context) -> Options:
    file = chain_file.place(Path.cwd() / args.file, context.repo.top)
    return Options(tuple(args.secret_env), args.parallel, args.allow_secrets, file)


def _draw(args: argparse.Namespace, session: Session, steps: tuple[Step, ...]) -> int:
    states: Mapping[str, str] = {}
    content: Mapping[str, Json] = {
        "steps": [{"step": s.name, "command": s.command, "array": s.array, "after": s.parents} for s in steps]
    }
    if args.resume:
        chain = chain_record.chosen(session.context, "" if args.resume == _NEWEST else args.resume)
        steps, states, content = chain.steps, chain.summary({}), chain.fields()
    else:
        check(session.context, steps, args.tag, _options(args, session.context))
    if args.json:
        session.speaker.document("rvexp.chain/1", content)
        return DONE
    for line in picture(steps, states):
        session.speaker.result(line)
    return DONE


class _Story:
    """Tells the chain's name as soon as it is recorded, then each step's changes, and draws the picture at the end."""

    def __init__(self, session: Session, args: argparse.Namespace) -> None:
        self._speaker = session.speaker
        self._args = args
        self._said: dict[str, str] = {}
        self.left = ""  # what is told when the command fails; nothing before there is a chain

    def tell(self, chain: Chain, states: Mapping[str, JobState]) -> None:
        """One line for each step that changed."""
        if not self._said:
            self.left = chain.left
            self._speaker.say(f"chain {chain.name} of {chain.snapshot.tag or 'no snapshot'} on {chain.executor}")
            if not self._args.json:
                self._speaker.result(chain.name)
        for step, (word, note) in chain.told(states).items():
            if self._said.get(step) != word:
                self._speaker.say(f"{step}: {word}" + (f"  {note}" if note else ""))
            self._said[step] = word

    def end(self, chain: Chain) -> int:
        """The picture or the document, and the exit code."""
        if self._args.json:
            self._speaker.document("rvexp.chain/1", chain.fields())
        for line in picture(chain.steps, chain.summary({})):
            self._speaker.say(line)
        if not chain.over:
            self._speaker.say(f"next: git rvexp chain --resume {chain.name} --wait")
            return DONE
        if not chain.succeeded:
            self._speaker.say(f"next: git rvexp chain --resume {chain.name}")
        return DONE if chain.succeeded else NO
