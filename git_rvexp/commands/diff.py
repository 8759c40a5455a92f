"""Show what differs between two snapshots or runs: code, image, definition, request, data, outcome, metrics.

Of a snapshot the newest run is meant. With --exit-code: 1 when anything differs.
"""

import argparse
import json

from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO
from git_rvexp.output import printable
from git_rvexp.terms import Json
from git_rvexp.workflow.looking.compare import Difference, Side, difference, patch, sides

READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("left", metavar="A", help="a snapshot, a run id or a job id")
    parser.add_argument("right", metavar="B", help="the other")
    parser.add_argument("-p", "--patch", action="store_true", help="the code's whole difference")
    looked_into = "look into the two images in this machine's engine: configuration, layers, packages"
    parser.add_argument("--packages", action="store_true", help=looked_into)
    parser.add_argument("--exit-code", action="store_true", help="exit 1 when anything differs")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace, session: Session) -> int:
    """Compare and print."""
    context = session.context
    left, right = sides(context, args.left, args.right)
    found = difference(context, left, right)
    if args.packages:
        from git_rvexp.workflow.looking.insides import with_insides  # noqa: PLC0415  loads docker

        found = with_insides(context, found)
    if args.json:
        session.speaker.document("rvexp.diff/1", _fields(found))
    else:
        code = patch(context, found.left, found.right, stat=not args.patch) if found.files else ""
        _tell(session, found, code)
    return NO if args.exit_code and found else DONE


def _tell(session: Session, found: Difference, code: str) -> None:
    say = session.speaker.result
    say(f"{session.speaker.paint('---', 'red')} {_name(found.left)}")
    say(f"{session.speaker.paint('+++', 'green')} {_name(found.right)}")
    if code:
        say(printable(code))
    for change in found.changes:
        say(session.speaker.paint(printable(change.what), "bold"))
        for sign, colour, value in (("-", "red", change.left), ("+", "green", change.right)):
            if value is not None:
                more = f"  ({change.difference:+.4g})" if sign == "+" and change.difference is not None else ""
                say(session.speaker.paint(f"  {sign} {printable(_text(value))}{more}", colour))
        if change.detail:
            say(f"    {printable(change.detail)}")
    if not found:
        session.speaker.say("nothing differs")


def _name(side: Side) -> str:
    return (side.snapshot.tag or side.snapshot.commit) + (f"  run {side.run.run}" if side.run else "")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fields(found: Difference) -> dict[str, Json]:
    def told(side: Side) -> dict[str, Json]:
        return {"tag": side.snapshot.tag, "commit": side.snapshot.commit, "run": side.run.run if side.run else None}

    return {
        "a": told(found.left),
        "b": told(found.right),
        "same": not found,
        "files": [{"status": status, "path": path} for status, path in found.files],
        "changes": [
            {"what": c.what, "a": c.left, "b": c.right}
            | ({"difference": c.difference} if c.difference is not None else {})
            | ({"detail": c.detail} if c.detail else {})
            | ({"files": dict(c.counts)} if c.counts else {})
            for c in found.changes
        ],
    }
