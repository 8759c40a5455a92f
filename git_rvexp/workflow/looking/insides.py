"""What differs inside two images: configuration, layers, packages. Read from this machine's engine.

The images are looked at, never run. One that only a registry has is not pulled for it.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from git_rvexp.data.packages import packages
from git_rvexp.errors import RvexpError
from git_rvexp.images.engine import Engine
from git_rvexp.names import Digest
from git_rvexp.terms import Json
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.looking.change import between
from git_rvexp.workflow.looking.compare import Difference, Side

_CONFIG = ("Cmd", "Entrypoint", "WorkingDir", "User")
_OURS = ("io.git-rvexp.", "RVEXP_")


@dataclass(frozen=True)
class _Inside:
    """An image in the engine: its id, its configuration as far as it is compared, its layers."""

    id: Digest
    config: Mapping[str, Json]
    layers: Sequence[str]


def with_insides(context: Context, found: Difference) -> Difference:
    """The same with what differs inside the images. RvexpError when the engine does not have both."""
    engine = Engine.connect(context.environ)
    left, right = (_inside(engine, side) for side in (found.left, found.right))
    changes = list(between("image", left.config, right.config))
    if list(left.layers) != list(right.layers):
        own = ([layer for layer in a.layers if layer not in b.layers] for a, b in ((left, right), (right, left)))
        changes += between("image layers of its own", *own)
        changes += between("package", _packages(engine, left), _packages(engine, right))
    return dataclasses.replace(found, changes=(*found.changes, *changes))


def _inside(engine: Engine, side: Side) -> _Inside:
    recorded = side.record.last("image")
    names = [side.run.planned.get("image")] if side.run else []
    names += [recorded.get("ref"), recorded.get("id")] if recorded else []
    for name in (str(n) for n in names if n):
        content, known = engine.content(name), engine.inspect(name)
        if content and known:
            return _Inside(known.id, _compared(content[0]), content[1])
    told = side.snapshot.tag or side.snapshot.commit
    if not names:
        raise RvexpError(f"{told} has no image", hint=f"git rvexp build {told}")
    raise RvexpError(f"the Docker engine of this machine lacks the image of {told}", hint=f"docker pull {names[0]}")


def _compared(config: Mapping[str, Json]) -> dict[str, Json]:
    """A configuration without what differs by nature, because we write the snapshot's name into it."""
    variables = dict(pair.partition("=")[::2] for pair in config.get("Env") or [])
    told = {"env": variables, "label": config.get("Labels") or {}}
    plain = {kind: {k: v for k, v in of.items() if not k.startswith(_OURS)} for kind, of in told.items()}
    return plain | {key: config.get(key) or None for key in _CONFIG}


def _packages(engine: Engine, inside: _Inside) -> dict[str, str]:
    with engine.container(inside.id) as container:
        return packages(engine.files(container))
