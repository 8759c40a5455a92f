"""What a repeat showed: the same, the same within a tolerance, another result, or nothing that can be compared.

Equal results are equal whatever else changed. A difference is blamed on the experiment only where nothing else can
explain it: with another image, other inputs or a run that was stopped, the answer is "not comparable". Pure, but for
texts of results, which are read from the record by those who call.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from git_rvexp.data import tolerance
from git_rvexp.data.manifest import SHOWN, Difference, by_content, compare
from git_rvexp.model import Json
from git_rvexp.quoting import quoted
from git_rvexp.record.events import Event

IDENTICAL, EQUAL, DIFFERS, NOT_COMPARABLE = "identical", "equal-within-tolerance", "differs", "not-comparable"
Read = Callable[[str], str | None]
"""From a kept text's blob to the text; None when the record has none."""
Listed = Callable[[Event], Iterator[str] | None]
"""From an `outputs` event to the lines of its manifest; None when they are not to be had."""

_STOPPED = re.compile(
    r"time limit|exceeded timeout|out of memory|OutOfMemory|Host EC2"
    r"|killed by SIG(?:KILL|TERM)|terminated|cancel|never started",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Side:
    """One of the two runs: how it was planned, how it ended, what it wrote, and how its inputs were at its end.

    `image`: the recorded id of its image, "" where none is.
    """

    planned: Event
    ended: Event | None
    outputs: Event | None = None
    inputs: Event | None = None
    image: str = ""

    @property
    def exit(self) -> Json:
        """The exit code; None when none is known."""
        return self.ended.get("exit") if self.ended else None


@dataclass
class _Found:
    """The differences of two manifests, sorted into what a verdict tells."""

    difference: Difference
    changed: list[Json] = field(default_factory=list)
    within: bool = True
    largest: float = 0.0


def judged(first: Side, again: Side, tolerated: float, read: Read, listed: Listed) -> dict[str, Json]:
    """The fields of a `verdict` event, without the runs: result, why, what differs, and what was noted on the way."""
    manifests = [listed(side.outputs) if side.outputs else None for side in (first, again)]
    why = _incomparable(first, again, manifests)
    conditions = _conditions(first, again)
    noted = {"noted": notes} if (notes := _noted(first, again)) else {}
    stopped = _stopped(first, again)
    if stopped or (why and first.exit == again.exit):
        return {"result": NOT_COMPARABLE, "why": [*(stopped or why), *conditions], **noted}
    codes = {} if first.exit == again.exit else {"exit": [first.exit, again.exit]}
    if why:
        result = NOT_COMPARABLE if conditions else DIFFERS
        return {"result": result, "why": [_codes(first, again), *why, *conditions], **codes, **noted}
    found = _held(first, again, _compared(manifests), tolerated, read)
    told = {**_told(found, tolerated), **codes, **noted}
    if not found.difference and not codes:
        return {"result": IDENTICAL, "same": found.difference.same, **_although(conditions), **noted}
    if found.within and not codes:
        return {"result": EQUAL, **_although(conditions), **told}
    reasons = conditions or ([] if set(found.difference.counts) - {"unknown"} or codes else [_UNTELLABLE])
    if reasons:
        return {"result": NOT_COMPARABLE, "why": [found.difference.words() or _codes(first, again), *reasons], **told}
    return {"result": DIFFERS, **told}


def _although(conditions: list[str]) -> dict[str, Json]:
    return {"although": conditions} if conditions else {}


_UNTELLABLE = "what is recorded of them proves neither that they are the same nor that they are not"


def _compared(manifests: Sequence[Iterator[str] | None]) -> Difference:
    old, new = (lines or iter(()) for lines in manifests)
    return compare(old, new, by_content)


def _held(first: Side, again: Side, difference: Difference, tolerated: float, read: Read) -> _Found:
    found = _Found(difference)
    found.within = tolerated > 0 and set(found.difference.counts) == {"changed"}
    for a, b in found.difference.examples.get("changed", []):
        assert a is not None
        assert b is not None
        apart = _apart(first, again, a.name, read)
        told: dict[str, Json] = {"name": a.name, "size": [a.size, b.size]}
        if apart is None or not apart.within(tolerated):
            found.within = False
        if apart is not None:
            told |= {"why": apart.why} if apart.why else {"most": apart.most, "where": apart.where}
            found.largest = max(found.largest, apart.most)
        found.changed.append(told)
    # What is not shown is not looked into either.
    found.within = found.within and found.difference.counts.get("changed", 0) <= SHOWN
    return found


def _told(found: _Found, tolerated: float) -> dict[str, Json]:
    difference = found.difference
    told: dict[str, Json] = {"same": difference.same, "counts": difference.counts}
    if found.changed:
        told["changed"] = found.changed
    for kind in ("missing", "extra", "unknown"):
        names = [(old or new).name for old, new in difference.examples.get(kind, []) if old or new]  # type: ignore[union-attr]
        if names:
            told[kind] = names
    return {**told, **({"tolerance": tolerated, "most": found.largest} if tolerated else {})}


def _apart(first: Side, again: Side, name: str, read: Read) -> tolerance.Apart | None:
    texts = [_kept(side.outputs, name, read) for side in (first, again)]
    if texts[0] is None or texts[1] is None or not name.endswith(tolerance.READABLE):
        return None
    return tolerance.apart(name, texts[0], texts[1])


def _kept(outputs: Event | None, name: str, read: Read) -> str | None:
    blobs = outputs.get("texts") if outputs else None
    return read(str(blobs[name])) if isinstance(blobs, dict) and name in blobs else None


def _incomparable(first: Side, again: Side, manifests: Sequence[Iterator[str] | None]) -> list[str]:
    """Why their results cannot be held against each other at all."""
    why = []
    for side, name, lines in zip((first, again), ("the original", "the repeat"), manifests, strict=True):
        if side.outputs is None:
            why.append(f"no outputs were declared for {name}: only exit codes can be compared")
        else:
            unread = [f"{place} of {name} could not be read: {text}" for place, text in _unread(side.outputs)]
            why += unread
            if lines is None:
                why.append(f"the manifest of {name} is not to be had")
            if not side.outputs.get("count") and not unread:
                why.append(f"{name} wrote nothing to its declared outputs")
    return why


def _stopped(first: Side, again: Side) -> list[str]:
    """Which of them did not come to its own end: what it would have written nobody knows."""
    told = []
    for side, name in ((first, "the original"), (again, "the repeat")):
        reason = str(side.ended.get("reason", "")) if side.ended else ""
        if side.ended is None:
            told.append(f"how {name} ended is not recorded")
        elif side.exit is None or _STOPPED.search(reason):
            told.append(f"{name} was stopped: {reason or 'no exit code'}")
    return told


def _unread(outputs: Event) -> Iterator[tuple[str, str]]:
    unread = outputs.get("unread")
    yield from ((str(k), str(v)) for k, v in unread.items()) if isinstance(unread, dict) else ()


def _conditions(first: Side, again: Side) -> list[str]:
    """What was not the same about the two runs and may explain a difference."""
    images = [str(side.planned.get("image", "")) for side in (first, again)]
    same = images[0] == images[1] or (first.image and first.image == again.image)  # a copy has another name
    told = [] if same else [f"another image: {images[0]}, then {images[1]}"]
    told += [f"changed input {text}" for text in again.planned.get("drift") or []]
    for side, name in ((first, "the original"), (again, "the repeat")):
        changed = side.inputs.get("changed") if side.inputs else None
        told += [f"input changed during {name}: {text}" for text in changed or []]
        untold = side.inputs.get("untold") if side.inputs else None
        told += [f"whether an input changed during {name} cannot be told: {text}" for text in untold or []]
    return told


def _noted(first: Side, again: Side) -> list[str]:
    """What was not the same and, with an equal request and image, should not matter."""
    events = [("executor", "planned"), ("account", "planned"), ("region", "planned"), ("engine", "planned")]
    pairs = [(key, _of(first, which, key), _of(again, which, key)) for key, which in events + _HARDWARE]
    return [f"{key}: {old or 'none'}, then {new or 'none'}" for key, old, new in pairs if old != new]


_HARDWARE = [("host", "ended"), ("instance", "ended")]


def _of(side: Side, which: str, key: str) -> str:
    event = side.planned if which == "planned" else side.ended
    return str(event.get(key, "")) if event else ""


def _codes(first: Side, again: Side) -> str:
    return f"exit {first.exit}, then {again.exit}"


def summary(fields: Mapping[str, Json]) -> str:
    """A verdict's fields in one line for people."""
    told = [str(fields.get("result", "")).replace("-", " ")]
    if fields.get("result") == IDENTICAL:
        told.append(f"{fields.get('same')} file" + ("" if fields.get("same") == 1 else "s"))
    for kind, count in (fields.get("counts") or {}).items():
        names = [str(c["name"]) for c in fields.get("changed") or []] if kind == "changed" else fields.get(kind) or []
        told.append(f"{count} {kind} ({', '.join(map(quoted, names[:3]))}{', …' if count > 3 else ''})")
    if fields.get("exit"):
        told.append(f"exit {fields['exit'][0]}, then {fields['exit'][1]}")
    if fields.get("most"):
        told.append(f"largest difference {fields['most']:.3g} (relative; absolute below 1)")
    although = [f"although {text}" for text in fields.get("although") or []]
    return "; ".join([*told, *(fields.get("why") or []), *although])
