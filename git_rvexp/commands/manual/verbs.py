"""Every verb as plain values: its words, options and choices, read from the parsers once."""

import argparse
import functools
from dataclasses import dataclass

from git_rvexp.commands import VERBS
from git_rvexp.commands.parsing import load, parser_of

SNAPSHOTS = ("TAG", "TAG|RUN", "TAG|RUN|CHAIN", "A", "B")
"""The words of the command line that stand for a snapshot, and are completed as one."""
FILES = ("FILE", "PATH", "S:D[:ro]")
"""The words and values of options that begin with a file's name, and are completed as one."""
EVERYWHERE = (("-h", "--help"), ("-q", "--quiet"), ("--color",), ("--profile",))
"""The options of every verb, which need not be told of each."""


@dataclass(frozen=True)
class Argument:
    """An option (with `flags`) or a word of the command line. `value` is its metavar, "" when it takes none."""

    flags: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    about: str
    repeated: bool = False
    optional: bool = False

    @property
    def names_file(self) -> bool:
        """Whether it is a file, or a folder."""
        return self.value in FILES


@dataclass(frozen=True)
class Verb:
    """A verb as the manual shows it."""

    name: str
    summary: str
    about: str
    epilog: str
    arguments: tuple[Argument, ...]
    takes_command: bool

    @property
    def options(self) -> tuple[Argument, ...]:
        """What begins with a dash."""
        return tuple(a for a in self.arguments if a.flags)

    @property
    def words(self) -> tuple[Argument, ...]:
        """What stands by its place."""
        return tuple(a for a in self.arguments if not a.flags)

    @property
    def flags(self) -> tuple[str, ...]:
        """Every spelling of every option."""
        return tuple(flag for option in self.options for flag in option.flags)

    @property
    def names_snapshot(self) -> bool:
        """Whether one of its words is a snapshot."""
        return any(word.value in SNAPSHOTS for word in self.words)

    @property
    def begins_with_file(self) -> bool:
        """Whether the first of its words is a file."""
        return bool(self.words) and self.words[0].names_file


@functools.cache
def verbs() -> tuple[Verb, ...]:
    """All verbs, in the order of the table."""
    return tuple(_verb(name) for name in VERBS)


def synopsis(verb: Verb) -> str:
    """The verb and its words, as a line of the manual has it."""
    words = " ".join(_word(word) for word in verb.words)
    command = " -- CMD..." if verb.takes_command else ""
    return " ".join(f"{verb.name} [options] {words}".split()) + command


def _word(word: Argument) -> str:
    shown = f"{word.value}..." if word.repeated else word.value
    return f"[{shown}]" if word.optional else shown


def _verb(name: str) -> Verb:
    parser = parser_of(name, load(name))
    arguments = tuple(_argument(a) for a in parser._actions)  # noqa: SLF001  argparse has no public list of them
    return Verb(name, VERBS[name], parser.description or "", parser.epilog or "", arguments, parser.takes_command)


def _argument(action: argparse.Action) -> Argument:
    silent = action.nargs == 0
    choices = tuple(str(c) for c in action.choices or ())
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    word = "" if silent else metavar or "|".join(choices) or action.dest.upper().replace("_", "-")
    return Argument(
        flags=tuple(action.option_strings),
        value=word,
        choices=choices,
        about=(action.help or "").replace("%%", "%"),
        repeated=action.nargs in ("*", "+"),
        optional=action.nargs in ("?", "*"),
    )
