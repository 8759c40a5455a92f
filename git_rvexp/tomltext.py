"""TOML as text: parsed, and searched for the line that sets a key.

The only door to the TOML parser. Nothing here knows which keys there are; changing a file is `tomledit`'s business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from git_rvexp.errors import UsageError

Path = tuple[str, ...]
# A statement of more lines than this is nobody's settings, and is not searched.
_LONGEST = 200


@dataclass(frozen=True)
class Statement:
    """A header or a key with its value: lines `first` (from 0) to before `end`, and the table it belongs to."""

    first: int
    end: int
    table: Path
    content: Mapping[str, Any]
    header: bool = False

    def paths(self) -> Iterator[Path]:
        """Every key it sets, from the top of the file."""
        yield from (self.table + path for path in leaves(self.content))


def parse(text: str, origin: str) -> dict[str, Any]:
    """The content of a TOML text; UsageError names `origin` and the line of what is no TOML."""
    import tomli  # noqa: PLC0415  loaded only when a file is there

    try:
        return tomli.loads(text)
    except RecursionError:
        raise UsageError(f"{origin} is nested too deeply to be settings") from None
    except ValueError as why:  # TOMLDecodeError, or a number that Python refuses
        line = getattr(why, "lineno", None)
        place = f"{origin}:{line}" if line else origin
        raise UsageError(f"{place} is not valid TOML: {why}", hint="git rvexp help config") from why


def leaves(content: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    """The path of every value in nested tables; an empty table is a value."""
    for name, value in content.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name)


def line_of(text: str, path: Path) -> int | None:
    """The line (counted from 1) of a valid TOML `text` that sets `path`, or what holds it or is held by it."""
    for statement in statements(text.split("\n")):
        found = [statement.table] if statement.header else list(statement.paths())
        if any(have[: len(path)] == path or (path[: len(have)] == have and not statement.header) for have in found):
            return statement.first + 1
    return None


def statements(lines: list[str]) -> Iterator[Statement]:
    """The headers and assignments of a valid TOML text, without comments and empty lines."""
    table: Path = ()
    first = 0
    while first < len(lines):
        if not lines[first].strip() or lines[first].lstrip().startswith("#"):
            first += 1
            continue
        end, content = _whole(lines, first)
        header = lines[first].lstrip().startswith("[")
        if header:
            table = next(leaves(_opened(content)), ())
        yield Statement(first, end, table, {} if header else content, header)
        first = end


def _whole(lines: list[str], first: int) -> tuple[int, dict[str, Any]]:
    """The end of the statement that begins at `first`, and its content: the shortest run of lines that is TOML."""
    for end in range(first + 1, min(len(lines), first + _LONGEST) + 1):
        try:
            return end, part("\n".join(lines[first:end]))
        except UsageError:
            continue
    return len(lines), {}


def part(text: str) -> dict[str, Any]:
    """Some lines of a file as TOML; the last may have a carriage return left."""
    return parse(text.removesuffix("\r"), "")


def _opened(content: Mapping[str, Any]) -> dict[str, Any]:
    """The tables that a header opens; those of an array of tables as one."""
    return {k: _opened(v[0] if isinstance(v, list) and v else v) for k, v in content.items()}
