"""Make the image of a snapshot on this machine, from the tag's own files. stdout is the image's id.

With --reproduce make the recorded image again and say whether it is the same (exit code 1 if not). An image that was
laid over another is computed, without an engine, and its digest compared; stdout is the digest. One that an engine
built is built again, every step anew, and compared by what it holds; stdout is the new image's id.
"""

import argparse
from typing import TYPE_CHECKING

from git_rvexp.commands import arguments as shared
from git_rvexp.commands.session import Session
from git_rvexp.errors import DONE, NO
from git_rvexp.record.moved import refuse
from git_rvexp.workflow import publish
from git_rvexp.workflow.snapshotting import matching

if TYPE_CHECKING:
    from git_rvexp.workflow.building.rebuild import Rebuilt

_SHOWN = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    shared.tag(parser, shared.MY_NEWEST)
    parser.add_argument("--reproduce", action="store_true", help="make the recorded image again and compare")


def run(args: argparse.Namespace, session: Session) -> int:
    """Build (or find) it and print its id; or reproduce it and print its digest."""
    context = session.context
    snapshot = matching.named_or_newest(context, args.tag, "built")
    refuse(context.ledger, {snapshot.tag: snapshot.oid})
    if args.reproduce:
        from git_rvexp.workflow.building.reproduce import Reproduced, reproduce  # noqa: PLC0415  not needed for a build

        found = reproduce(context, snapshot)
        same = found.same if isinstance(found, Reproduced) else _told(session, found)
        session.speaker.say(f"{'the same as' if same else 'NOT the same as'} the recorded {found.ref}")
        session.speaker.result(str(found.made))
        return DONE if same else NO
    image = publish.build(context, snapshot)
    session.speaker.say(f"tagged {image.tag}")
    session.speaker.result(image.ref)
    return 0


def _told(session: Session, found: "Rebuilt") -> bool:
    """Say what differs; whether nothing does."""
    session.speaker.say(f"compared {found.paths} paths and the configuration; times and builders' traces do not count")
    for line in found.differences[:_SHOWN]:
        session.speaker.say(f"  {line}")
    if len(found.differences) > _SHOWN:
        session.speaker.say(f"  and {len(found.differences) - _SHOWN} more")
    return not found.differences
