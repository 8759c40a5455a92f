"""A git tree's files as plain values, and how bytes are held against an object name.

Knows no repository: `git.objects` makes these values, `images` consumes them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import hashlib

FILE, EXECUTABLE, SYMLINK, GITLINK = 0o100644, 0o100755, 0o120000, 0o160000
FOLDER = 0o040000


class Entry(NamedTuple):
    """One file of a tree: path relative to the tree's top (bytes, `/` between parts), git mode, object name, size."""

    path: bytes
    mode: int
    oid: str
    size: int = 0

    @property
    def shown(self) -> str:
        """The path for people and for programs that want text; undecodable bytes are kept as surrogates."""
        return self.path.decode("utf-8", "surrogateescape")


class Change(NamedTuple):
    """What one path was and is: a file, a link or nothing; `old` may also be a folder that went with all in it."""

    path: bytes
    old: Entry | None
    new: Entry | None


def blob_id(chunks: Iterable[bytes], size: int, *, width: int = 40) -> str:
    """The object name of a blob of `size` bytes; `width` 40 is SHA-1, 64 SHA-256."""
    return _named("blob", chunks, size, width)


def trees(files: Mapping[bytes, tuple[int, str]], *, width: int = 40) -> Iterator[tuple[bytes, str, bytes]]:
    """Every folder over `files` (mode and object name by path) as git's tree: its path, object name and content.

    Deepest first, the top (path b"") last. ValueError where a file stands above another one.
    """
    folders: dict[bytes, dict[bytes, tuple[int, str]]] = {b"": {}}
    for path, what in files.items():
        folder, _, name = path.rpartition(b"/")
        folders.setdefault(folder, {})[name] = what
        while folder:  # every folder above, as far as it is not there yet
            folder = folder.rpartition(b"/")[0]
            if folder in folders:
                break
            folders[folder] = {}
    for path in sorted(folders, key=lambda p: (p.count(b"/") + bool(p), p), reverse=True):
        content = written(folders.pop(path))
        oid = _named("tree", [content], len(content), width)
        if path:
            above, _, name = path.rpartition(b"/")
            if name in folders[above]:
                raise ValueError(path)
            folders[above][name] = (FOLDER, oid)
        yield path, oid, content


def written(items: Mapping[bytes, tuple[int, str]]) -> bytes:
    """A folder's content (mode and object name by name) as git stores it.

    Git's order is that of whole paths: a folder's name counts with the slash after it.
    """
    ordered = sorted(items, key=lambda name: name + b"/" if items[name][0] == FOLDER else name)
    return b"".join(b"%o %s\0%s" % (items[name][0], name, bytes.fromhex(items[name][1])) for name in ordered)


def naming(kind: str, size: int, width: int) -> "hashlib._Hash":
    """The hash that gives an object of `size` bytes its name (of `width` digits), with the object's head in it."""
    import hashlib  # noqa: PLC0415  a look at the record names nothing

    return hashlib.new("sha256" if width == 64 else "sha1", f"{kind} {size}\0".encode(), usedforsecurity=False)


def _named(kind: str, chunks: Iterable[bytes], size: int, width: int) -> str:
    digest = naming(kind, size, width)
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def below(entries: Iterable[Entry], folder: str) -> Iterator[Entry]:
    """The entries inside `folder` ("." or "" for all), with paths relative to it."""
    name = "/".join(part for part in folder.split("/") if part not in ("", "."))
    prefix = name.encode("utf-8", "surrogateescape") + b"/" if name else b""
    for entry in entries:
        if entry.path.startswith(prefix):
            yield Entry(entry.path[len(prefix) :], entry.mode, entry.oid, entry.size)
