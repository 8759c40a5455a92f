"""Show everything recorded about a snapshot, or about one run: code, image, definition, plan, job, outcome.

On a terminal the variables that git rvexp sets itself are counted only, and long ones are cut; elsewhere all are whole.
Lines of the record that cannot be read are shown too, and make the exit code 1.
"""

import argparse
from collections.abc import Sequence

from git_rvexp.columns import cut
from git_rvexp.commands import TARGET
from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO
from git_rvexp.output import printable
from git_rvexp.record import absent
from git_rvexp.terms import Phase
from git_rvexp.workflow.choose import choice
from git_rvexp.workflow.looking.custody import Custody, custody, run_facts, to_download

READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("what", metavar="TAG|RUN", nargs="?", default="@", help=TARGET)
    parser.add_argument("--json", action="store_true", help="one JSON document, with the record's events whole")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print it."""
    whole = custody(choice(session.context, args.what))
    if args.json:
        session.speaker.document("rvexp.show/1", whole.fields())
    else:
        _tell(session, whole)
    return NO if whole.record.damaged else DONE


def _tell(session: Session, whole: Custody) -> None:
    _block(session, whole.facts(), "")
    for each in whole.runs:
        session.speaker.result("")
        session.speaker.result(f"{session.speaker.paint('run ' + each.run, 'bold')}  {each.word}")
        _block(session, run_facts(each, folded=session.speaker.terminal), "  ")
    if whole.record.damaged:
        session.speaker.result("")
        for damaged in whole.record.damaged:
            session.speaker.result(f"{session.speaker.mark('bad')} a line of the record {printable(damaged.why)}:")
            session.speaker.result(f"    {printable(damaged.line)}")
    if absent.remedy(session.repo):
        return  # what ran is not known, nor what comes next
    for command in _next(whole):
        session.speaker.say(f"next: {command}")


def _block(session: Session, facts: Sequence[tuple[str, str]], indent: str) -> None:
    margin = max((len(label) for label, _ in facts), default=0)
    for label, text in facts:
        lines = printable(text).replace("\t", " ").split("\n")
        if label == "env" and session.speaker.terminal:
            lines = [cut(line, session.speaker.columns - margin - len(indent) - 2) for line in lines]
        session.speaker.result(f"{indent}{session.speaker.paint(label.ljust(margin), 'dim')}  {lines[0]}")
        for line in lines[1:]:
            session.speaker.result(f"{indent}{' ' * margin}  {line}")


def _next(whole: Custody) -> list[str]:
    if not whole.runs:
        return [f"git rvexp submit {whole.snapshot.tag} -- CMD"] if whole.snapshot.tag else []
    last = whole.runs[-1]
    if last.phase.open:
        return ["git rvexp sync"]
    if not last.phase.over:
        return [f"git rvexp wait {last.run}", f"git rvexp logs -f {last.run}"]
    repeat = [f"git rvexp repeat {last.run}"] if last.phase is Phase.SUCCEEDED else []
    return [f"git rvexp logs {last.run}", *to_download(last), *repeat]
