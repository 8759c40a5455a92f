"""Whether a freshly built environment image really holds the tag's code where the settings say.

Everything later rests on it: a Dockerfile may remove, change or move what it copied, and a layer that is laid over such
an image would make something that no build makes. So the image is looked into once, before anybody uses it.
"""

import posixpath
import tarfile
from collections.abc import Iterator, Mapping

from git_rvexp import tars
from git_rvexp.git import lfs
from git_rvexp.git.lfs import Pointer
from git_rvexp.git.objects import Objects
from git_rvexp.images.delta import LeftOut, Unfit
from git_rvexp.images.engine import Engine, asking
from git_rvexp.names import Digest
from git_rvexp.pieces import SIZE
from git_rvexp.tree import EXECUTABLE, FILE, FOLDER, GITLINK, SYMLINK, Entry, blob_id

_Seen = tuple[str, int, str, str]
"""What one thing in the image is: kind (file, link, folder), mode, `user:group`, object name."""


def proven(
    engine: Engine,
    image: Digest,
    objects: Objects,
    context: str,
    code: Mapping[str, str],
    owner: str,
    left_out: LeftOut,
) -> None:
    """Unfit, with the first difference, unless `image` holds the files of the tree `context` where `code` says."""
    with engine.container(image) as container:
        for source, target in sorted(code.items()):
            for folder in _parents(target):
                seen = next(_things(engine, container, folder, shallow=True), None)
                if seen is None or seen[1][:3] != ("folder", 0o755, "0:0"):
                    raise Unfit(f"{folder} is no plain folder of root's (mode 755) in the environment image")
            wanted = dict(_wanted(objects, context, source, owner, left_out))
            for path, seen_as in _things(engine, container, target, width=len(context)):
                expected = wanted.pop(path, None)
                if expected and expected != seen_as and _filled(objects, expected) != seen_as:
                    raise Unfit(f"{posixpath.join(target, path)} in the environment image is not the tag's")
            missing = min(wanted, default=None)
            if missing is not None:
                raise Unfit(f"{posixpath.join(target, missing)} is not in the environment image")


def _wanted(objects: Objects, context: str, source: str, owner: str, left_out: LeftOut) -> Iterator[tuple[str, _Seen]]:
    """What must stand below the target, by path relative to it ("" for the target itself)."""
    top = objects.at(context, source)
    if top is None:
        raise Unfit(f"image.code names {source!r}, which the snapshot does not hold")
    if top.mode != FOLDER:
        yield "", _file(top, owner)
        return
    for entry in objects.names(top.oid):
        here = entry.shown if source == "." else f"{source}/{entry.shown}"
        if entry.mode == GITLINK or left_out(here):
            continue
        yield entry.shown, _file(entry, owner)
        for i, letter in enumerate(entry.shown):
            if letter == "/":
                yield entry.shown[:i], ("folder", 0o755, owner, "")
        yield "", ("folder", 0o755, owner, "")


def _filled(objects: Objects, expected: _Seen) -> _Seen:
    """The same for a Git LFS pointer, with what it stands for; `expected` itself for other files."""
    kind, mode, owner, oid = expected
    if kind != "file":
        return expected
    entry = Entry(b"", FILE, oid)
    pointer = Pointer.parse(objects.blob(entry)) if objects.size(entry) <= lfs.MOST else None
    if pointer is None:
        return expected
    return kind, mode, owner, blob_id(lfs.chunks(objects.contents, pointer), pointer.size, width=len(oid))


def _file(entry: Entry, owner: str) -> _Seen:
    if entry.mode == SYMLINK:
        return "link", 0o777, owner, entry.oid
    return "file", 0o755 if entry.mode == EXECUTABLE else 0o644, owner, entry.oid


def _things(
    engine: Engine, container: str, place: str, *, shallow: bool = False, width: int = 40
) -> Iterator[tuple[str, _Seen]]:
    """Everything at `place` in a container, by path relative to it; with `shallow` the place itself only."""
    found = engine.archive(container, place)
    if found is None:
        return
    with asking(f"read {place} in the environment image"), tars.opened(found[0]) as tar:
        for member in tar:
            # the archive's own top is the place's last name
            path = member.name.rstrip("/").partition("/")[2]
            yield path, _seen(tar, member, width)
            if shallow:
                return


def _seen(tar: tarfile.TarFile, member: tarfile.TarInfo, width: int) -> _Seen:
    owner = f"{member.uid}:{member.gid}"
    if member.isdir():
        return "folder", member.mode & 0o7777, owner, ""
    if member.issym():
        target = member.linkname.encode("utf-8", "surrogateescape")
        return "link", 0o777, owner, blob_id([target], len(target), width=width)
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        return "other", 0, owner, ""
    oid = blob_id(iter(lambda: content.read(SIZE), b""), member.size, width=width)
    return "file", member.mode & 0o7777, owner, oid


def _parents(target: str) -> Iterator[str]:
    return (target[:i] for i, letter in enumerate(target) if letter == "/" and i)
