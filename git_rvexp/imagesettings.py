"""The settings that decide, with a tree, what is in an image: a snapshot's own go before today's."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from git_rvexp.config import Config, laid
from git_rvexp.layers import Layer
from git_rvexp.settings import Settings, keys
from git_rvexp.terms import Json
from git_rvexp.values import shown


def decides(name: str) -> bool:
    """Whether the setting of this name is one of them."""
    return name.startswith("image.") or name == "seed.inject"


def of_snapshot(config: Config, snapped: Layer) -> Config:
    """The configuration where the tracked file says of images what the `snapped` one says, and nothing else."""
    return laid(config.above, [_mixed(f, snapped) if f.tracked else f for f in config.files], config.profile)


def chosen(settings: Settings) -> dict[str, Json]:
    """Name -> value of those that are no defaults, as the record has them."""
    values = {key.name: (getattr(settings, key.attribute), key.default) for key in keys() if decides(key.name)}
    return {name: _json(value) for name, (value, default) in values.items() if value != default}


def differing(was: Mapping[str, Json], now: Mapping[str, Json]) -> list[str]:
    """A line for each in which what was chosen then is not what is chosen now."""
    unlike = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return [f"{name} = {_text(was, name)}, and {_text(now, name)} today" for name in unlike]


def _mixed(today: Layer, snapped: Layer) -> Layer:
    """Today's file with the settings of images from another one, in each profile too."""

    def one(now: Layer, then: Layer) -> Layer:
        kept = {name: value for name, value in now.values.items() if not decides(name)}
        ours = {name: value for name, value in then.values.items() if decides(name)}
        spelled = {**now.spelled, **{name: then.place(name) for name in ours}}
        return dataclasses.replace(now, values=kept | ours, spelled=spelled)

    nothing = dataclasses.replace(today, values={}, profiles={})
    profiles = {
        name: one(today.profiles.get(name, nothing), snapped.profiles.get(name, nothing))
        for name in [*today.profiles, *snapped.profiles]
    }
    return dataclasses.replace(one(today, snapped), profiles=profiles)


def _text(values: Mapping[str, Json], name: str) -> str:
    default = next(_json(key.default) for key in keys() if key.name == name)
    return shown(values.get(name, default)) or '""'


def _json(value: Any) -> Json:
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
