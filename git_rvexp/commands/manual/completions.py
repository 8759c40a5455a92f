"""The completion scripts. What TAB may start is git and nothing else: snapshots come from for-each-ref.

Each script is a frame written by hand with the verbs' words put in; `dev/make_man` keeps copies in completions/.
"""

from collections.abc import Iterable, Iterator

from git_rvexp.commands.manual.frames import BASH, FISH, ZSH
from git_rvexp.commands.manual.verbs import Argument, Verb, verbs
from git_rvexp.settings import keys

FILES = {"bash": "git-rvexp.bash", "zsh": "_git-rvexp", "fish": "git-rvexp.fish"}
"""Shell -> the file's name in completions/."""


def script(shell: str) -> str:
    """The completion script of bash, zsh or fish."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]()


def _bash() -> str:
    return _filled(BASH, names=" ".join(v.name for v in verbs()), values="\n".join(_values()), verbs=_cases())


def _zsh() -> str:
    named = "\n".join(f"        {_quoted(f'{v.name}:{v.summary}')}" for v in verbs())
    return _filled(ZSH, names=named, values="\n".join(_values()), verbs=_cases())


def _fish() -> str:
    return _filled(FISH, lines="\n".join(line for verb in verbs() for line in _fish_verb(verb)))


def _filled(frame: str, **parts: str) -> str:
    for name, part in parts.items():
        frame = frame.replace(f"@{name}@", part)
    return frame


def _values() -> Iterator[str]:
    """What may follow an option that takes a value: its choices, else files."""
    for verb in verbs():
        for option in verb.options:
            if option.value:
                pattern = "|".join(f"{verb.name}:{flag}" for flag in option.flags)
                yield f"        {pattern}) words={_quoted(' '.join(option.choices))} given=1 ;;"


def _cases() -> str:
    """Each verb's options, the words it takes, and whether it takes a snapshot, and a file before all else."""
    return "\n".join(
        f"        {verb.name}) flags={_quoted(' '.join(verb.flags))} words={_quoted(' '.join(_words(verb)))}"
        f"{' tags=1' if verb.names_snapshot else ''}{' file=1' if verb.begins_with_file else ''} ;;"
        for verb in verbs()
    )


def _words(verb: Verb) -> Iterable[str]:
    for word in verb.words:
        yield from word.choices
        if word.value == "KEY":
            yield from (key.name for key in keys())
        if word.value == "VERB":
            yield from (v.name for v in verbs())


def _fish_verb(verb: Verb) -> Iterator[str]:
    yield f"__rvexp_complete 'not __rvexp_verb' -f -a {verb.name} -d {_quoted(verb.summary)}"
    at = f"__rvexp_complete '__rvexp_at {verb.name}'"
    if verb.begins_with_file:
        yield f"__rvexp_complete '__rvexp_at {verb.name}; and not __rvexp_word' -F"
    if verb.names_snapshot:
        later = f"__rvexp_complete '__rvexp_at {verb.name}; and __rvexp_word'"
        yield f"{later if verb.begins_with_file else at} -f -a '(__rvexp_tags)'"
    if words := " ".join(_words(verb)):
        yield f"{at} -f -a {_quoted(words)}"
    for option in verb.options:
        yield f"{at} {'-F' if option.names_file else '-f'} {_fish_option(option)}"


def _fish_option(option: Argument) -> str:
    flags = [f"-l {f[2:]}" if f.startswith("--") else f"-s {f[1:]}" for f in option.flags]
    takes = ["-r"] if option.value else []
    chosen = [f"-a {_quoted(' '.join(option.choices))}"] if option.choices else []
    return " ".join([*flags, *takes, *chosen, f"-d {_quoted(option.about)}"])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
