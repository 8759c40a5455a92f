"""Where settings come from: flag > RVEXP_* > git config rvexp.* > .rvexp.toml > the user's file > default.

A profile (`[profile.NAME]` in either file) lies over both files. Nothing in a tracked file that decides where code,
secrets or money go counts until the user has confirmed it in this clone (`unconfirmed`, `fingerprint`). Changing a
file is `workflow.setup`'s business, TOML itself `tomltext`'s.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from git_rvexp.errors import UsageError
from git_rvexp.layers import Layer, from_environment, from_file, from_git, user_file, variable
from git_rvexp.settings import Key, Settings, keys
from git_rvexp.values import WrongValueError, typed

PROFILE = "RVEXP_PROFILE"
_TO_US = ("PROFILE", "DEBUG", "ARCHIVE_TOKEN")
_TO_JOBS = ("TAG", "COMMIT", "RUN", "SEED", "IMAGE", "INPUTS", "SHARED", "CHAIN", "STEP")
_NO_SETTINGS = frozenset(f"RVEXP_{name}" for name in (*_TO_US, *_TO_JOBS))
"""Variables that tell something to us, or to jobs, and are no settings."""
_REMOTES = ("experiments_remote", "github_experiment_repo")


@dataclass(frozen=True)
class Config:
    """The settings in force, for each key set anywhere the layer it came from, and the settings nobody else chose."""

    settings: Settings
    origins: Mapping[str, Layer] = field(default_factory=dict)
    own: Settings = field(default_factory=Settings)
    profile: str = ""
    above: tuple[Layer, ...] = ()
    files: tuple[Layer, ...] = ()

    def origin(self, name: str) -> str:
        """Where a key's value came from; "default" when nobody set it."""
        return self.origins[name].place(name) if name in self.origins else "default"

    @property
    def confirming(self) -> str:
        """What a user types to stand by `chosen`, under the profile that is in force."""
        return f"git rvexp init --confirm{self.flag}"

    @property
    def flag(self) -> str:
        """What a command has to have behind its verb to be under the profile that is in force, with a space before."""
        import shlex  # noqa: PLC0415  a look at a clone quotes nothing

        return f" --profile {shlex.quote(self.profile)}" if self.profile else ""

    def chosen(self) -> dict[str, Any]:
        """Values in force that a tracked file chose and that decide where code, secrets or money go."""
        found: dict[str, Any] = {}
        for key in keys():
            if key.name in self.origins and self.origins[key.name].tracked:
                value, own = (key.risky(getattr(s, key.attribute)) for s in (self.settings, self.own))
                if value != own:
                    found[key.name] = value
        return found

    def unconfirmed(self, confirmed: str) -> dict[str, Any]:
        """What of `chosen` is open: the values whose fingerprint is none of the words of `confirmed`.

        One by one, so that a flag or a variable that goes before one confirmed value opens none of the others.
        """
        held = confirmed.split()
        return {name: value for name, value in self.chosen().items() if fingerprint(name, value) not in held}


def fingerprint(name: str, value: Any) -> str:
    """What is stored when the user confirms a setting's value: any change asks again."""
    import hashlib  # noqa: PLC0415  a look at a clone confirms nothing
    import json  # noqa: PLC0415  as above

    return hashlib.sha256(json.dumps([name, value], sort_keys=True).encode()).hexdigest()[:32]


def load(
    flags: Mapping[str, object], environ: Mapping[str, str], entries: Iterable[tuple[str, str]], file: Path
) -> Config:
    """The configuration of a clone: `entries` are its git config without "rvexp.", `file` its tracked settings.

    UsageError when any layer, or a profile of a file, is wrong, or there is no profile of the wanted name.
    """
    entries = list(entries)
    above = [
        Layer("command line", {k: v for k, v in flags.items() if v is not None}),
        from_environment(environ),
        from_git(entries),
    ]
    files = [from_file(file, tracked=True), from_file(user_file(environ), tracked=False)]
    for part in (part for layer in files for part in layer.profiles.values()):
        merge([part])
    profile = environ.get(PROFILE) or dict(entries).get("profile", "")
    return laid(above, files, profile)


def laid(above: Iterable[Layer], files: Sequence[Layer], profile: str) -> Config:
    """The configuration of `files`, the profile of that name over them, and of the layers `above` all of it."""
    above = tuple(above)
    merged = merge([*above, *_overlays(files, profile), *files])
    return dataclasses.replace(merged, profile=profile, above=above, files=tuple(files))


def merge(layers: Iterable[Layer]) -> Config:
    """The configuration of `layers`, highest first. UsageError names place and nearest key for what is wrong."""
    known = {k.name: k for k in keys()}
    origins: dict[str, Layer] = {}
    chosen: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for layer in layers:
        for key, value in _checked(layer, known):
            if key.name not in origins and not _overruled(key, chosen):
                origins[key.name], chosen[key.attribute] = layer, value
            if not layer.tracked and not _overruled(key, own):
                own.setdefault(key.attribute, value)
    return Config(Settings(**chosen), origins, Settings(**own))


def misspelt(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables that are called nearly as a setting's, each with that one. Others of RVEXP_* may be anybody's."""
    known = {variable(key.name) for key in keys()}
    strange = [n for n in environ if n.startswith("RVEXP_") and n not in known and n not in _NO_SETTINGS]
    return [(name, near[0]) for name in strange if (near := _near(name, known, cutoff=0.9))]


def find(name: str) -> Key:
    """The key called `name`; UsageError with the nearest one."""
    known = {k.name: k for k in keys()}
    if name not in known:
        raise _unknown(None, name, known)
    return known[name]


def _overlays(files: Sequence[Layer], profile: str) -> Iterator[Layer]:
    found = [layer.profiles[profile] for layer in files if profile in layer.profiles]
    if profile and not found:
        names = sorted({name for layer in files for name in layer.profiles})
        near = _near(profile, names)
        hint = f"did you mean {near[0]}?" if near else f"write [profile.{profile}] in {files[-1].origin}"
        raise UsageError(f"there is no profile {profile!r} in {' or '.join(f.origin for f in files)}", hint=hint)
    yield from found


def _near(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> list[str]:
    import difflib  # noqa: PLC0415  only for a slip

    return difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)


def _unknown(layer: Layer | None, name: str, known: Mapping[str, Key]) -> UsageError:
    near = _near(name, known, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "git rvexp config list"
    return UsageError(f"unknown setting {name!r}" + (f" in {layer.place(name)}" if layer else ""), hint=hint)


def _checked(layer: Layer, known: Mapping[str, Key]) -> Iterator[tuple[Key, Any]]:
    for name, raw in layer.values.items():
        key = known.get(name)
        if key is None:
            raise _unknown(layer, name, known)
        try:
            yield key, typed(key, raw)
        except WrongValueError as why:
            raise UsageError(f"{name} in {layer.place(name)} {why}, not {raw!r}", hint="git rvexp help config") from why
    if all(layer.values.get(name) for name in _REMOTES):
        places = "\n".join(f"  {layer.place(name)}" for name in _REMOTES)
        raise UsageError(f"{' and '.join(_REMOTES)} are both set\n{places}", hint="keep one of them")


def _overruled(key: Key, chosen: Mapping[str, Any]) -> bool:
    """Whether a higher layer has named the remote by the other of the two keys."""
    return key.name in _REMOTES and any(chosen.get(name) for name in _REMOTES if name != key.name)
