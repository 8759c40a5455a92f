"""Check what an experiment needs: git, the engine, the registry, AWS, the experiments remote, hooks, the manual.

Each line begins with ok, a warning, an error, or ? for what could not be found out, and has a remedy where there is
one. Exit code 1 when anything is wrong. --fix first repairs what can be repaired without a question: links to the man
page and the completions, the name of the notes, the hooks. Credentials are never printed.
"""

import argparse
from collections import Counter

from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO, RvexpError
from git_rvexp.output import printable
from git_rvexp.workflow.preparing import checkup_clone, checkup_cloud, checkup_machine
from git_rvexp.workflow.preparing.checkup import Check, Look, Scene, examine
from git_rvexp.workflow.preparing.mending import mend

LOOKS: tuple[tuple[str, Look], ...] = (
    ("git", checkup_machine.git),
    ("python", checkup_machine.python),
    ("repository", checkup_clone.formats),
    ("settings", checkup_clone.configuration),
    ("confirmation", checkup_clone.confirmation),
    ("remote", checkup_clone.experiments),
    ("notes", checkup_clone.notes),
    ("hooks", checkup_clone.guard),
    ("engine", checkup_machine.engine),
    ("registry", checkup_cloud.registry),
    ("aws", checkup_cloud.identity),
    ("store", checkup_cloud.store),
    ("queue", checkup_cloud.queue),
    ("definition", checkup_cloud.definition),
    ("manual", checkup_machine.manual),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--fix", action="store_true", help="repair what can be repaired without a question")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace, session: Session) -> int:
    """Look at everything, tell it, and say whether it will do."""
    scene = _scene(session)
    if args.fix:
        for line in mend(session.environ, scene.context):
            session.speaker.say(line)
    checks = examine(scene, LOOKS)
    if args.json:
        rows = [{"name": c.name, "kind": c.kind, "text": c.text, "remedy": c.remedy} for c in checks]
        session.speaker.document("rvexp.doctor/1", {"checks": rows})
    else:
        for check in checks:
            _tell(session, check)
    counts = Counter(check.kind for check in checks)
    if counts["bad"]:
        session.speaker.say(f"{counts['bad']} wrong, {counts['warn']} to look at")
    return NO if counts["bad"] else DONE


def _scene(session: Session) -> Scene:
    try:
        return Scene(session.environ, session.context)
    except RvexpError as why:
        return Scene(session.environ, None, why)


def _tell(session: Session, check: Check) -> None:
    speaker = session.speaker
    speaker.result(f"{speaker.mark(check.kind)} {check.name:<12} {printable(check.text)}")
    if check.remedy:
        speaker.result(f"  {'':<12} {speaker.paint('->', 'dim')} {printable(check.remedy)}")
