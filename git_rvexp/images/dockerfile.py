"""What a Dockerfile takes from its build context, read without running it; only as far as `environment` needs it.

Whatever cannot be told for certain (variables, a changed escape character, mounted context) is Unfit: the engine, which
knows, then builds the whole.
"""

import itertools
import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from git_rvexp.images.delta import Unfit

_OPTIONS = r"(?:\s+-[^\s;&|]+(?:\s+[^\s;&|-][^\s;&|]*)?){0,9}"  # each with a value, or without
_INSTALLS = re.compile(
    rf"\b(?:pip[\d.]*|uv(?:{_OPTIONS}\s+pip)?|pipx|conda){_OPTIONS}\s+install\b(?P<words>[^&;|]*)"
    rf"|\bsetup\.py{_OPTIONS}\s+(?P<setup>install|build\w*|bdist\w*)\b"
    r"|\bpython3?\s+-m\s+(?P<build>build)\b"
)
_EDITABLE = ("-e", "--editable")
_BODIED = ("RUN", "COPY", "ADD")
"""The instructions that here-documents belong to."""
_WORD = re.compile(r"""(?:<<-?[ \t]*|"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+""")
_HEREDOC = re.compile(r"\d*<<(?P<tabs>-?)\s*(?P<end>[^<]+)")


class Copy(NamedTuple):
    """One source of a COPY or ADD and the absolute place it goes to; `into` when that is a folder for a file's sake.

    `plain` is False when something is done to it on the way (ADD's unpacking, another owner or mode).
    """

    source: str
    target: str
    into: bool
    plain: bool = True
    owner: str = ""


@dataclass
class Stage:
    """A build stage: its name, what it is built on, and what it copies."""

    name: str
    base: str
    copies: list[Copy] = field(default_factory=list)
    workdir: str = ""


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile in their order. Unfit with the reason when it cannot be told what they take."""
    if re.match(r"(?:\s*#.*\n)*\s*#\s*escape\s*=\s*[^\\\s]", text, re.IGNORECASE):
        raise Unfit("the Dockerfile changes its escape character")
    made: list[Stage] = []
    for word, rest in _instructions(text):
        if word == "FROM":
            words = [w for w in rest.split() if not w.startswith("--")]
            name = words[2] if len(words) == 3 and words[1].upper() == "AS" else str(len(made))
            made.append(Stage(name.lower(), words[0].lower() if words else ""))
            inherited = next((s for s in made[:-1] if s.name == made[-1].base), None)
            made[-1].workdir = inherited.workdir if inherited else ""
        elif made:
            _take(made[-1], word, rest)
    return made


def chain(all_stages: list[Stage], target: str) -> list[Stage]:
    """The stages that the image consists of: the target (default: the last one) and those it is built on."""
    by_name = {s.name: s for s in all_stages}
    wanted = by_name.get(target.lower()) if target else next(reversed(all_stages), None)
    found: list[Stage] = []
    while wanted and wanted not in found:
        found.append(wanted)
        wanted = by_name.get(wanted.base)
    return found


def _take(stage: Stage, word: str, rest: str) -> None:
    if word == "WORKDIR":
        stage.workdir = posixpath.join(stage.workdir, rest) if "$" not in rest else "$"
    elif word in ("COPY", "ADD"):
        stage.copies += _copies(stage, word, rest)
    elif word == "RUN":
        _check_run(rest)


def _copies(stage: Stage, word: str, rest: str) -> Iterator[Copy]:
    flags, words = _words(rest)
    if "from" in flags or not words:
        return
    if "$" in rest or stage.workdir.startswith("$"):
        raise Unfit(f"its {word} {rest} depends on a variable")
    if not words[-1].startswith("/") and not stage.workdir.startswith("/"):
        raise Unfit(f"its {word} {rest} goes to a folder that only the base image knows")
    target = posixpath.normpath(posixpath.join(stage.workdir or "/", words[-1]))
    for source in words[:-1]:
        if source.startswith(("<<", "git@")) or "://" in source:
            continue
        plain = not set(flags) - {"chown", "link"}
        name = posixpath.normpath(source.lstrip("/") or ".")
        into = words[-1].endswith(("/", "/.")) or words[-1] == "." or len(words) > 2
        yield Copy(name, target, into, plain and word == "COPY", flags.get("chown", ""))


def _check_run(rest: str) -> None:
    for mount in re.findall(r"--mount=(\S+)", rest):
        kind = dict(part.partition("=")[::2] for part in mount.split(","))
        if kind.get("type", "bind") == "bind" and "from" not in kind:
            raise Unfit(f"a RUN mounts the build context: --mount={mount}")
    for found in _INSTALLS.finditer(" ".join(_words(rest)[1])):  # the exec form too is one line then
        words = (found["words"] or "").split()
        local = [w for w in words if re.match(r"[\"']?(?:\.{0,2}/|\.(?:$|\[|[\"']))", w)]
        before = {w: words[i - 1] for i, w in enumerate(words) if i}
        copied = [w for w in local if before.get(w) not in (*_EDITABLE, "-r", "-c", "--requirement", "--constraint")]
        if copied or found["setup"] or found["build"]:
            raise Unfit(f"a RUN installs the code itself, so that it also stands in site-packages: {found[0].strip()}")


def _words(rest: str) -> tuple[dict[str, str], list[str]]:
    flags: dict[str, str] = {}
    while match := re.match(r"--([a-z]+)(?:=(\S*))?\s+", rest):
        flags[match[1]] = match[2] or ""
        rest = rest[match.end() :]
    if rest.startswith("["):
        try:
            return flags, [str(w) for w in json.loads(rest)]
        except (ValueError, RecursionError):
            pass
    return flags, rest.split()


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Every instruction with its lines joined; comments, and the bodies of COPY's here-documents, are left out."""
    lines = (line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n"))
    for line in lines:
        if _skipped(line):
            continue
        whole = line.strip()
        while whole.endswith("\\"):
            if whole.endswith("\\\\"):
                raise Unfit("a line ends with two backslashes: not every builder goes on with the next")
            whole = whole[:-1] + next((more for more in lines if not _skipped(more)), "").rstrip()
        word, rest, *_ = *whole.split(maxsplit=1), "", ""
        if word.upper() in _BODIED:
            body = "\n".join(_bodies(rest, lines)).replace("\\\n", " ")
            rest += " ; " + body.replace("\n", " ; ") if word.upper() == "RUN" and body else ""
        yield word.upper(), rest.strip()


def _skipped(line: str) -> bool:
    """Whether an instruction goes on after the line as if it were not there."""
    return not line.strip() or line.lstrip().startswith("#")


def _bodies(rest: str, lines: Iterator[str]) -> Iterator[str]:
    """The lines of an instruction's here-documents, taken from `lines`. As in BuildKit `<<` has to begin a word."""
    for word in _WORD.findall(rest):
        found = _HEREDOC.fullmatch(word)
        try:
            end = shlex.split(found["end"]) if found else []
        except ValueError:  # an open quote
            continue
        if found and len(end) == 1:
            shorn = (line.lstrip("\t" if found["tabs"] else "") for line in lines)
            yield from itertools.takewhile(end[0].__ne__, shorn)
