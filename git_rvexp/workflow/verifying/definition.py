"""A run's job definition: in force with the recorded body, and nothing newer under its name.

A definition that is gone does not stop a repeat: its whole body is in the record and can be registered again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from git_rvexp.errors import RvexpError
from git_rvexp.executors import definition as defs
from git_rvexp.images.reference import parted
from git_rvexp.model import Json
from git_rvexp.record.runs import Run
from git_rvexp.workflow.verifying.link import Link, changed, hazard, ok, unknown
from git_rvexp.workflow.verifying.outside import Outside
from git_rvexp.workflow.verifying.subject import Subject

_OURS = "rvexp:tag"
_AGAIN = "git rvexp repeat registers it again from its recorded body"


def definition(outside: Outside, subject: Subject, run: Run) -> list[Link]:
    """One link; none for executors without definitions."""
    arn = str(run.planned.get("definition", ""))
    if not arn:
        return []
    event = next((e for e in subject.record.of("definition") if e.get("arn") == arn), None)
    body = event.get("body") if event else None
    image = str(run.planned.get("image", ""))
    if isinstance(body, dict) and image not in (named := {place.image for place in defs.places(body)}):
        by_tag = next((each for each in named if _named_by_tag(each, image)), "")
        if not (event and event.get("not_a_snapshot") and by_tag):
            return [changed("definition", f"its recorded body does not run the recorded image {image}")]
        return [hazard("definition", f"{arn} names {by_tag}, a tag that can move", f"a repeat runs {image}")]
    name = arn.partition(":job-definition/")[2].rpartition(":")[0]
    try:
        found = outside.revisions(run.plan, name)
    except RvexpError as why:
        return [unknown("definition", why)]
    ours = next((d for d in found if d.get("jobDefinitionArn") == arn), None)
    return [_judged(arn, body if isinstance(body, dict) else None, ours, found)]


def _named_by_tag(image: str, recorded: str) -> bool:
    """Whether `image`, as a definition names it, says no digest and is of the repository of the recorded one."""
    name, _, digest = parted(image)
    return not digest and name == parted(recorded)[0]


def _judged(
    arn: str, body: Mapping[str, Json] | None, ours: Mapping[str, Json] | None, found: Sequence[Mapping[str, Json]]
) -> Link:
    if ours is None or ours.get("status") != "ACTIVE":
        says = f"is {ours.get('status')}" if ours else "is gone"
        if body is None:
            return changed("definition", f"{arn} {says}, and its body was not recorded")
        return changed("definition", f"{arn} {says}; its body is recorded", _AGAIN, needed=False)
    if body is None:
        return unknown("definition", f"{arn} is ACTIVE, but its body was not recorded", needed=False)
    differing, added = defs.differences(body, ours)
    if differing:
        return changed("definition", f"{arn} is not as recorded: {', '.join(differing)}", _AGAIN)
    newer = [d for d in found if d.get("status") == "ACTIVE" and _revision(d) > _revision(ours)]
    if newer and _OURS in (body.get("tags") or {}):
        listed = ", ".join(str(_revision(d)) for d in newer)
        text = f"{arn} is ACTIVE and as recorded; somebody registered revision {listed} under its name"
        return hazard("definition", text, "runs name their revision and are not touched; ask who did it")
    more = f"; AWS has added {', '.join(added)}" if added else ""
    return ok("definition", f"{arn} is ACTIVE and as recorded{more}")


def _revision(described: Mapping[str, Any]) -> int:
    return int(described.get("revision", 0))
