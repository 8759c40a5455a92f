"""An archive read as a stream and held against the tag's tree: file by file, or by the name that its own tree has.

Nothing is unpacked to disk: contents go to one spool, named by what they hash to. The archive is a quicker way to
get bytes, never an authority on them: a missing, added or changed file, another mode, a link out of order or a
byte too many ends the reading with `Different`, and the caller uses the tree's own objects.
"""

import posixpath
from collections.abc import Iterable, Sequence

from git_rvexp.images.spool import Spool
from git_rvexp.images.unpacking import NAMES, PER_NAME, Different, Files, shown, unpacked
from git_rvexp.tree import EXECUTABLE, FILE, GITLINK, SYMLINK, Entry, trees

_BLOCK = 512
_HEADERS = 8 * _BLOCK
"""Room for one member's headers, extended ones included; an archive's end is padded to 10 KiB."""


def bound(entries: Sequence[Entry]) -> int:
    """The most bytes an honest archive of `entries` unpacks to."""
    folders = {e.path[:i] for e in entries for i, c in enumerate(e.path) if c == ord("/")}
    names = sum(2 * len(e.path) for e in entries) + sum(2 * len(f) for f in folders)
    contents = sum(e.size + _BLOCK for e in entries)
    return contents + names + _HEADERS * (len(entries) + len(folders) + 8) + (64 << 10)


def read(chunks: Iterable[bytes], entries: Sequence[Entry], spool: Spool, *, unsized: int = 0) -> None:
    """Fill `spool` with every file of `entries` from the tar stream `chunks` (gzip or plain).

    Raises Different when the archive is not exactly the tree. Submodules have no content and may be empty folders.
    `unsized` is room, in bytes, for files whose size in `entries` is 0 because it is not known.
    """
    width = len(entries[0].oid) if entries else 40
    found, _ = unpacked(chunks, spool, width, bound(entries) + unsized)
    compare(found, [e for e in entries if e.mode != GITLINK])


def rebuilt(chunks: Iterable[bytes], tree: str, spool: Spool, most: int) -> None:
    """Fill `spool` with the tree object named `tree` and with all that is below it, made of the tar stream alone.

    Nothing of the tree needs to be known but its name. Raises Different unless a folder that holds all files of the
    archive makes exactly that name; `most` is how many bytes it may unpack to.
    """
    found, folders = unpacked(chunks, spool, len(tree), most)
    above = _folders_over(found)
    names: dict[bytes, str] = {}
    try:
        for path, oid, content in trees(found, width=len(tree)):
            spool.add(oid, [content], tree=True)
            names[path] = oid
    except ValueError as why:
        raise Different(f"it holds {shown(why.args[0])} as a file and as a folder") from why
    top = _root(found)
    if tree in (oid for path, oid in names.items() if not path or (top + b"/").startswith(path + b"/")):
        return
    empty = min(folders - above - {b"."}, default=b"")
    raise Different(
        f"its files do not make the tree {tree[:12]} (export-ignore, export-subst, line ends or LFS?)"
        + (f"; {shown(empty)} in it is empty: a submodule? Its commit is not in archives" if empty else "")
    )


def _folders_over(paths: Iterable[bytes]) -> set[bytes]:
    """Every folder that holds one of `paths`. Different where their names are more than a repository has."""
    above: set[bytes] = set()
    names = NAMES
    for path in paths:
        folder = path.rpartition(b"/")[0]
        while folder and folder not in above:
            above.add(folder)
            names -= len(folder) + PER_NAME
            if names < 0:
                raise Different("it holds too many folders")
            folder = folder.rpartition(b"/")[0]
    return above


def compare(found: Files, entries: Sequence[Entry]) -> None:
    """Strip the prefix folder (a forge's own; cgit's has slashes) and hold mode and name of the rest against the tree.

    Different says where they differ.
    """
    if entries and not found:
        raise Different("it is empty")
    top, inner = _root(found), _root(e.path for e in entries)
    if not (b"/" + top).endswith(b"/" + inner if inner else b""):
        raise Different("its folders are not the tag's")
    prefix = top[: len(top) - len(inner)].rstrip(b"/")
    stripped = {path[len(prefix) + 1 :] if prefix else path: what for path, what in found.items()}
    for entry in entries:
        mode, oid = stripped.pop(entry.path, (0, ""))
        if not mode:
            raise Different(f"{entry.shown} is not in it (export-ignore?)")
        if oid != entry.oid:
            raise Different(f"{entry.shown} has other content in it (export-subst, line ends or LFS?)")
        if mode != (FILE if entry.mode not in (EXECUTABLE, SYMLINK) else entry.mode):
            raise Different(f"{entry.shown} has another mode in it")
    if stripped:
        raise Different(f"it holds {shown(min(stripped))}, which the tag does not")


def _root(paths: Iterable[bytes]) -> bytes:
    """The deepest folder that holds all `paths`; empty when there is none."""
    folders = [p.rpartition(b"/")[0] for p in paths]
    return posixpath.commonpath(folders) if folders and all(folders) else b""
