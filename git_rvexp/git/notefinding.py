"""Some notes among very many, found by reading each tree once.

A note named as `commit:path` makes git go all the way down for each of the three paths at which it can stand: 11 ms
of CPU for 20 among 100,000. Here one `git cat-file` is asked for the trees and then for the notes. What the notes say,
and whether they are sound, is `notes`' business.
"""

from collections.abc import Iterable, Sequence

from git_rvexp.git.plumbing import Repo

MOST = 100
"""How many objects may be asked for (see `reader`)."""
_FOLDER, _FILE, _MODE = b"40000", b"100", 6  # a file's mode is 100644 or 100755
_DEPTHS = (0, 2, 4)  # digits of an object that folders may stand for


def found(repo: Repo, at: str, oids: Sequence[str]) -> dict[str, list[tuple[str, bytes | None]]]:
    """The notes at `at` (a commit or ref, which may not exist) of at most MOST objects: their blobs, with contents.

    There are several where fan-outs differ, none where there is no note. What a tree names and is gone, be it a note or
    a tree on the way to one, has no content.
    """
    assert len(oids) <= MOST
    found: dict[str, list[tuple[str, bytes | None]]] = {}
    named: list[tuple[str, str]] = []
    trees = dict.fromkeys(oids, f"{at}^{{tree}}")
    for depth in _DEPTHS:
        contents = _contents(repo, trees.values(), "tree")
        inner = {}
        for oid, tree in trees.items():
            content = contents[tree]
            if content is None:
                found[oid] = [(tree, None)]
                continue
            if blob := _blob(content, oid[depth:], len(oid) // 2):
                named.append((oid, blob))
            if folder := _folder(content, oid[depth : depth + 2], len(oid) // 2):
                inner[oid] = folder
        trees = inner
    bodies = _contents(repo, (blob for _, blob in named), "blob")
    for oid, blob in named:
        found.setdefault(oid, []).append((blob, bodies[blob]))
    return found


def _contents(repo: Repo, names: Iterable[str], kind: str) -> dict[str, bytes | None]:
    """The bytes of the objects; None for what is not there or of another kind."""
    found = repo.reader.read(names)
    return {name: there.content if there and there.kind == kind else None for name, there in found.items()}


def _blob(tree: bytes, name: str, width: int) -> str:
    """The id that a tree's content (mode, blank, name, NUL, id; again and again) has for a file; "" for none.

    What is neither a file nor a folder, such as the commit of a submodule, is no note.
    """
    mark = b" %s\0" % name.encode()
    at = tree.find(mark)
    return _id(tree, at + len(mark), width) if tree.startswith(_FILE, max(at - _MODE, 0), max(at, 0)) else ""


def _folder(tree: bytes, name: str, width: int) -> str:
    """The same for a folder."""
    mark = _FOLDER + b" %s\0" % name.encode()
    at = tree.find(mark)
    return "" if at < 0 else _id(tree, at + len(mark), width)


def _id(tree: bytes, begin: int, width: int) -> str:
    return tree[begin : begin + width].hex()
