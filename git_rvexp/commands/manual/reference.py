"""The reference of the site: every verb and every setting as Markdown, made from the parsers and the settings."""

from collections.abc import Iterator, Sequence

from git_rvexp.commands.manual.page import ABOUT, CODES
from git_rvexp.commands.manual.verbs import EVERYWHERE, Argument, Verb, synopsis, verbs
from git_rvexp.settings import Key, keys
from git_rvexp.values import written

_MADE = "<!-- Made by dev/make_man from the program itself: change it there. -->"


def commands() -> str:
    """`docs/commands.md`: what every verb takes."""
    parts = [_MADE, "", "# Commands", "", ABOUT, "", "## Every verb", ""]
    shared = [a for a in verbs()[0].options if a.flags in EVERYWHERE]
    parts += _table(("option", "meaning"), [(_flags(a), _plain(a.about)) for a in shared])
    for verb in verbs():
        parts += _verb(verb)
    parts += ["## Exit codes", ""]
    parts += _table(("code", "meaning"), [(str(code), _plain(about)) for code, about in CODES.items()])
    return "\n".join(parts).rstrip() + "\n"


def settings() -> str:
    """`docs/settings.md`: every setting, its type, its default."""
    rows = [(f"`{key.name}`", _default(key), _plain(key.about) + (" †" if key.sensitive else "")) for key in keys()]
    about = (
        "Where settings come from, and how to change them: [configuration](configuration.md). Those marked † decide "
        "where code, secrets or money go: in a tracked file they count once you have confirmed them in your clone."
    )
    return "\n".join([_MADE, "", "# Settings, one by one", "", about, "", *_table(("key", "default", "meaning"), rows)])


def _verb(verb: Verb) -> Iterator[str]:
    yield from (f"## git rvexp {verb.name}", "", "```", f"git rvexp {synopsis(verb)}", "```", "")
    for paragraph in verb.about.strip("\n").split("\n\n"):
        if paragraph.startswith(" "):
            yield from ("```", *paragraph.splitlines(), "```", "")
        else:
            yield from (_plain(" ".join(paragraph.split())), "")
    told = [a for a in (*verb.words, *verb.options) if a.about and a.flags not in EVERYWHERE]
    if told:
        yield from _table(("option", "meaning"), [(_flags(a), _plain(a.about)) for a in told])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""


def _flags(argument: Argument) -> str:
    named = ", ".join(argument.flags)
    return f"`{f'{named} {argument.value}'.strip()}`".replace("|", "\\|")


def _default(key: Key) -> str:
    if isinstance(key.default, tuple):
        return "<br>".join(f"`{item}`" for item in key.default) or "none"
    return f"`{written(key.default)}`" if key.default not in ("", {}) else "none"


def _plain(text: str) -> str:
    """Text that Markdown shows as it stands."""
    for sign in "\\`*_<>[]{}|$":
        text = text.replace(sign, f"\\{sign}")
    return text
