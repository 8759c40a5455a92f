"""One hook file in one hooks folder: ours put there, beside another's, and taken away again.

A hook that is there already is moved to `<event>.rvexp-next` and called by ours with the same arguments and
input. pre-commit's script calls `<event>.legacy` itself, so ours goes there: chained the other way round the two
would call each other. Which hooks to have, and whether the folder is ours to write, is decided in `hooks`.
"""

import os
from pathlib import Path

from git_rvexp.errors import RvexpError

MARK = b"# git-rvexp hook: "
_PRE_COMMIT = b"https://pre-commit.com"


def shim(name: str) -> bytes:
    """The text of a hook that we ship, such as `pre-push` or `server/update`, from a wheel or a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_hooks", package.parent / "hooks"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    raise RvexpError(f"the hook {name} is missing from this installation", hint="install git-rvexp again")


def ours(folder: Path, event: str) -> Path | None:
    """Where our hook for `event` stands in `folder`."""
    for path in (folder / event, folder / f"{event}.legacy"):
        if MARK in _read(path)[:200]:
            return path
    return None


def alone(folder: Path, event: str) -> bool:
    """Whether no hook for `event` but ours, or none at all, is in `folder`."""
    others = [p for p in (folder / event, _next(folder, event)) if os.path.lexists(p) and p != ours(folder, event)]
    return not others


def place(folder: Path, event: str, text: bytes) -> bool:
    """Put or update our hook. False, with nothing changed, when a hook is in the way that cannot be chained."""
    mine = ours(folder, event)
    if mine:
        if mine.read_bytes() != text:
            write(mine, text)
        return True
    target = folder / event
    if _PRE_COMMIT in _read(target):
        target = folder / f"{event}.legacy"
    chained = _next(folder, event)
    if os.path.lexists(target):
        if os.path.lexists(chained):
            return False
        target.rename(chained)
    write(target, text)
    return True


def remove(folder: Path, event: str) -> bool:
    """Take our hook away and put back the one it called, as it was. False when ours is not there."""
    mine = ours(folder, event)
    if not mine:
        return False
    chained = _next(folder, event)
    if os.path.lexists(chained):
        chained.replace(mine)
    else:
        mine.unlink()
    return True


def write(path: Path, text: bytes) -> None:
    """An executable file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_bytes(text)
    partial.chmod(0o755)
    partial.replace(path)


def _next(folder: Path, event: str) -> Path:
    return folder / f"{event}.rvexp-next"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
