"""What an ECR lifecycle policy has in store for one image, worked out here. Pure.

By Amazon ECR's user guide, "Lifecycle policy properties" and "How lifecycle policies work": rules go by priority, the
lowest number first; the first rule that selects an image by its tags is the only one that may act on it; several
prefixes or patterns in one rule must all be found among the image's tags. How many newer images there are is not
asked, so rules that count images are told as what they are.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence

from git_rvexp.model import Json


def fate(rules: Iterable[Mapping[str, Json]], tags: Sequence[str], pushed: float | None, now: dt.datetime) -> str:
    """What the rules will do to an image with these tags, in words; "" when none of them selects it.

    `pushed` is UTC epoch seconds.
    """
    for rule in sorted(rules, key=lambda r: int(r.get("rulePriority", 0))):
        if _selects(rule.get("selection") or {}, tags):
            return _told(rule, pushed, now)
    return ""


def _selects(selection: Mapping[str, Json], tags: Sequence[str]) -> bool:
    status = selection.get("tagStatus")
    if status == "any":
        return True
    if status == "untagged":
        return not tags
    if status != "tagged" or not tags:
        return False
    prefixes, patterns = selection.get("tagPrefixList") or [], selection.get("tagPatternList") or []
    return all(any(t.startswith(p) for t in tags) for p in prefixes) and all(_matched(p, tags) for p in patterns)


def _matched(pattern: str, tags: Sequence[str]) -> bool:
    wild = re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
    return any(wild.fullmatch(tag) for tag in tags)


def _told(rule: Mapping[str, Json], pushed: float | None, now: dt.datetime) -> str:
    selection, action = rule["selection"], (rule.get("action") or {}).get("type", "expire")
    does = "expires it" if action == "expire" else "archives it, after which it cannot be pulled"
    number, count = selection.get("countNumber"), selection.get("countType")
    head = f"lifecycle rule {rule.get('rulePriority')} {does}"
    if count == "imageCountMoreThan":
        return f"{head} once there are {number} newer images"
    days = f"{number} {selection.get('countUnit', 'days')}"
    if count == "sinceImagePushed" and pushed is not None and isinstance(number, int):
        when = dt.datetime.fromtimestamp(pushed, dt.UTC) + dt.timedelta(days=number)
        due = "any moment" if when <= now else f"on {when:%Y-%m-%d}"
        return f"{head} {days} after its push: {due}"
    since = {"sinceImagePulled": "after its last pull", "sinceImagePushed": "after its push"}
    return f"{head} {days} {since.get(str(count), f'by {count}')}"
