"""How we speak: results on stdout, the story on stderr, colour only where it is wanted.

The only module that prints. Tables are aligned for people and tab-separated, untruncated and uncoloured for
programs. Nothing from outside reaches a terminal without `printable`.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from git_rvexp.terms import TYPE_CHECKING, Json

if TYPE_CHECKING:
    from typing import TextIO

# What stands for the signs that we draw with, on a terminal that has no UTF-8.
_PLAIN = str.maketrans({"…": "~", "└": "`", "├": "|", "│": "|", "─": "-", "×": "x", "→": ">", "·": "."})  # noqa: RUF001
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2", "bold": "1"}
_OURS = re.compile("(\x1b\\[(?:0|{})m)".format("|".join(_COLOURS.values())))


def printable(text: str) -> str:
    """`text` with control and bidirectional characters shown as escapes, so that data cannot drive a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def _plain(text: str) -> str:
    return text if _OURS.fullmatch(text) else printable(text)


def width(text: str) -> int:
    """Columns that `text` takes on a terminal (wide and combining characters counted)."""
    if text.isascii():
        return len(text)
    import unicodedata  # noqa: PLC0415  few texts need it

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@dataclass(frozen=True)
class Speaker:
    """Where and how to speak. Made once by `cli` from the flags, the environment and the streams."""

    out: "TextIO"
    err: "TextIO"
    colour_out: bool = False
    colour_err: bool = False
    quiet: bool = False
    terminal: bool = False
    warned: set[str] = field(default_factory=set, compare=False, repr=False)

    @classmethod
    def make(cls, environ: Mapping[str, str], *, colour: str = "auto", quiet: bool = False) -> "Speaker":
        """The speaker of this process; `colour` is auto, always or never."""
        paged = "GIT_PAGER_IN_USE" in environ

        def wanted(stream: "TextIO") -> bool:
            if colour != "auto":
                return colour == "always"
            if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
                return False
            return stream.isatty() or paged

        return cls(
            out=sys.stdout,
            err=sys.stderr,
            colour_out=wanted(sys.stdout),
            colour_err=wanted(sys.stderr) and not paged,
            quiet=quiet,
            terminal=sys.stdout.isatty() or paged,
        )

    def result(self, line: str) -> None:
        """One line of the result; of what a terminal obeys only our own colours are left."""
        self.raw(line if line.isprintable() else "".join(map(_plain, _OURS.split(line))))

    def raw(self, line: str) -> None:
        """The same as it is: for what a program reads, byte by byte."""
        print(_fitting(line, self.out), file=self.out, flush=True)

    def document(self, schema: str, content: Mapping[str, Json]) -> None:
        """The result as one JSON document with its schema's name, e.g. `rvexp.list/1`.

        A list at the top has one element a line: thousands of them are quick to write, and grep finds them.
        """
        members = [f"  {json.dumps(key)}: {_member(value)}" for key, value in {"schema": schema, **content}.items()]
        print("{\n" + ",\n".join(members) + "\n}", file=self.out, flush=True)

    def say(self, line: str) -> None:
        """One line of the story; silent with -q."""
        if not self.quiet:
            print(_fitting(printable(line), self.err), file=self.err, flush=True)

    def warn(self, line: str) -> None:
        """Something the user should know even with -q; the same words are said once."""
        if line in self.warned:
            return
        self.warned.add(line)
        print(
            self._paint("warning: ", "yellow", on=self.colour_err) + printable(line),
            file=self.err,
            flush=True,
        )

    def error(self, message: str, hint: str | None = None) -> None:
        """An error and its remedy."""
        print(self._paint("error: ", "red", on=self.colour_err) + printable(message), file=self.err)
        if hint:
            print(self._paint("hint: ", "blue", on=self.colour_err) + printable(hint), file=self.err)
        self.err.flush()

    def paint(self, text: str, colour: str) -> str:
        """`text` in a colour when stdout shows colours."""
        return self._paint(text, colour, on=self.colour_out)

    def mark(self, kind: str) -> str:
        """The sign for ok, warn, bad or unknown: never colour alone, ASCII where the stream cannot show more."""
        sign, ascii_sign, colour = {
            "ok": ("✓", "ok", "green"),
            "warn": ("!", "!", "yellow"),
            "bad": ("✗", "x", "red"),
            "unknown": ("?", "?", "yellow"),
        }[kind]
        return self.paint(sign if _utf8(self.out) else ascii_sign, colour)

    @property
    def columns(self) -> int:
        """How wide the terminal is (COLUMNS, else what it says, else 80)."""
        import shutil  # noqa: PLC0415  loads compressors; only what is laid out for a terminal needs its width

        return shutil.get_terminal_size().columns

    def table(
        self, head: Sequence[str], rows: Iterable[Sequence[str]], *, spare: Sequence[str] = (), flowing: bool = False
    ) -> None:
        """Rows under `head`: aligned and cut to the terminal's width, or tab-separated and whole when piped.

        Where the terminal is too narrow, the columns in `spare` are left out one after the other as far as needed,
        and with `flowing` the last cell of a row that is still too long goes on lines of its own instead of being cut.
        """
        cells = [[printable(c).replace("\t", " ").replace("\n", " ") for c in row] for row in rows]
        if not self.terminal:
            for row in cells:
                print("\t".join(row), file=self.out)
            return
        if not cells:
            return
        shown = [[h.upper() for h in head], *cells]
        limit = self.columns
        shown, widths = _fitted(shown, [h.upper() for h in spare], limit)
        for number, row in enumerate(shown):
            lines = _laid_out(row, widths, limit, flowing=flowing)
            for line in lines[:1] if number == 0 else lines:
                text = _fitting(line, self.out)
                print(self.paint(text, "dim") if number == 0 else text, file=self.out)
        self.out.flush()

    def _paint(self, text: str, colour: str, *, on: bool) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if on else text


def _member(value: Json) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join("    " + _json(json.dumps(v, ensure_ascii=False)) for v in value) + "\n  ]"
    return _json(json.dumps(value, ensure_ascii=False, indent=2)).replace("\n", "\n  ")


def _json(text: str) -> str:
    """JSON with what a terminal obeys or hides escaped; the lines between values stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _fitted(rows: list[list[str]], spare: list[str], limit: int) -> tuple[list[list[str]], list[int]]:
    """The rows without the spare columns that have no room, and how wide each column is."""
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    if not spare or sum(widths) + 2 * (len(widths) - 1) <= limit:
        return rows, widths
    kept = [i for i, name in enumerate(rows[0]) if name != spare[0]]
    return _fitted([[row[i] for i in kept] for row in rows], spare[1:], limit)


def _laid_out(row: Sequence[str], widths: Sequence[int], limit: int, *, flowing: bool) -> list[str]:
    """A row as lines of at most `limit` columns."""
    padded = [cell + " " * (w - width(cell)) for cell, w in zip(row, widths, strict=True)]
    whole = "  ".join(padded).rstrip()
    if not flowing or width(whole) <= limit:
        return [_cut(whole, limit)]
    import textwrap  # noqa: PLC0415  only on a narrow terminal

    rest = textwrap.wrap(row[-1], max(limit, 20), initial_indent="    ", subsequent_indent="    ")
    return [_cut("  ".join(padded[:-1]).rstrip(), limit), *rest]


def _utf8(stream: "TextIO") -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


def _fitting(text: str, stream: "TextIO") -> str:
    """`text` with plain signs for drawn ones where a terminal could only show them as escapes."""
    return text if text.isascii() or _utf8(stream) or not stream.isatty() else text.translate(_PLAIN)


def _cut(text: str, columns: int) -> str:
    if width(text) <= columns:
        return text
    while text and width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def debugging(environ: Mapping[str, str] | None = None) -> bool:
    """Whether RVEXP_DEBUG asks for tracebacks."""
    return (os.environ if environ is None else environ).get("RVEXP_DEBUG") == "1"
