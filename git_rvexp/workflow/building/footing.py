"""The folders of a pinned base that the code is laid into, found out once in a clone and kept there.

They follow from the base's digest, so they are the same in every clone, whether a registry or an engine was asked.
"""

import json
from collections.abc import Callable, Collection, Mapping

from git_rvexp.images import folders
from git_rvexp.images.copying import streamed
from git_rvexp.images.delta import Folder
from git_rvexp.images.engine import Engine
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.names import Digest
from git_rvexp.workflow.building.engine import Task
from git_rvexp.workflow.building.recorded import kept as kept_of

Footing = Mapping[bytes, Folder]
Ask = Callable[[Collection[bytes]], Footing]
"""Which of these paths (with no slash at either end) are folders of the base, and how they stand there."""


def published(task: Task, registry: Registry, base: Manifest) -> Ask:
    """Asks the layers of the image `base` in `registry`."""
    layers = base.content.get("layers") or []

    def ask(wanted: Collection[bytes]) -> Footing:
        told = f"looking for the folders of {task.settings.image_base}"
        task.say(f"{told} that the code goes into, once")
        with task.progress(told, sum(int(each["size"]) for each in layers), "") as step:
            blobs = (streamed(registry, Digest(str(d["digest"])), int(d["size"]), step) for d in reversed(layers))
            return folders.in_layers(blobs, wanted)

    return _kept(task, base.digest, ask)


def loaded(task: Task, engine: Engine, base: Digest) -> Ask:
    """Asks the engine that has the image `base`."""
    return _kept(task, base, lambda wanted: folders.in_engine(engine, base, wanted))


def _kept(task: Task, base: Digest, ask: Ask) -> Ask:
    kept = kept_of(task.repo)

    def remembered(wanted: Collection[bytes]) -> Footing:
        names = sorted(path.decode("utf-8", "surrogateescape") for path in wanted)
        question = f"folders of {base}: {json.dumps(names)}"
        digest = kept.named(question)
        data = kept.get(digest) if digest else None
        if data is None:
            data = _written(ask(wanted))
            kept.put(data)
            kept.name(question, Digest.of(data))
        return _read(data)

    return remembered


def _written(found: Footing) -> bytes:
    content = {path.decode("utf-8", "surrogateescape"): [mode, *owner] for path, (mode, owner) in found.items()}
    return json.dumps(content, sort_keys=True).encode()


def _read(data: bytes) -> Footing:
    content = json.loads(data)
    return {path.encode("utf-8", "surrogateescape"): Folder(m, (u, g)) for path, (m, u, g) in content.items()}
