"""TOML files changed one line at a time, as a careful person would.

A writer that loads and dumps loses comments and order, so an edit touches the lines of one key and is then parsed
again: it stands only if exactly that key changed.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from git_rvexp.errors import UsageError
from git_rvexp.tomltext import Path, Statement, leaves, line_of, parse, part, statements


def assignment(name: str, value: Any) -> str:
    """`name = value` on one line, tables and lists inline."""
    import tomli_w  # noqa: PLC0415  only when something is written

    if isinstance(value, dict):
        inner = ", ".join(assignment(k, v) for k, v in value.items())
        key = tomli_w.dumps({name: 0}).partition(" =")[0]
        return f"{key} = {{{f' {inner} ' if inner else ''}}}"
    if isinstance(value, list | tuple):
        key = tomli_w.dumps({name: 0}).partition(" =")[0]
        return f"{key} = [{', '.join(assignment('x', v).partition('= ')[2] for v in value)}]"
    return tomli_w.dumps({name: value}).rstrip("\n")


def assigned(text: str, path: Path, value: Any, origin: str) -> str:
    """`text` with `path` set to `value`: its line changed, else a line added where it belongs; comments stay.

    UsageError where that cannot be done by line, e.g. for a key inside an inline table.
    """
    wanted = _with(parse(text, origin), path, list(value) if isinstance(value, tuple) else value)
    lines = text.split("\n")
    for lines_then in _candidates(lines, path, value):
        edited = "\n".join(lines_then)
        try:
            if parse(edited, origin) == wanted:
                return edited
        except UsageError:
            continue
    raise _by_hand(text, path, origin, "set by changing")


def removed(text: str, path: Path, origin: str) -> str:
    """`text` without the line that sets `path`; all others stay. UsageError where that cannot be done by line."""
    lines = text.split("\n")
    wanted = {place: value for place, value in _values(parse(text, origin)).items() if place[: len(path)] != path}
    for s in statements(lines):
        inner = path[len(s.table) :]
        if not s.header and path[: len(s.table)] == s.table and _reaches(s.content, inner):
            edited = "\n".join([*lines[: s.first], *lines[s.end :]])
            if _values(parse(edited, origin)) == wanted:
                return edited
    raise _by_hand(text, path, origin, "taken out by removing")


def _by_hand(text: str, path: Path, origin: str, what: str) -> UsageError:
    line = line_of(text, path)
    return UsageError(
        f"{'.'.join(path)} cannot be {what} one line of {origin}",
        hint=f"edit line {line} of the file yourself" if line else "edit the file yourself",
    )


def _candidates(lines: list[str], path: Path, value: Any) -> Iterator[list[str]]:
    """Ways to write it, the most modest first."""
    all_statements = list(statements(lines))
    for s in all_statements:
        inner = path[len(s.table) :]
        if not s.header and path[: len(s.table)] == s.table and _reaches(s.content, inner):
            yield [*lines[: s.first], *_replaced(lines[s.first : s.end], inner, value), *lines[s.end :]]
    for depth in range(len(path) - 1, -1, -1):
        table, rest = path[:depth], path[depth:]
        owned = [s for s in all_statements if s.table == table]
        if owned or not table:
            start = owned[0].end if table else 0
            at = _commented(lines, path[-1], start) or (owned[-1].end if owned else _top(lines, all_statements))
            yield [*lines[:at], _line(rest, value, lines), *lines[at:]]
    body = lines[:-1] if lines[-1] == "" else lines
    ending = "\r" if lines[0].endswith("\r") else ""
    gap = [ending] if any(line.strip() for line in body) else []
    yield [*body, *gap, f"[{'.'.join(path[:-1])}]{ending}", _line(path[-1:], value, lines), ""]


def _reaches(content: Any, rest: Path) -> bool:
    """Whether an assignment is that of `rest` alone."""
    for name in rest:
        if not isinstance(content, dict) or list(content) != [name]:
            return False
        content = content[name]
    return True


def _replaced(old: list[str], rest: Path, value: Any) -> list[str]:
    """The lines of one assignment with another value: the key as it was written, and the comment at the end, stay."""
    whole = "\n".join(old)
    content = part(whole)
    key = next((whole[:i] for i in _places(whole, "=") if _is_key(whole[:i], rest)), None)
    if key is None:
        return old
    tails = (i for i in _places(whole, "#") if _same(whole[:i], content))
    end = len(whole[: next(tails, len(whole))].rstrip())
    written = assignment("x", value).partition("= ")[2]
    return f"{key.rstrip()} = {written}{whole[end:]}".split("\n")


def _line(rest: Path, value: Any, lines: list[str]) -> str:
    prefix = "".join(f"{part}." for part in rest[:-1])
    return prefix + assignment(rest[-1], value) + ("\r" if lines[0].endswith("\r") else "")


def _commented(lines: list[str], name: str, start: int) -> int | None:
    """After the line of the section that shows the key commented out, as in the file that `init` writes."""
    shown = re.compile(rf"#\s*{re.escape(name)}\s*=")
    for number in range(start, len(lines)):
        if lines[number].startswith("["):
            return None
        if shown.match(lines[number]):
            return number + 1
    return None


def _top(lines: list[str], found: list[Statement]) -> int:
    """Where a first key goes in front of all tables: under the comment that opens the file."""
    opening = 0
    while opening < len(lines) and lines[opening].startswith("#"):
        opening += 1
    return min(opening, found[0].first if found else opening)


def _places(text: str, sign: str) -> Iterator[int]:
    return (i for i, c in enumerate(text) if c == sign)


def _is_key(text: str, rest: Path) -> bool:
    try:
        return list(leaves(part(f"{text}= 0"))) == [rest]
    except UsageError:
        return False


def _same(text: str, content: Mapping[str, Any]) -> bool:
    try:
        return part(text) == content
    except UsageError:
        return False


def _with(content: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    inner = content.get(path[0], {}) if len(path) > 1 else None
    if len(path) > 1:
        return {**content, path[0]: _with(inner if isinstance(inner, dict) else {}, path[1:], value)}
    return {**content, path[0]: value}


def _values(content: Mapping[str, Any], above: Path = ()) -> dict[Path, Any]:
    """Value by path; tables that hold nothing count for nothing."""
    found: dict[Path, Any] = {}
    for name, value in content.items():
        found |= _values(value, (*above, name)) if isinstance(value, dict) else {(*above, name): value}
    return found
