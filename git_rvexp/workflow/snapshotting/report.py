"""What a snapshot would hold, path by path: what goes in, what stays out, and why. For `snapshot -n`."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.git.lfs import LEAST, MOST, Pointer
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.scratch import Scratch
from git_rvexp.git.worktree import Changed, WorkTree
from git_rvexp.quoting import quoted
from git_rvexp.sizes import shown

_WORDS = {"M": "modified", "A": "new", "D": "deleted"}
# What Windows keeps for devices, with any ending (Microsoft, "Naming Files, Paths, and Namespaces").
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@dataclass(frozen=True)
class Row:
    """One line: what happens (`word`) to `path`, and why or how large."""

    word: str
    path: str
    note: str = ""


def report(place: Scratch, work: WorkTree) -> Iterator[Row]:
    """Changes first, then repositories inside, what stays out, and names that trouble other systems."""
    repo = place.repo
    sizes = _sizes(place, work)
    for each in sorted(work.changed, key=lambda c: ("MAD".index(c.status), c.path)):
        if each.mode != "160000":
            yield Row(_WORDS[each.status], each.path, sizes.get(each.path, ""))
    for link in work.links:
        if link.taken:
            yield Row("embedded", f"{link.path}/", "the files of a repository inside")
        elif link.empty:
            yield Row("recorded", f"{link.path}/", f"a submodule at {link.commit[:12]}, not checked out")
        else:
            yield Row("recorded", f"{link.path}/", f"a submodule at {link.commit[:12]}; its files are not in the tree")
    if work.absent:
        yield Row("as HEAD", f"{work.absent} file{'s' * (work.absent != 1)}", "outside the sparse checkout")
    for path, rule in _ignored(repo):
        yield Row("left out", path, f"ignored by {rule}")
    for path, why in _neither(repo):
        yield Row("left out", path, why)
    for path, why in _troubled(place, work.tree):
        yield Row("note", path, why)


def _sizes(place: Scratch, work: WorkTree) -> dict[str, str]:
    """The size of what goes in, by path, and where Git LFS takes the content of what is larger."""
    wanted = [each for each in work.changed if each.oid.strip("0") and each.mode != "160000"]
    asked = "".join(f"{each.oid}\n" for each in wanted).encode()
    found = place.git("cat-file", "--batch-check=%(objectsize)", stdin=asked).lines if wanted else []
    return {e.path: _size(place, e, int(size)) for e, size in zip(wanted, found, strict=True)}


def _size(place: Scratch, each: Changed, size: int) -> str:
    pointer = Pointer.parse(place.git("cat-file", "blob", each.oid).out) if LEAST <= size <= MOST else None
    return f"{shown(pointer.size)} through Git LFS" if pointer else shown(size)


def _ignored(repo: Repo) -> Iterator[tuple[str, str]]:
    listed = repo.git("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory").out
    words = repo.git("check-ignore", "-z", "--verbose", "--stdin", stdin=listed, ok=(0, 1)).text.split("\0")
    for source, line, pattern, path in zip(words[::4], words[1::4], words[2::4], words[3::4], strict=False):
        yield path, f"{quoted(source)}:{line} ({pattern})"


def _neither(repo: Repo) -> Iterator[tuple[str, str]]:
    """What git does not see at all: pipes, sockets, devices, empty folders. Repositories inside are not looked into."""
    for folder, folders, files in os.walk(repo.top):
        here = os.path.relpath(folder, repo.top)
        if folder != str(repo.top) and ".git" in (*folders, *files):
            folders.clear()
            continue
        folders[:] = [name for name in sorted(folders) if name != ".git"]
        if not folders and not files and here != ".":
            yield f"{here}/", "an empty folder, which git cannot hold"
        for name in files:
            path = Path(folder) / name
            if not path.is_file() and not path.is_symlink():
                yield str(path.relative_to(repo.top)), "neither a file nor a link"


def _troubled(place: Scratch, tree: str) -> Iterator[tuple[str, str]]:
    names = place.git("ls-tree", "-r", "-z", "--name-only", tree).out.split(b"\0")[:-1]
    alike = Counter(name.decode("utf-8", "surrogateescape").casefold() for name in names)
    for raw in names:
        name = raw.decode("utf-8", "surrogateescape")
        if alike[name.casefold()] > 1:
            yield name, "differs from another name only by case: macOS and Windows keep one of them"
        if any(_windows_refuses(part) for part in name.split("/")):
            yield name, "is a name that Windows cannot have"
        if any("\udc80" <= letter <= "\udcff" for letter in name):
            yield name, "is not UTF-8"


def _windows_refuses(part: str) -> bool:
    device = part.partition(".")[0].rstrip(" ").lower() in _DEVICES
    return device or part[-1:] in (".", " ") or any(c in '<>:"\\|?*' or c < " " for c in part)
