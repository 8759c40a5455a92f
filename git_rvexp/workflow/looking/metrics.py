"""The numbers a run is judged by: read from the JSON files that `run.metrics` names when the run has ended.

Numbers and true or false are taken, from objects inside objects by dotted names; lists and texts stay in the files.
NaN and infinities, which JSON has no numbers for, are kept as words. A file that is missing or cannot be read is told
with the reason.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from git_rvexp.jsontext import read
from git_rvexp.record.runs import Run
from git_rvexp.terms import Json

if TYPE_CHECKING:
    from git_rvexp.model import Plan
    from git_rvexp.workflow.context import Context

_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_MOST = 50
_LARGEST = 4096  # bytes of JSON


def declared(plan: "Plan") -> list[str]:
    """The files that the plan names, each once: paths in the container, or S3 URIs."""
    return list(dict.fromkeys(str(place) for place in plan.extra.get("metrics") or []))


def fields(context: "Context", plan: "Plan", job: str) -> dict[str, Json]:
    """The fields of the `metrics` event of a run whose job has ended."""
    from git_rvexp.workflow.repeating import outputs  # noqa: PLC0415  looking at recorded numbers reads no files
    from git_rvexp.workflow.secrecy.results import harmless  # noqa: PLC0415  as above

    texts: dict[str, str] = {}
    unread: dict[str, str] = {}
    for place in declared(plan):
        reading = outputs.Reading()
        found = outputs.read(context, plan, job, place, reading)
        unread |= reading.unread
        if place in reading.texts:
            texts[place] = reading.texts[place]
        elif place not in unread:
            unread[place] = "is too large or no .json file" if found else "is not there"
    safe = harmless(context, plan, job, texts, "its numbers are not recorded")
    unread |= {name: "looks as if it held a secret" for name in texts if name not in safe}
    kept, left_out = _bounded(_values(safe, _beginnings(declared(plan)), unread))
    words = {name: text for name, text in kept.items() if isinstance(text, str)}
    values = {name: value for name, value in kept.items() if name not in words}
    more = {"not_finite": words, "left_out": left_out, "unread": unread}
    return {"run": str(plan.run), "values": values} | {key: value for key, value in more.items() if value}


def foretell(context: "Context", plan: "Plan") -> None:
    """Warn of files that nobody will be able to read once the job has ended."""
    from git_rvexp.data.places import RUN  # noqa: PLC0415  as above
    from git_rvexp.workflow.repeating import outputs  # noqa: PLC0415  as above

    for place in declared(plan):
        if why := outputs.unreadable(plan, place):
            instead = f"s3://BUCKET/{RUN}/{PurePosixPath(place).name}"
            context.warn(f"metrics in {place} will not be known: {why} in run.metrics, such as {instead}")


def of(run: Run) -> Mapping[str, Json]:
    """The recorded numbers of a run by name; none when nobody has read any."""
    event = run.first("metrics")
    values = event.get("values") if event else None
    if not isinstance(values, dict):
        return {}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}


def not_finite(run: Run) -> Mapping[str, str]:
    """What was no finite number, by name: NaN, Infinity or -Infinity."""
    event = run.first("metrics")
    words = event.get("not_finite") if event else None
    return {name: word for name, word in words.items() if word in _NOT_FINITE} if isinstance(words, dict) else {}


def told(run: Run) -> Mapping[str, Json]:
    """All that is recorded: the numbers, then the words for what is not finite."""
    return {**of(run), **not_finite(run)}


def newest(runs: Sequence[Run]) -> Mapping[str, Json]:
    """What is recorded of the last run, which the state and the id beside it are of; none where it has none."""
    return told(runs[-1]) if runs else {}


def in_words(values: Mapping[str, Json], *, most: int = 0) -> str:
    """`accuracy 0.9611, loss NaN`; exact and all of them, or with `most` rounded and with an ellipsis for the rest."""
    shown = [f"{name} {_word(value, rounded=bool(most))}" for name, value in values.items()]
    return ", ".join([*shown[:most], "…"] if most and len(shown) > most else shown)


def _word(value: Json, *, rounded: bool) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if rounded and isinstance(value, float) else json.dumps(value)


def _beginnings(files: Sequence[str]) -> dict[str, str]:
    """How the names of each file's numbers begin: not at all where it is the only one, whether others are there or not.

    Of several it is as much of the end of its path as no other file has.
    """
    if len(files) < 2:
        return dict.fromkeys(files, "")
    ends = {file: _ends(file) for file in files}
    known = Counter(end for of_one in ends.values() for end in of_one)
    return {file: next((end for end in of_one if known[end] == 1), of_one[-1]) + "." for file, of_one in ends.items()}


def _ends(file: str) -> list[str]:
    """The ends of a path, the shortest first: metrics, val/metrics, out/val/metrics."""
    parts = file.removesuffix(".json").split("/")
    return ["/".join(parts[at:]) for at in reversed(range(len(parts)))]


def _values(
    texts: Mapping[str, str], beginnings: Mapping[str, str], unread: dict[str, str]
) -> Iterator[tuple[str, Json]]:
    for name, text in texts.items():
        try:
            whole = read(text)
        except (ValueError, RecursionError) as why:
            unread[name] = f"is not JSON: {why}"
            continue
        if isinstance(whole, dict):
            yield from _numbers(whole, beginnings[name])
        else:
            unread[name] = "holds no object with names"


def _numbers(inside: Mapping[str, Json], start: str = "") -> Iterator[tuple[str, Json]]:
    for name, value in inside.items():
        if isinstance(value, dict):
            yield from _numbers(value, f"{start}{name}.")
        elif isinstance(value, int | float):
            finite = isinstance(value, int) or math.isfinite(value)  # an int may be too large for a float
            yield start + name, value if finite else json.dumps(value)


def _bounded(values: Iterator[tuple[str, Json]]) -> tuple[dict[str, Json], int]:
    """As many as may stand in a line of the record, the first of each name, and how many are left out."""
    kept: dict[str, Json] = {}
    left_out, size = 0, 0
    for name, value in values:
        size += len(json.dumps({name: value}, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if name in kept or len(kept) == _MOST or size > _LARGEST:
            left_out += 1
        else:
            kept[name] = value
    return kept, left_out
