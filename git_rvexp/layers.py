"""The places settings come from, each read into one layer of values by key name: files, variables, git's config.

Which layer wins, and whether the values are any good, is `config`'s business.
"""

import dataclasses
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from git_rvexp import homes, tomltext
from git_rvexp.errors import UsageError
from git_rvexp.settings import keys

FILE = ".rvexp.toml"
LARGEST = 65536
"""Bytes. Settings of more are somebody's accident or attack."""


@dataclass(frozen=True)
class Layer:
    """Settings of one origin, by key name (`image.dockerfile`). `tracked` ones may be another person's.

    `text` is the file they stand in, `table` the part of it, `profiles` the other parts; `spelled` how a key is
    written there.
    """

    origin: str
    values: Mapping[str, Any]
    tracked: bool = False
    text: str = ""
    table: tomltext.Path = ()
    profiles: Mapping[str, "Layer"] = field(default_factory=dict)
    spelled: Mapping[str, str] = field(default_factory=dict)

    def place(self, name: str) -> str:
        """Where exactly `name` is set: file and line, variable, or git's own spelling."""
        if name in self.spelled:
            return self.spelled[name]
        line = tomltext.line_of(self.text, (*self.table, *name.split("."))) if self.text else None
        return f"{self.origin}:{line}" if line else self.origin


def from_file(path: Path, *, tracked: bool) -> Layer:
    """The layer of a TOML file; empty when there is none. UsageError with file and line when it cannot be read."""
    origin = str(path)
    try:
        kind = path.stat()
        if not stat.S_ISREG(kind.st_mode) or kind.st_size > LARGEST:
            raise UsageError(f"{origin} is no settings file: it must be a file of at most {LARGEST // 1024} KiB")
        text = path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return Layer(origin, {}, tracked)
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"{origin} cannot be read: {why}") from why
    return from_text(text, origin, tracked=tracked)


def from_text(text: str, origin: str, *, tracked: bool) -> Layer:
    """The layer of a TOML text. UsageError with its origin and line when it cannot be read."""
    content = tomltext.parse(text, origin)
    whole = Layer(origin, _flat({k: v for k, v in content.items() if k != "profile"}), tracked, text)
    return dataclasses.replace(whole, profiles=_profiles(whole, content.get("profile", {})))


def from_environment(environ: Mapping[str, str]) -> Layer:
    """RVEXP_BATCH_QUEUE, RVEXP_IMAGE_DOCKERFILE … (dots and case folded); variables of other meanings are not ours."""
    by_variable = {variable(k.name): k.name for k in keys()}
    values = {by_variable[v]: text for v, text in environ.items() if v in by_variable and text}
    return Layer("environment", values, spelled={name: f"environment {variable(name)}" for name in values})


def variable(name: str) -> str:
    """The environment variable of a key."""
    return "RVEXP_" + name.upper().replace(".", "_")


def git_name(name: str) -> str:
    """A key as git's configuration takes it: batch_queue is batchQueue."""
    return re.sub(r"_(.)", lambda found: found[1].upper(), name)


def from_git(entries: Iterable[tuple[str, str]]) -> Layer:
    """`git config rvexp.batchQueue` or rvexp.batch-queue: git's names have no `_`, so case and `-` are ignored.

    rvexp.local.* is this clone's own state and no setting; rvexp.profile chooses (see `load`).
    """
    by_squeezed = {squeezed(k.name): k.name for k in keys()}
    ours = [(n, value) for n, value in entries if not n.startswith("local.") and n != "profile"]
    named = {by_squeezed.get(squeezed(name), name): (name, value) for name, value in ours}
    spelled = {name: f"git config rvexp.{there}" for name, (there, _) in named.items()}
    return Layer("git config", {name: value for name, (_, value) in named.items()}, spelled=spelled)


def user_file(environ: Mapping[str, str]) -> Path:
    """The user's own settings file (XDG)."""
    return homes.settings(environ) / "git-rvexp" / "config.toml"


def _profiles(whole: Layer, content: Any) -> dict[str, Layer]:
    if not isinstance(content, dict) or not all(isinstance(part, dict) for part in content.values()):
        raise UsageError(f"profile in {whole.place('profile')} must be tables", hint="[profile.NAME]")
    return {
        name: dataclasses.replace(whole, values=_flat(part), table=("profile", name)) for name, part in content.items()
    }


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """Values by key name; what is neither a key nor a table that holds keys stays whole, to be told as unknown."""
    tables = {k.name for k in keys() if k.kind is dict}
    above = {name.rpartition(".")[0] for name in (k.name for k in keys())}
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict) and name not in tables and (value or name in above):
            for inner, leaf in value.items():
                whole = f"{name}.{inner}"
                flat |= _flat({whole: leaf}) if name in above else {whole: leaf}
        else:
            flat[name] = value
    return flat


def squeezed(name: str) -> str:
    """A key's name, or git's spelling of it, with what the two may differ in left out."""
    return name.lower().replace("-", "").replace("_", "")
