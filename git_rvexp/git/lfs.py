"""Git LFS: what a pointer says, where its content is in this clone, and sending it to the experiments remote.

A tree holds pointers; the content is what their SHA-256 says, wherever it comes from. The address to send to is always
named: a committed .lfsconfig would otherwise send private content to the place it names.
Pointer format: git-lfs' docs/spec.md.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git.plumbing import Repo
from git_rvexp.jitter import token
from git_rvexp.quoting import quoted

if TYPE_CHECKING:
    from git_rvexp.git.scratch import Scratch

LEAST, MOST = 120, 1024
"""Bytes that a pointer takes: its fixed words, and what its specification allows."""
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-\d-\S+ \S+\n)*"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d{1,18})\n"
)
_ATTRIBUTES = re.compile(rb"(?:^|[\0/])\.gitattributes\0")
_PIECE = 1 << 20
_MUCH = 500  # objects that are named on one command line


class Pointer(NamedTuple):
    """What a pointer file stands for: content of `size` bytes with this SHA-256."""

    oid: str
    size: int

    @classmethod
    def parse(cls, content: bytes) -> "Pointer | None":
        """The pointer that a file's content is; None for any other file."""
        found = _POINTER.fullmatch(content) if len(content) <= MOST else None
        return cls(found["oid"].decode(), int(found["size"])) if found else None

    @classmethod
    def standing_at(cls, path: Path) -> "Pointer | None":
        """The pointer that stands at `path` of a work tree instead of its content."""
        try:
            return cls.parse(path.read_bytes()) if path.stat().st_size <= MOST else None
        except OSError:
            return None


def store(repo: Repo) -> Path:
    """The folder where git-lfs keeps content for the clone, which its setting `lfs.storage` may name."""
    return repo.common_dir / (repo.setting("lfs.storage") or "lfs")


def place(store: Path, pointer: Pointer) -> Path:
    """Where the store keeps the content, if it has it."""
    return store / "objects" / pointer.oid[:2] / pointer.oid[2:4] / pointer.oid


def bring(pointers: Iterable[Pointer], there: Path, here: Path) -> None:
    """Let the store `here` have what `there` has of the content: linked, or copied from another file system."""
    for pointer in pointers:
        source, target = place(there, pointer), place(here, pointer)
        if target.exists() or not source.is_file():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _brought(source, target, here / "tmp")
        except OSError as why:
            raise GitError(f"Git LFS content cannot be brought to {here}: {why}") from why


def _brought(source: Path, target: Path, unfinished: Path) -> None:
    try:
        target.hardlink_to(source)
    except FileExistsError:  # somebody was quicker; its name is its content's
        return
    except OSError:  # another file system, or one that knows no links
        import shutil  # noqa: PLC0415  reading content needs it not

        partial = unfinished / f"{target.name}-{token()}"  # where git-lfs itself puts what is not whole yet
        unfinished.mkdir(exist_ok=True)
        shutil.copyfile(source, partial)
        partial.replace(target)


def in_tree(repo: "Repo | Scratch", tree: str) -> dict[str, Pointer]:
    """The pointers of a tree by path; nothing is looked at where the tree names no attributes."""
    paths = repo.git("ls-tree", "-r", "-z", "--name-only", tree).out  # without the sizes, which take most of the time
    if not _ATTRIBUTES.search(paths):
        return {}
    listed = repo.git("ls-tree", "-r", "-z", "--long", tree).text.split("\0")
    entries = [(meta.split(), path) for meta, _, path in (line.partition("\t") for line in listed) if meta]
    small = [(words[2], path) for words, path in entries if words[3].isdigit() and LEAST <= int(words[3]) <= MOST]
    told = repo.git("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid, _ in small).encode()).out
    found: dict[str, Pointer] = {}
    at = 0
    for _, path in small:
        end = told.index(b"\n", at)
        size = int(told[at:end].rpartition(b" ")[2])
        pointer = Pointer.parse(told[end + 1 : end + 1 + size])
        at = end + size + 2
        if pointer:
            found[path] = pointer
    return found


def require(store: Path, pointer: Pointer, path: str) -> None:
    """RvexpError when the content of the pointer at `path` of a tree is not here."""
    if not place(store, pointer).is_file():
        raise RvexpError(
            f"the Git LFS content of {quoted(path)} is not in this clone, and an image must hold it, not its pointer",
            hint="git lfs fetch --all experiments",
        )


def chunks(store: Path, pointer: Pointer) -> Iterator[bytes]:
    """The content, piece by piece. GitError before the last piece when it is not what the pointer names."""
    seen, size, held = hashlib.sha256(), 0, b""
    try:
        with place(store, pointer).open("rb") as content:
            while piece := content.read(_PIECE):
                seen.update(piece)
                size += len(piece)
                if held:
                    yield held
                held = piece
    except OSError as why:
        raise GitError(f"the Git LFS content {pointer.oid[:12]} cannot be read: {why}", hint="git lfs fetch") from why
    if (seen.hexdigest(), size) != (pointer.oid, pointer.size):
        raise GitError(
            f"the Git LFS content {pointer.oid[:12]} in this clone is damaged: its bytes hash to "
            f"{seen.hexdigest()[:12]}",
            hint="git lfs fsck",
        )
    if held:  # whoever reads as much as the pointer says never asks for more: so the end is checked first
        yield held


def address(url: str) -> str:
    """Where a git remote's LFS server is, by git-lfs' own rule; a folder is its own (through file://)."""
    if "://" not in url and url.startswith("/"):
        return f"file://{url}"
    if url.startswith(("http://", "https://")):
        return url.removesuffix("/").removesuffix(".git") + ".git/info/lfs"
    return url


def send(repo: Repo, name: str, url: str, pointers: Iterable[Pointer]) -> None:
    """Send content to the LFS side of the git remote `name` at `url`. RvexpError when that fails.

    git-lfs asks the server what it lacks, and sends that.
    """
    oids = sorted({pointer.oid for pointer in pointers})
    for first in range(0, len(oids), _MUCH):
        settings = ("-c", f"lfs.url={address(url)}", "-c", f"remote.{name}.lfsurl={address(url)}")
        done = repo.git(
            *settings, "lfs", "push", "--object-id", name, *oids[first : first + _MUCH], ok=(0, 1, 2, 127, 128)
        )
        if done.code:
            told = "\n".join(f"  {line}" for line in done.err.strip().splitlines()[-4:])
            raise RvexpError(
                f"Git LFS content could not be sent to the experiments remote\n{told}", hint="git rvexp sync"
            )
