"""The layer that seeds: a small import hook over a built image, found by the Pythons in it through PYTHONPATH.

The hook is a file of this package (`_seed/sitecustomize.py`) that nothing here imports. It is no part of the user's
tree; its hash is part of the image's recipe, so an image with it is never taken for one without.
"""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from git_rvexp.errors import RvexpError
from git_rvexp.names import Digest

if TYPE_CHECKING:
    from git_rvexp.images.engine import Engine

FOLDER = "/opt/rvexp-seed"
_FILE = "sitecustomize.py"


def hook() -> bytes:
    """The hook's source."""
    return (Path(__file__).parent.parent / "_seed" / _FILE).read_bytes()


def mark() -> str:
    """What stands for the hook in a recipe."""
    return hashlib.sha256(hook()).hexdigest()


def layered(engine: "Engine", image: Digest, name: str, labels: Mapping[str, str]) -> Digest:
    """`image` with the hook and `labels`, called `name`; RvexpError with the engine's words when that fails."""
    made = ""
    for line in engine.build(_context(image), {"tag": name, "labels": dict(labels)}):
        if "error" in line:
            raise RvexpError(f"the seeding layer cannot be made: {line['error']}", hint="git rvexp doctor")
        made = (line.get("aux") or {}).get("ID", made)
    if not made:
        raise RvexpError("the engine ended without a seeding layer", hint="git rvexp doctor")
    return Digest(made)


def _context(image: Digest) -> io.BytesIO:
    import tarfile  # noqa: PLC0415  not for naming the hook

    # An empty entry in PYTHONPATH would mean the current folder, so the colon comes only with what follows it.
    dockerfile = (
        f"FROM {image}\nCOPY {_FILE} {FOLDER}/{_FILE}\nENV PYTHONPATH={FOLDER}${{PYTHONPATH:+:$PYTHONPATH}}\n"
    ).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in (("Dockerfile", dockerfile), (_FILE, hook())):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
    out.seek(0)
    return out
