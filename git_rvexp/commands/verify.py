"""Check today whether what ran can still be proven, and repeated: tag, record, image, definition, job, data.

Each line begins with ok, a warning (changed, but a repeat does not need it; or a change is coming), an error (changed),
or ? for what cannot be told. Nothing is written. With --deep every byte of the image's layers is read. Exit code 0
when all is as recorded, 1 when something has changed, 8 when something cannot be told and nothing has changed.
With --report FILE a page that `git rvexp report` made is held against the record: what it carries and what it shows.
"""

import argparse
from collections import Counter

from git_rvexp.commands import TARGET
from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO, PENDING, UsageError
from git_rvexp.output import printable
from git_rvexp.workflow.choose import either
from git_rvexp.workflow.verifying.check import Verified, VerifiedRun, state_of, verify
from git_rvexp.workflow.verifying.link import Link, State

_CODES = {State.OK: DONE, State.CHANGED: NO, State.UNKNOWN: PENDING}
READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("what", metavar="TAG|RUN", nargs="?", default="", help=TARGET)
    parser.add_argument("--all", action="store_true", help="every snapshot and run")
    parser.add_argument("--deep", action="store_true", help="also read every byte of images and archives")
    parser.add_argument("--report", metavar="FILE", help="hold a page of git rvexp report against the record")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace, session: Session) -> int:
    """Look at each, tell it, and say how much can be repeated."""
    if args.all and args.what:
        raise UsageError("--all and a snapshot together are one too many", hint="git rvexp verify -h")
    if args.report:
        return _report(args, session)
    snapshots, only = [], ""
    if not args.all:
        chosen, told = either(session.context, args.what or "@")
        by_run = args.what and len(told) == 1 and (args.what in told[0].jobs or told[0].run.startswith(args.what))
        snapshots, only = [chosen], told[0].run if by_run else ""
    seen = []
    for each in verify(session.context, snapshots, only=only, deep=args.deep):
        seen.append(each)
        if not args.json:
            _tell(session, each)
    answers = Counter(each.word for whole in seen for each in whole.runs if each.repeatable)
    if args.json:
        counts = {word.replace(" ", "_"): answers[word] for word in ("yes", "no", "cannot tell")}
        rows = [whole.fields() for whole in seen]
        session.speaker.document("rvexp.verify/1", {"deep": args.deep, "repeatable": counts, "snapshots": rows})
    elif args.all:
        session.speaker.result(f"{answers['yes']} of {answers.total()} repeatable now")
    return _CODES[state_of(link for whole in seen for link in whole.all_links())]


def _report(args: argparse.Namespace, session: Session) -> int:
    if args.what or args.all or args.deep:
        raise UsageError("--report takes a file and nothing else to look at", hint="git rvexp verify -h")
    from pathlib import Path  # noqa: PLC0415  beside its one use

    from git_rvexp.workflow.reporting.proof import proof  # noqa: PLC0415  brings the template engine

    links = proof(session.context, Path(args.report))
    if args.json:
        told = {"report": args.report, "links": [link.fields() for link in links]}
        session.speaker.document("rvexp.verify-report/1", told)
    else:
        for link in links:
            _line(session, link)
    return _CODES[state_of(links)]


def _tell(session: Session, whole: Verified) -> None:
    speaker = session.speaker
    speaker.result(speaker.paint(whole.snapshot.tag or f"commit {whole.snapshot.commit}", "bold"))
    for link in (*whole.links, *(link for _, links in whole.images for link in links)):
        _line(session, link)
    for each in whole.runs:
        speaker.result(f"run {speaker.paint(each.run.run, 'bold')}  {each.run.word}")
        for link in each.links:
            _line(session, link)
        speaker.result(_answer(session, each))
    if not whole.runs:
        speaker.result("nothing ran yet: there is nothing to repeat" if whole.told else "what ran is not known here")


_KINDS = {State.OK: "ok", State.CHANGED: "bad", State.UNKNOWN: "unknown"}


def _answer(session: Session, each: VerifiedRun) -> str:
    if each.repeatable is None:
        return f"nothing to repeat: the run {'never began' if each.run.phase.over else 'has not ended'}"
    because = f": {', '.join(each.because)}" if each.because else ""
    return f"{session.speaker.mark(_KINDS[each.repeatable])} repeatable now: {each.word}{because}"


def _line(session: Session, link: Link) -> None:
    speaker = session.speaker
    speaker.result(f"{speaker.mark(link.kind)} {link.name:<10} {printable(link.text)}")
    if link.remedy:
        speaker.result(f"  {'':<10} {speaker.paint('->', 'dim')} {printable(link.remedy)}")
