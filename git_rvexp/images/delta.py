"""What has to be laid over an image that holds one tree, for it to hold another: files, folders and whiteouts.

Decided from git's objects alone; equal folders are never opened. The bytes are `images.layer`'s business, and where
the code stands in the image is told by the settings (`image.code`). Specified in docs/layer-format.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from git_rvexp.git import lfs
from git_rvexp.git.lfs import Pointer
from git_rvexp.git.objects import Objects
from git_rvexp.images.ustar import Member
from git_rvexp.tree import EXECUTABLE, FOLDER, GITLINK, SYMLINK, Change, Entry

WHITEOUT = b".wh."
_CACHE = b"__pycache__"

LeftOut = Callable[[str], bool]
"""Whether .dockerignore leaves out a path of the build context."""


class Unfit(Exception):  # noqa: N818  an answer, not an error: the reason to let the engine build the whole
    """Why the change cannot be laid over the environment."""


class Folder(NamedTuple):
    """Mode and owner (user and group number) of a folder that the image below has."""

    mode: int
    owner: tuple[int, int]


_PLAIN = Folder(0o755, (0, 0))


class Laid(NamedTuple):
    """One member of the layer; of files, `entry` holds the content, or `content` names what Git LFS keeps for it.

    `owner` is whose it is where that is not for the settings to say: of the folders that the code stands in.
    """

    member: Member
    entry: Entry | None = None
    content: Pointer | None = None
    owner: tuple[int, int] | None = None


class Delta(NamedTuple):
    """The layer's members in their order, and what a person should know: the submodules among them."""

    members: tuple[Laid, ...]
    submodules: tuple[str, ...] = ()


def plan(
    objects: Objects,
    old: str | None,
    new: str,
    code: Mapping[str, str],
    left_out: LeftOut,
    standing: Mapping[bytes, Folder] = MappingProxyType({}),
) -> Delta:
    """The difference of the trees `old` and `new` (of the build context) as it appears below the targets of `code`.

    Without `old` all of `new`. `standing` are the folders among and above the targets that are not as COPY makes them.
    Unfit when a source is missing, changes its kind, or a name reads as a whiteout.
    """
    made = _Plan(objects, new, left_out, [place_of(target) for target in code.values()], standing)
    for source, target in sorted(code.items()):
        now = objects.at(new, source)
        was = objects.at(old, source) if old else now
        if was is None or now is None or (was.mode == FOLDER) != (now.mode == FOLDER):
            raise Unfit(f"image.code names {source!r}, which is not in both trees as the same kind of thing")
        place = place_of(target)
        top = b"" if source == "." else source.encode("utf-8", "surrogateescape")
        for change in _changes(objects, was if old else None, now):
            made.take(change, top, place)
    return made.done()


def place_of(target: str) -> bytes:
    """A target of `image.code` as layers write paths."""
    return target.strip("/").encode("utf-8", "surrogateescape")


def _changes(objects: Objects, was: Entry | None, now: Entry) -> Iterable[Change]:
    """What differs between two things of the same kind; all of `now` where there was nothing."""
    if was and (was.mode, was.oid) == (now.mode, now.oid):
        return ()
    if now.mode != FOLDER:
        return (Change(b"", was, now),)
    if was:
        return objects.changes(was.oid, now.oid)
    return (Change(entry.path, None, entry) for entry in objects.tree(now.oid))


class _Plan:
    """Members by image path, in the making."""

    def __init__(
        self,
        objects: Objects,
        tree: str,
        left_out: LeftOut,
        places: Sequence[bytes],
        standing: Mapping[bytes, Folder],
    ) -> None:
        self._objects, self._tree, self._left_out = objects, tree, left_out
        self._places, self._standing = places, standing
        self._files: dict[bytes, Laid] = {}
        self._gone: set[bytes] = set()
        self._stale: set[bytes] = set()
        self._submodules: list[str] = []

    def take(self, change: Change, top: bytes, place: bytes) -> None:
        """One change of what stands at `top` in the context and at `place` in the image."""
        here = _joined(top, change.path)
        there = _joined(place, change.path)
        old = change.old if change.old and self._was_there(change.old, here) else None
        new = change.new if change.new and self._kept(change.new, here) else None
        if new:
            self._files[there] = self._laid(new, here, there)
        elif old:
            self._gone.add(there)
        if (new or (old and old.mode != FOLDER)) and here.endswith(b".py"):
            self._mark_stale(here.rpartition(b"/")[0], there.rpartition(b"/")[0])

    def done(self) -> Delta:
        """The members, in byte order of their paths, every folder above them among them."""
        folders = _above(self._files)
        gone = {path for path in self._gone if path not in folders and path not in self._files}
        white = {_joined(folder, WHITEOUT + name) for folder, _, name in (p.rpartition(b"/") for p in gone)}
        white |= {_joined(folder, WHITEOUT + _CACHE) for folder in self._stale if not _within(folder, gone)}
        members = {path: Laid(Member(path, b"0", 0o644)) for path in white} | self._files
        members |= {path: self._folder(path) for path in folders | _above(white)}
        ordered = tuple(members[path] for path in sorted(members))
        return Delta(ordered, tuple(self._submodules))

    def _folder(self, path: bytes) -> Laid:
        """As it stands; else of the code's owner from the targets on, and of root above them."""
        inside = any(path == place or path.startswith(place + b"/") for place in self._places)
        found = self._standing.get(path, None if inside else _PLAIN)
        return Laid(Member(path, b"5", found.mode), owner=found.owner) if found else Laid(Member(path, b"5", 0o755))

    def _was_there(self, old: Entry, here: bytes) -> bool:
        if old.mode == FOLDER:
            return any(self._image_file(e, here + b"/" + e.path) for e in self._objects.names(old.oid))
        return self._image_file(old, here)

    def _image_file(self, entry: Entry, here: bytes) -> bool:
        return entry.mode != GITLINK and not self._left_out(_text(here))

    def _kept(self, new: Entry, here: bytes) -> bool:
        if new.mode == GITLINK:
            self._submodules.append(_text(here))
        return self._image_file(new, here)

    def _laid(self, entry: Entry, here: bytes, there: bytes) -> Laid:
        if any(part.startswith(WHITEOUT) for part in there.split(b"/")):
            raise Unfit(f"the name {_text(here)} would be read as a whiteout")
        if entry.mode == SYMLINK:
            return Laid(Member(there, b"2", 0o777, 0, self._objects.blob(entry)))
        pointer = Pointer.parse(self._objects.blob(entry)) if lfs.LEAST <= entry.size <= lfs.MOST else None
        if pointer:
            lfs.require(self._objects.contents, pointer, _text(here))
        size = pointer.size if pointer else entry.size
        return Laid(Member(there, b"0", 0o755 if entry.mode == EXECUTABLE else 0o644, size), entry, pointer)

    def _mark_stale(self, here: bytes, there: bytes) -> None:
        """Python believes bytecode when time and size of the source agree; so none of a changed folder stays."""
        tracked = self._objects.at(self._tree, _text(_joined(here, _CACHE)))
        if tracked is None:
            self._stale.add(there)


def _joined(folder: bytes, path: bytes) -> bytes:
    return b"/".join(part for part in (folder, path) if part)


def _above(paths: Mapping[bytes, Laid] | set[bytes]) -> set[bytes]:
    """Every folder that holds one of `paths`."""
    return {path[:i] for path in paths for i, letter in enumerate(path) if letter == ord("/")}


def _within(folder: bytes, gone: set[bytes]) -> bool:
    return folder in gone or any(folder[:i] in gone for i, letter in enumerate(folder) if letter == ord("/"))


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
