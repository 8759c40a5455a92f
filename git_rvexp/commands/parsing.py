"""The parsers of the verbs: what `-h`, `help`, the man page and the completions are made from.

A verb's module is loaded only when it is asked for; running one is `cli`'s business.
"""

import argparse
import importlib
import os
from types import ModuleType
from typing import NoReturn

from git_rvexp.commands import VERBS
from git_rvexp.errors import UsageError

_WORDS = ("import",)  # verbs that Python keeps to itself


class Parser(argparse.ArgumentParser):
    """argparse that raises instead of exiting, so that errors are told in one place."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the verb's usage."""
        raise UsageError(message, hint=f"{self.prog} -h")

    verb = ""
    takes_command = False

    def parsed(self, words: list[str], *, command: bool) -> argparse.Namespace:
        """What `words` say, in any order; argparse lays out the whole usage for that, so only where order matters.

        `command`: whether one stands behind them. UsageError for words that are not known.
        """
        parse = self.parse_known_intermixed_args if self._get_positional_actions() else self.parse_known_args
        args, unknown = parse(words)
        if unknown:
            from git_rvexp.commands.slips import slip  # noqa: PLC0415  only for what went wrong

            missing = self.takes_command and not command
            raise slip(self.verb, words, unknown, args.tag if missing else "")
        return args


class Formatter(argparse.RawDescriptionHelpFormatter):
    """argparse's, which is made anew for every argument and would load shutil to learn how wide a terminal is."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)

    def _set_color(self, *_asked: object, **_more: object) -> None:
        """Nothing: since Python 3.14 it is called for every argument, and loads `inspect` and more for its themes."""

    def __getattr__(self, name: str) -> object:
        """The theme without colours, by Python's own `_set_color`, when a text is really formatted."""
        if name not in ("_theme", "_decolor"):
            raise AttributeError(name)
        vars(argparse.HelpFormatter)["_set_color"](self, False)
        return vars(self)[name]

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """A module's docstring, in the terminal's width: paragraphs of prose are wrapped, and text below a name.

        Lines with four spaces before them are commands, and lines with gaps are tables: these stay as they are.
        """
        return "\n\n".join(_wrapped(part, width, indent) for part in text.strip("\n").split("\n\n"))


def _wrapped(part: str, width: int, indent: str) -> str:
    import textwrap  # noqa: PLC0415  argparse brings it, for help alone

    lines = part.splitlines()
    if not any(line.startswith(" ") or "   " in line for line in lines):
        return textwrap.fill(part, width, initial_indent=indent, subsequent_indent=indent)
    below = " " * 6
    return "\n".join(
        textwrap.fill(line, width, subsequent_indent=below) if line.startswith(below) and line[6:7] != " " else line
        for line in lines
    )


def _columns() -> int:
    """As `shutil.get_terminal_size` tells it."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


def load(verb: str) -> ModuleType:
    """The module of a verb."""
    name = f"{verb}_" if verb in _WORDS else verb.replace("-", "_")
    return importlib.import_module(f"git_rvexp.commands.{name}")


def parser_of(verb: str, module: ModuleType) -> Parser:
    """The parser of a verb: the flags every verb has, and its own."""
    summary = VERBS[verb]
    about = module.__doc__ or summary
    parser = Parser(
        prog=f"git rvexp {verb}",
        description=about,
        formatter_class=Formatter,
        epilog=getattr(module, "EPILOG", None),
        allow_abbrev=False,
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but results, warnings and errors")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colour the output")
    parser.add_argument("--profile", metavar="NAME", help="lay [profile.NAME] of the settings files over them")
    module.arguments(parser)
    parser.verb, parser.takes_command = verb, bool(getattr(module, "TAKES_COMMAND", False))
    if parser.takes_command:
        usage = parser.format_usage().removeprefix("usage: ").rstrip()
        parser.usage = f"{usage} -- CMD…"
    return parser
