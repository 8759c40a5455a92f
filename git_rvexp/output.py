"""How we speak: results on stdout, the story on stderr, colour only where it is wanted.

The only module that prints. Tables are aligned for people and tab-separated, untruncated and uncoloured for
programs. Nothing from outside reaches a terminal without `printable`.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from git_rvexp.columns import cut, fitted, laid_out
from git_rvexp.errors import RvexpError
from git_rvexp.jsontext import document
from git_rvexp.terms import Json

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import TextIO

    from git_rvexp.progress import Step

# What stands for the signs that we draw with, on a terminal that has no UTF-8.
_PLAIN = str.maketrans({"…": "~", "└": "`", "├": "|", "│": "|", "─": "-", "×": "x", "→": ">", "·": "."})  # noqa: RUF001
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2", "bold": "1"}
_OURS = "(\x1b\\[(?:0|{})m)".format("|".join(_COLOURS.values()))


def printable(text: str) -> str:
    """`text` with control and bidirectional characters shown as escapes, so that data cannot drive a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def _plain(text: str) -> str:
    return text if re.fullmatch(_OURS, text) else printable(text)


class UnreadError(Exception):
    """Nobody reads the results any more (`| head`): there is nothing left to do.

    SIGPIPE would say so too, and also end us where a server only refuses to read on; so it stays ignored.
    """


class Speaker:
    """Where and how to speak. Made once by `cli` from the flags, the environment and the streams."""

    def __init__(
        self,
        out: "TextIO",
        err: "TextIO",
        *,
        colour_out: bool = False,
        colour_err: bool = False,
        quiet: bool = False,
        terminal: bool = False,
        live: bool = False,
    ) -> None:
        self.out = out
        self.err = err
        self.colour_out = colour_out
        self.colour_err = colour_err
        self.quiet = quiet
        self.terminal = terminal
        self.live = live
        self.painted: list[str] = []
        self.warned: set[str] = set()

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
            live=sys.stderr.isatty() and not quiet and not paged and environ.get("TERM") != "dumb",
        )

    def result(self, line: str) -> None:
        """One line of the result; of what a terminal obeys only our own colours are left."""
        self.raw(line if line.isprintable() else "".join(map(_plain, re.split(_OURS, line))))

    def raw(self, line: str) -> None:
        """The same as it is: for what a program reads, byte by byte."""
        self.wipe()
        self._give(_fitting(line, self.out))

    def document(self, schema: str, content: Mapping[str, Json]) -> None:
        """The result as one JSON document with its schema's name, e.g. `rvexp.list/1`."""
        self.wipe()
        self._give(document({"schema": schema, **content}))

    def stream(self, pieces: Iterable[bytes]) -> None:
        """The result as bytes, for a file or a program; errors as those of a line."""
        self.wipe()
        for piece in pieces:
            with _giving():
                self.out.buffer.write(piece)
                self.out.buffer.flush()

    def say(self, line: str) -> None:
        """One line of the story; silent with -q."""
        self.wipe()
        if not self.quiet:
            self._tell(_fitting(printable(line), self.err))

    def ask(self, line: str) -> None:
        """A question: the answer is typed on its line."""
        self.wipe()
        self._tell(_fitting(printable(line), self.err), end=" ")

    def warn(self, line: str) -> None:
        """Something the user should know even with -q; the same words are said once."""
        if line in self.warned:
            return
        self.warned.add(line)
        self.wipe()
        self._tell(self._paint("warning: ", "yellow", on=self.colour_err) + printable(line))

    def error(self, message: str, hint: str | None = None) -> None:
        """An error and its remedy."""
        self.wipe()
        self._tell(self._paint("error: ", "red", on=self.colour_err) + printable(message))
        if hint:
            self._tell(self._paint("hint: ", "blue", on=self.colour_err) + printable(hint))

    def progress(self, what: str, total: int, unit: str) -> "AbstractContextManager[Step]":
        """Show how far `what` has come while a block runs (see `progress`)."""
        from git_rvexp.progress import shown  # noqa: PLC0415  looking at things takes no time that could be shown

        return shown(self, what, total, unit)

    def paint_over(self, text: str) -> None:
        """One line on a live terminal that the next one takes the place of."""
        self.painted[:] = [text]
        line = _fitting(printable(text).replace("\n", " "), self.err)
        self._tell(f"\r\x1b[K{cut(line, self.columns - 1)}", end="")

    def wipe(self) -> None:
        """Take the painted line away, if there is one."""
        if self.painted:
            self.painted.clear()
            self._tell("\r\x1b[K", end="")

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
        self.wipe()
        cells = [[printable(c).replace("\t", " ").replace("\n", " ") for c in row] for row in rows]
        if not cells:
            return
        if not self.terminal:
            self._give("\n".join("\t".join(row) for row in cells))
            return
        shown = [[h.upper() for h in head], *cells]
        limit = self.columns
        shown, widths = fitted(shown, [h.upper() for h in spare], limit)
        for number, row in enumerate(shown):
            lines = laid_out(row, widths, limit, flowing=flowing)
            for line in lines[:1] if number == 0 else lines:
                text = _fitting(line, self.out)
                self._give(self.paint(text, "dim") if number == 0 else text)

    def flush(self) -> None:
        """Bring out what others have written to stdout, as argparse does."""
        self._give("", end="")

    def _give(self, text: str, *, end: str = "\n") -> None:
        """To stdout. Errors as `_giving` has them."""
        with _giving():
            print(text, end=end, file=self.out, flush=True)

    def _tell(self, text: str, *, end: str = "\n") -> None:
        """To stderr; that nobody can read it any more is no reason to leave work half done."""
        with suppress(OSError):
            print(text, end=end, file=self.err, flush=True)

    def _paint(self, text: str, colour: str, *, on: bool) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if on else text


@contextmanager
def _giving() -> Iterator[None]:
    """UnreadError when nobody is at stdout, RvexpError when it cannot be written (a file on a full disk)."""
    try:
        yield
    except BrokenPipeError as why:
        raise UnreadError from why
    except OSError as why:
        raise RvexpError(f"stdout cannot be written: {why.strerror or why}") from why


def _utf8(stream: "TextIO") -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


def _fitting(text: str, stream: "TextIO") -> str:
    """`text` with plain signs for drawn ones where a terminal could only show them as escapes."""
    return text if text.isascii() or _utf8(stream) or not stream.isatty() else text.translate(_PLAIN)


def debugging(environ: Mapping[str, str] | None = None) -> bool:
    """Whether RVEXP_DEBUG asks for tracebacks."""
    return (os.environ if environ is None else environ).get("RVEXP_DEBUG") == "1"
