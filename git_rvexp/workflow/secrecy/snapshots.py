"""The changed and new content of a snapshot, looked through before it is kept.

Small files are read together by one git; large ones piece by piece, so that memory does not grow with them.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from git_rvexp.git import lfs
from git_rvexp.git.catfile import CatFile
from git_rvexp.git.lfs import Pointer
from git_rvexp.git.scratch import Scratch
from git_rvexp.git.worktree import Changed, WorkTree
from git_rvexp.settings import Settings
from git_rvexp.workflow.secrecy import outside
from git_rvexp.workflow.secrecy.scan import Hit, Part, allowed, scanned

_FILES = ("100644", "100755")
_AT_A_TIME = 16 << 20  # bytes of content in memory
_OVERLAP = 16 << 10  # bytes that a piece of a large file has in common with the one before: secrets are shorter
_LARGEST_CONTENT = 10 << 20  # bytes of a Git LFS file: larger ones are data
OFF, OWN = "off", "own"


def secrets_in(
    place: Scratch, work: WorkTree, message: str, settings: Settings, warn: Callable[[str], None]
) -> list[Hit]:
    """What looks like a secret in the files that differ from HEAD and in the message, and is not allowed."""
    if settings.secrets_scan == OFF:
        return []
    scanner = outside.found(place.repo, settings) if settings.secrets_scan != OWN else None
    hits = list(scanned(Part("the message", message.encode("utf-8", "surrogateescape"))))
    for parts in _parts(place, [each for each in work.changed if each.mode in _FILES]):
        for part in parts:
            hits += scanned(part)
        if scanner:
            hits += outside.scanned(scanner, place, parts, warn)
    return allowed(hits, settings)


def _parts(place: Scratch, changed: Iterable[Changed]) -> Iterator[list[Part]]:
    """The files' contents in groups of a bearable size; what they take on the disk decides."""
    group: list[Changed] = []
    size = 0
    for each in changed:
        taken = 0
        with suppress(OSError):  # it went since; its object is there
            taken = (place.repo.top / each.path).lstat().st_size
        if taken > _AT_A_TIME:
            yield from ([part] for part in _pieces(place, each))
            continue
        group.append(each)
        size += taken
        if size > _AT_A_TIME:
            yield list(_contents(place, group))
            group, size = [], 0
    if group:
        yield list(_contents(place, group))


def _pieces(place: Scratch, each: Changed) -> Iterator[Part]:
    """A large file in pieces; whole when only its pointer is in the snapshot."""
    objects = CatFile(place.repo.common_dir, {**place.repo.env, **place.env})
    if (objects.sizes([each.oid])[0] or 0) <= _AT_A_TIME:
        yield from _contents(place, [each])
        return
    held, line = bytearray(), 1
    for some in objects.streamed(each.oid):
        held += some
        if len(held) >= _AT_A_TIME // 2:
            yield Part(each.path, bytes(held), line)
            line += held.count(b"\n", 0, len(held) - _OVERLAP)
            del held[:-_OVERLAP]
    yield Part(each.path, bytes(held), line)


def _contents(place: Scratch, changed: list[Changed]) -> Iterator[Part]:
    """Each file as the snapshot has it, and what Git LFS keeps for it, by one git process."""
    told = place.git("cat-file", "--batch", stdin="".join(f"{each.oid}\n" for each in changed).encode()).out
    at = 0
    for each in changed:
        end = told.index(b"\n", at)
        size = int(told[at:end].rpartition(b" ")[2])
        content = told[end + 1 : end + 1 + size]
        at = end + size + 2
        pointer = Pointer.parse(content)
        kept = lfs.place(lfs.store(place.repo), pointer) if pointer and pointer.size <= _LARGEST_CONTENT else None
        yield Part(each.path, kept.read_bytes() if kept and kept.is_file() else content)
