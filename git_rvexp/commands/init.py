"""Set up this clone: the experiments remote, the settings file, the guard against publishing snapshots by accident.

On a terminal it asks at most four questions, none of which needs an answer: without any, snapshots are kept inside
this clone and runs happen on this machine. Each question has an option. Running it again changes nothing that is as
it should be. An existing .rvexp.toml is changed by line; its comments stay. At the end the experiments remote is
asked once whether it answers; that it does not is a warning.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

from git_rvexp.commands.session import Session
from git_rvexp.git import remote
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.preparing import finding, setup, trust


@dataclass(frozen=True)
class Question:
    """One thing to ask: its setting, its option, what to say, and what could be offered."""

    key: str
    flag: str
    text: str
    offers: Callable[[Settings], list[str]] | None = None


QUESTIONS = (
    Question("experiments_remote", "remote", "private git URL for snapshots (empty: keep them in this clone)"),
    Question("batch_queue", "queue", "AWS Batch job queue (empty: run on this machine)", finding.queues),
    Question("batch_job_def_name", "job_def", "job definition to start from (empty: make one)", finding.definitions),
    Question("ecr_repo", "ecr_repo", "registry/repository for images", finding.repositories),
)
_ONLY_ON_BATCH = ("batch_job_def_name", "ecr_repo")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--remote", metavar="URL", help="private git URL that snapshots and notes go to")
    parser.add_argument("--queue", help="AWS Batch job queue; without one runs happen on this machine")
    parser.add_argument("--job-def", metavar="NAME", help="Batch job definition that ours are derived from")
    parser.add_argument("--ecr-repo", metavar="REPO", help="registry/repository that images are pushed to")
    parser.add_argument("-y", "--yes", action="store_true", help="ask nothing, take what is configured or found")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be written; write nothing")
    parser.add_argument(
        "--confirm", action="store_true", help="stand by where a tracked .rvexp.toml sends code, secrets and money"
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """Ask, show, and do it."""
    asking = sys.stdin.isatty() and not (args.yes or args.quiet)
    _settle_trust(session, confirm=args.confirm and not args.dry_run, asking=asking and not args.dry_run)
    context = session.context
    answers = {q.key: value for q in QUESTIONS if (value := getattr(args, q.flag)) is not None}
    if asking:
        context.trusted()
        answers |= _asked(session, context, answers)
    answers = {key: value for key, value in answers.items() if _differs(context, key, value)}
    wanted = setup.change(context, answers)
    answered = session.with_flags(answers)
    if not args.dry_run:
        answered.trusted()
    _show(session, wanted, dry=args.dry_run)
    if args.dry_run:
        return 0
    setup.apply(answered, wanted, lambda: session.with_flags({}))
    session.speaker.say("next: git rvexp snapshot NICK")
    return 0


def _settle_trust(session: Session, *, confirm: bool, asking: bool) -> None:
    """Show what a tracked file chooses; remember it with --confirm or a yes. Without either `trusted` will refuse."""
    context = session.context
    values = trust.unconfirmed(context)
    if not values or not (confirm or asking):
        return
    session.speaker.say("a tracked file chooses where code, secrets or money go:")
    for line in trust.told(context, values):
        session.speaker.say(line)
    if confirm or _answer(session, "are these yours? [y/N]").lower() in ("y", "yes"):
        trust.confirm(context)
        session.speaker.say("confirmed for this clone, as long as they stay as they are")


def _asked(session: Session, context: Context, given: dict[str, str]) -> dict[str, str]:
    """Answers to the questions whose setting nobody has chosen yet."""
    answers: dict[str, str] = {}
    aws = finding.set_up(context.settings, session.environ)
    for question in QUESTIONS:
        queue = answers.get("batch_queue") or given.get("batch_queue") or context.settings.batch_queue
        if question.key in given or _known(context, question.key):
            continue
        if question.key in _ONLY_ON_BATCH and not queue:
            continue
        offers = question.offers(context.settings) if question.offers and aws else []
        if offers:
            session.speaker.say(f"  found: {', '.join(offers)}")
        default = offers[0] if len(offers) == 1 and question.key in _ONLY_ON_BATCH else ""
        text = _answer(session, f"{question.text}{f' [{default}]' if default else ''}:") or default
        if text:
            answers[question.key] = text
    return answers


def _known(context: Context, key: str) -> bool:
    """Whether a setting is chosen, or the clone has its experiments remote already."""
    if key == "experiments_remote":
        chosen = bool(context.settings.github_experiment_repo) or key in context.config.origins
        return chosen or bool(remote.urls(context.repo, remote.NAME))
    return key in context.config.origins


def _differs(context: Context, key: str, value: str) -> bool:
    return bool(value != getattr(context.settings, key))


def _answer(session: Session, text: str) -> str:
    session.speaker.ask(text)
    return sys.stdin.readline().strip()


def _show(session: Session, wanted: setup.Change, *, dry: bool) -> None:
    if wanted.after == wanted.before:
        session.speaker.say(f"{wanted.path} stays as it is")
        return
    verb = "would write" if dry else "writing"
    kind = "" if wanted.before else " (new; every setting is shown in it, commented out)"
    session.speaker.say(f"{verb} {wanted.path}{kind}")
    for line in wanted.lines:
        session.speaker.say(f"  {line}")
