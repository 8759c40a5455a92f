"""The settings files as we write them: the text of a new one, and one key set in an existing one.

An existing file is changed line by line and its comments stay (`tomledit`). Who may choose what is `trust`'s business.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from git_rvexp import tomltext
from git_rvexp.errors import UsageError
from git_rvexp.layers import from_file
from git_rvexp.settings import Key, keys
from git_rvexp.tomledit import assigned, assignment, removed

_HEAD = """\
# The settings of git rvexp, each with its default. Flags, RVEXP_* variables and `git config rvexp.*` come first;
# `git rvexp config list --show-origin` tells what is in force. [profile.NAME] tables are laid over all with --profile.
"""


def example() -> str:
    """`.rvexp.toml.example`: every key with its default."""
    return _written(lambda key: assignment(_last(key), key.default))


def fresh(values: Mapping[str, Any]) -> str:
    """A new settings file: `values` set, every other key shown in a comment."""

    def line(key: Key) -> str:
        chosen = key.name in values
        return ("" if chosen else "#") + assignment(_last(key), values.get(key.name, key.default))

    return _written(line)


def edited(path: Path, values: Mapping[str, Any]) -> tuple[str, str]:
    """The text of the file at `path` before and after `values` are set; a new file when there is none."""
    layer = from_file(path, tracked=True)
    if not path.exists():
        return "", fresh(values)
    text = path.read_bytes().decode()
    after = text
    for name, value in values.items():
        if name not in layer.values or layer.values[name] != value:
            after = assigned(after, tuple(name.split(".")), value, str(path))
    tomltext.parse(after, str(path))
    return text, after


def without(path: Path, name: str) -> tuple[str, str]:
    """The text of the file at `path` before and after the setting `name` is taken out; the same where it is not set."""
    layer = from_file(path, tracked=True)
    if name not in layer.values:
        return layer.text, layer.text
    return layer.text, removed(layer.text, tuple(name.split(".")), str(path))


def write(path: Path, text: str, *, tracked: bool) -> None:
    """Put `text` at `path` all at once. A tracked link is not followed: it leads where another person wanted.

    UsageError when the file cannot be written.
    """
    if tracked and path.is_symlink():
        raise UsageError(f"{path} is a symbolic link; settings are not written through it", hint="replace it by a file")
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(target) as new:
            new.write_bytes(text.encode())
    except OSError as why:
        raise UsageError(f"{path} cannot be written: {why}") from why


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)
    os.close(handle)
    new = Path(name)
    try:
        yield new
        mask = os.umask(0)
        os.umask(mask)
        new.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~mask)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def _last(key: Key) -> str:
    return key.name.rpartition(".")[2]


def _written(line: Callable[[Key], str]) -> str:
    """All keys by table, each as `line` puts it, with what it is about."""
    lines = [_HEAD.rstrip()]
    table = ""
    for key in sorted(keys(), key=lambda k: "." in k.name):
        above = key.name.rpartition(".")[0]
        if above != table or len(lines) == 1:
            lines += ["", *([f"[{above}]"] if above else [])]
            table = above
        lines.append(f"{line(key)}  # {key.about}")
    return "\n".join(lines) + "\n"
