"""Where settings come from: flag > RVEXP_* > git config rvexp.* > .rvexp.toml > the user's file > default.

The only door to TOML. Nothing in a tracked file that decides where code, secrets or money go counts until the
user has confirmed it in this clone (`unconfirmed`, `fingerprint`). Files are never rewritten here.
"""

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from git_rvexp.errors import UsageError
from git_rvexp.settings import Key, Settings, keys

FILE = ".rvexp.toml"


@dataclass(frozen=True)
class Layer:
    """Settings of one origin, by key name (`image.dockerfile`). `tracked` ones may be another person's."""

    origin: str
    values: Mapping[str, Any]
    tracked: bool = False


@dataclass(frozen=True)
class Config:
    """The settings in force, and for each key set anywhere the layer it came from."""

    settings: Settings
    origins: Mapping[str, Layer] = field(default_factory=dict)

    def origin(self, name: str) -> str:
        """Where a key's value came from; "default" when nobody set it."""
        return self.origins[name].origin if name in self.origins else "default"

    def unconfirmed(self, confirmed: str) -> dict[str, Any]:
        """Sensitive values in force that only a tracked file chose, unless `confirmed` is their fingerprint."""
        values = {
            k.name: getattr(self.settings, k.attribute)
            for k in keys()
            if k.sensitive and k.name in self.origins and self.origins[k.name].tracked
        }
        return {} if not values or fingerprint(values) == confirmed else values


def fingerprint(values: Mapping[str, Any]) -> str:
    """What is stored when the user confirms `values`: any change asks again."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]


def merge(layers: Iterable[Layer]) -> Config:
    """The configuration of `layers`, highest first. UsageError names origin and nearest key for what is wrong."""
    known = {k.name: k for k in keys()}
    origins: dict[str, Layer] = {}
    chosen: dict[str, Any] = {}
    for layer in layers:
        for name, raw in layer.values.items():
            key = known.get(name)
            if key is None:
                raise _unknown(layer.origin, name, known)
            value = _typed(layer.origin, key, raw)
            if name not in origins:
                origins[name], chosen[key.attribute] = layer, value
    settings = dataclasses.replace(Settings(), **chosen)
    _check(settings, origins)
    return Config(settings, origins)


def from_file(path: Path, *, tracked: bool) -> Layer:
    """The layer of a TOML file; empty when there is none. UsageError with file and line when it cannot be read."""
    import tomli  # noqa: PLC0415  loaded only when a file is there

    origin = str(path)
    try:
        content = tomli.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Layer(origin, {}, tracked)
    except tomli.TOMLDecodeError as why:
        raise UsageError(f"{origin} is not valid TOML: {why}", hint="git rvexp help config") from why
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"{origin} cannot be read: {why}") from why
    return Layer(origin, _flat(content), tracked)


def from_environment(environ: Mapping[str, str]) -> Layer:
    """RVEXP_BATCH_QUEUE, RVEXP_IMAGE_DOCKERFILE … (dots and case folded); variables of other meanings are not ours."""
    by_variable = {"RVEXP_" + k.name.upper().replace(".", "_"): k.name for k in keys()}
    values = {by_variable[v]: text for v, text in environ.items() if v in by_variable and text}
    return Layer("environment", values)


def from_git(entries: Iterable[tuple[str, str]]) -> Layer:
    """`git config rvexp.batchQueue` or rvexp.batch-queue: git's names have no `_`, so case and `-` are ignored.

    rvexp.local.* is this clone's own state (see `git_rvexp.git.repo`) and no setting.
    """
    by_squeezed = {_squeezed(k.name): k.name for k in keys()}
    values = {by_squeezed.get(_squeezed(name), name): value for name, value in entries if not name.startswith("local.")}
    return Layer("git config", values)


def user_file(environ: Mapping[str, str]) -> Path:
    """The user's own settings file (XDG)."""
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".config")
    return Path(base) / "git-rvexp" / "config.toml"


def _squeezed(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    tables = {k.name for k in keys() if k.kind is dict}
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict) and name not in tables:
            for inner, leaf in value.items():
                flat[f"{name}.{inner}"] = leaf
        else:
            flat[name] = value
    return flat


def _unknown(origin: str, name: str, known: Mapping[str, Key]) -> UsageError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "git rvexp config list"
    return UsageError(f"unknown setting {name!r} in {origin}", hint=hint)


def _typed(origin: str, key: Key, raw: Any) -> Any:
    wrong = UsageError(f"{key.name} in {origin} must be {_KINDS[key.kind]}, not {raw!r}")
    if key.kind is dict:
        pairs = raw if isinstance(raw, dict) else _pairs(raw) if isinstance(raw, str) else None
        if pairs is None or not all(isinstance(v, str) for v in pairs.values()):
            raise wrong
        return pairs
    if isinstance(raw, str) and key.kind is not str:
        return _from_text(key, raw, wrong)
    if key.kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if type(raw) is not key.kind:
        raise wrong
    return raw


_KINDS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table of strings",
}


def _from_text(key: Key, raw: str, wrong: UsageError) -> Any:
    if key.kind is bool:
        if raw.lower() in ("true", "1", "yes", "on", "false", "0", "no", "off"):
            return raw.lower() in ("true", "1", "yes", "on")
        raise wrong
    try:
        return key.kind(raw)
    except ValueError:
        raise wrong from None


def _pairs(raw: str) -> dict[str, str] | None:
    parts = [p.partition("=") for p in raw.split(",") if p]
    return {k: v for k, _, v in parts} if all(eq for _, eq, _ in parts) else None


def _check(settings: Settings, origins: Mapping[str, Layer]) -> None:
    if settings.executor not in ("auto", "docker", "batch"):
        raise UsageError(f"executor in {origins['executor'].origin} must be auto, docker or batch")
    if settings.experiments_remote and settings.github_experiment_repo:
        raise UsageError(
            "experiments_remote and github_experiment_repo are both set\n"
            f"  {origins['experiments_remote'].origin}\n  {origins['github_experiment_repo'].origin}",
            hint="keep one of them",
        )
