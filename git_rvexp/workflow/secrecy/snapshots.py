"""The changed and new content of a snapshot, looked through before it is kept."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from git_rvexp.git import lfs
from git_rvexp.git.lfs import Pointer
from git_rvexp.git.scratch import Scratch
from git_rvexp.git.worktree import Changed, WorkTree
from git_rvexp.settings import Settings
from git_rvexp.workflow.secrecy import outside
from git_rvexp.workflow.secrecy.scan import Hit, allowed, scanned

_FILES = ("100644", "100755")
_AT_A_TIME = 64 << 20  # bytes of content in memory
_LARGEST_CONTENT = 10 << 20  # bytes of a Git LFS file: larger ones are data
OFF, OWN = "off", "own"


def secrets_in(
    place: Scratch, work: WorkTree, message: str, settings: Settings, warn: Callable[[str], None]
) -> list[Hit]:
    """What looks like a secret in the files that differ from HEAD and in the message, and is not allowed."""
    if settings.secrets_scan == OFF:
        return []
    scanner = outside.found(place.repo, settings) if settings.secrets_scan != OWN else None
    hits = list(scanned("the message", message.encode("utf-8", "surrogateescape")))
    for group in _groups(place, [each for each in work.changed if each.mode in _FILES]):
        contents = list(_contents(place, group))
        for path, content in contents:
            hits += scanned(path, content)
        if scanner:
            hits += outside.scanned(scanner, place, contents, warn)
    return allowed(hits, settings)


def _groups(place: Scratch, changed: list[Changed]) -> Iterator[list[Changed]]:
    """The files in groups of a bearable size, by what they take on the disk."""
    group: list[Changed] = []
    size = 0
    for each in changed:
        with suppress(OSError):  # it went since; its object is there
            size += (place.repo.top / each.path).lstat().st_size
        group.append(each)
        if size > _AT_A_TIME:
            yield group
            group, size = [], 0
    if group:
        yield group


def _contents(place: Scratch, changed: list[Changed]) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each file as the snapshot has them, and what Git LFS keeps for them, by one git process."""
    told = place.git("cat-file", "--batch", stdin="".join(f"{each.oid}\n" for each in changed).encode()).out
    at = 0
    for each in changed:
        end = told.index(b"\n", at)
        size = int(told[at:end].rpartition(b" ")[2])
        content = told[end + 1 : end + 1 + size]
        at = end + size + 2
        pointer = Pointer.parse(content)
        kept = lfs.place(place.repo.common_dir, pointer) if pointer and pointer.size <= _LARGEST_CONTENT else None
        yield each.path, kept.read_bytes() if kept and kept.is_file() else content
