"""What the fields of an event must be, where whoever reads the record takes them apart.

Anybody who may push the record may write anything into it. A line whose known fields have another shape than the
program writes is a damaged line; fields and kinds that are not known pass, as everywhere in the record. Ids of runs and
chains become names of files, so whatever is no id is damage too.
"""

from collections.abc import Callable, Mapping

from git_rvexp.grammar import ID
from git_rvexp.terms import Json

_Check = Callable[[Json], bool]
_LONGEST = 10_000 * 366 * 86_400  # seconds: more than the calendar has


def _text(value: Json) -> bool:
    return isinstance(value, str)


def _id(value: Json) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def _whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def _number(value: Json) -> bool:
    return _whole(value) or isinstance(value, float)


def _seconds(value: Json) -> bool:
    return _number(value) and abs(value) <= _LONGEST


def _table(value: Json) -> bool:
    return isinstance(value, dict)


def _texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _inputs(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(v, dict) and _text(v.get("uri")) and _fitting(v) for v in value)


def _fitting(entry: Mapping[str, Json]) -> bool:
    return all(_INPUT[key](value) for key, value in entry.items() if key in _INPUT and value is not None)


def _named(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(v, dict) and "name" in v for v in value)


def _counts(value: Json) -> bool:
    return isinstance(value, dict) and all(_whole(v) for v in value.values())


def _pair(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2


def _list(value: Json) -> bool:
    return isinstance(value, list)


_INPUT: Mapping[str, _Check] = {
    **dict.fromkeys(("manifest", "kept", "stored", "why", "machine"), _text),
    "count": _whole,
    "hazards": _table,
}
_WORDS: Mapping[_Check, str] = {
    _text: "a text",
    _id: "an id",
    _whole: "a whole number",
    _number: "a number",
    _seconds: "a number of seconds",
    _table: "a table",
    _texts: "a list of texts",
    _inputs: "a list of inputs",
    _named: "a list of tables with names",
    _counts: "a table of whole numbers",
    _pair: "a list of two",
    _list: "a list",
}
_RUN: Mapping[str, _Check] = {"run": _id}
_SHAPES: Mapping[str, Mapping[str, _Check]] = {
    "snapshot": dict.fromkeys(("tag", "commit", "tree", "base", "changes", "by"), _text),
    "image": {**dict.fromkeys(("ref", "id", "platform"), _text), "settings": _table},
    "definition": {"arn": _text, "name": _text, "body": _table},
    "planned": {
        **dict.fromkeys(("run", "chain"), _id),
        **dict.fromkeys(("executor", "job_name", "image", "queue", "definition", "account", "region"), _text),
        **dict.fromkeys(("by", "tag", "repeats", "resumes", "step", "engine", "environment"), _text),
        **dict.fromkeys(("memory", "gpus", "timeout", "attempts", "array", "nth", "seed"), _whole),
        **dict.fromkeys(("vcpus", "tolerance"), _number),
        **dict.fromkeys(
            ("command", "secret_env", "after", "after_each", "outputs", "metrics", "drift", "unlike"), _texts
        ),
        "env": _table,
        "inputs": _inputs,
    },
    "submitted": {**_RUN, "job": _text},
    **dict.fromkeys(("sending", "ambiguous", "refused", "notfound", "unknown", "cancelled"), _RUN),
    "driving": {"chain": _id, **dict.fromkeys(("driver", "file"), _text)},
    "duplicate": {**_RUN, "job": _text},
    "ended": {
        **_RUN,
        "state": _text,
        "exit": _whole,
        "seconds": _seconds,
        "attempts": _list,
        "array": _table,
    },
    "log": {**_RUN, **dict.fromkeys(("sha256", "uri"), _text)},
    "inputs": {**_RUN, "changed": _texts, "untold": _texts},
    "outputs": {**_RUN, **dict.fromkeys(("count", "bytes"), _whole), "unread": _table, "texts": _table},
    "metrics": {**_RUN, **dict.fromkeys(("values", "not_finite", "unread"), _table)},
    "verdict": {
        **_RUN,
        **dict.fromkeys(("why", "although", "missing", "extra", "unknown"), _texts),
        "counts": _counts,
        "changed": _named,
        "exit": _pair,
        "most": _number,
    },
}
_NEEDED: Mapping[str, tuple[str, ...]] = {"image": ("ref", "id"), "planned": ("run",)}


def misshapen(kind: str, fields: Mapping[str, Json], *, whole: bool = True) -> str:
    """What is wrong with the fields of an event, "" for nothing; with `whole` all that it needs must be there."""
    known = _SHAPES.get(kind, {})
    for name, value in fields.items():  # fewer than what is known, in looks at thousands of notes
        check = known.get(name)
        if check and value is not None and not check(value):
            return f"{name} is not {_WORDS[check]}"
    missing = [name for name in _NEEDED.get(kind, ()) if fields.get(name) is None] if whole else []
    return f"it does not say its {missing[0]}" if missing else ""
