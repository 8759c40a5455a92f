"""Which filter git's attributes give a file, and whether this machine has it: without it, git stores raw content."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from git_rvexp.errors import RvexpError
from git_rvexp.git.lfs import Pointer
from git_rvexp.git.plumbing import Repo
from git_rvexp.pieces import SIZE
from git_rvexp.quoting import quoted
from git_rvexp.tree import blob_id

LFS = "lfs"
_SHOWN = 10


def refuse_unfiltered(repo: Repo, paths: Iterable[str], stored: Mapping[str, str] = MappingProxyType({})) -> None:
    """RvexpError where attributes send one of `paths` through a filter that is not configured.

    Git then stores the file as it is on the disk, without a word. That loses nothing where a Git LFS pointer was never
    filled, which is what the filter would make, or a file is as git has it already: `stored` names blobs by path.
    """
    wrong = [
        f"{quoted(path)}  (filter={driver})"
        for path, driver in filters(repo, paths).items()
        if not any(repo.setting(f"filter.{driver}.{kind}") for kind in ("clean", "process"))
        and _loses(repo.top / path, driver, stored.get(path, ""))
    ]
    if wrong:
        raise RvexpError(
            f"the attributes name filters that are not configured in {quoted(str(repo.top))}, "
            "so raw content would be stored\n" + listed(wrong),
            hint="git lfs install, or set up the filter, or drop it from .gitattributes",
        )


def _loses(file: Path, driver: str, blob: str) -> bool:
    if file.is_symlink() or not file.is_file():  # git filters no others
        return False
    if driver == LFS and Pointer.standing_at(file):
        return False
    try:
        with file.open("rb") as content:
            pieces = iter(lambda: content.read(SIZE), b"")
            return not blob or blob_id(pieces, file.stat().st_size, width=len(blob)) != blob
    except OSError:  # not to be read: git would say so, if it were asked
        return True


def filtered(repo: Repo, paths: Iterable[str], driver: str) -> set[str]:
    """Those of `paths` whose attribute `filter` is `driver`."""
    return {path for path, value in filters(repo, paths).items() if value == driver}


def filters(repo: Repo, paths: Iterable[str]) -> dict[str, str]:
    """The filter driver that the attributes give each of `paths`, where there is one."""
    asked = b"".join(os.fsencode(p) + b"\0" for p in paths)
    words = repo.git("check-attr", "-z", "--stdin", "filter", stdin=asked).out.split(b"\0")
    told = zip(words[::3], words[2::3], strict=False)
    return {os.fsdecode(p): v.decode() for p, v in told if v not in (b"unspecified", b"unset", b"set", b"")}


def names(paths: Iterable[str]) -> str:
    """The names of files as such lines, quoted: whatever they hold, each is one."""
    return listed([quoted(path) for path in paths])


def listed(lines: Sequence[str], most: int = _SHOWN) -> str:
    """Indented lines for a message, the first of many."""
    shown = [f"  {line}" for line in lines[:most]]
    return "\n".join([*shown, f"  … and {len(lines) - most} more"] if len(lines) > most else shown)
