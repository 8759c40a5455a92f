"""Where the stack keeps its things.

Everything lives in `.dev/`, which git ignores, but for sockets where the clone's path is too long for the
kernel's limit of 107 bytes, and the archives of the base images, which are kept for other clones.
"""

import hashlib
import os
import re
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DEV = PROJECT / ".dev"

SOCKET_ROOM = 60  # what the engine appends below its folder: containerd/containerd-debug.sock and the like
SOCKET_LIMIT = 107  # sun_path is 108 bytes with its final zero: unix(7)


def identity() -> str:
    """Eight hex digits that tell this clone's stack from another clone's on the same machine."""
    return hashlib.sha256(str(PROJECT).encode()).hexdigest()[:8]


def folder(part: str) -> Path:
    """The folder of one part, made when missing."""
    path = DEV / part
    path.mkdir(parents=True, exist_ok=True)
    return path


def sockets() -> Path:
    """A folder for unix sockets: below `.dev` when that is short and plain, else in the temporary folder."""
    wanted = DEV / "run"
    if len(str(wanted)) + SOCKET_ROOM > SOCKET_LIMIT or re.search(r"[^\w./+-]", str(wanted)):
        wanted = Path(tempfile.gettempdir()) / f"rvexp-{identity()}"
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    if wanted.stat().st_uid != os.getuid():
        raise PermissionError(f"{wanted} belongs to somebody else: set TMPDIR to a folder of your own")
    return wanted


def cache() -> Path:
    """Where the base images' archives are kept between clones (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(base) / "git-rvexp"
    path.mkdir(parents=True, exist_ok=True)
    return path
