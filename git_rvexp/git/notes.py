"""Notes as a tree: read many at once, write by compare-and-swap.

The new tree is built beside the ref and the ref moves only if nobody else moved it. `git notes
append` and pygit2's create_note lose up to half of concurrent writes without saying so (measured), so neither is
used. New notes are fanned out one level (ab/cdef…), so the cost of a write does not follow the number of
notes; notes that plain git wrote elsewhere are found and written back where they are.
"""

import itertools
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_rvexp.errors import GitError
from git_rvexp.git.configuration import put
from git_rvexp.git.notefinding import MOST
from git_rvexp.git.notefinding import found as few
from git_rvexp.git.notetree import NoteTree
from git_rvexp.git.notetree import paths as paths  # noqa: PLC0414  part of what is offered here
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.reader import Named
from git_rvexp.tree import blob_id

REF = "refs/notes/rvexp"
TRAILER = "Rvexp-Record: 1"  # by which hooks/pre-push knows a commit of the record under any name
_REPAIR = "git fsck, then fetch the object again: git fetch --refetch experiments refs/notes/rvexp"
_NOBODY = "git rvexp <git-rvexp@localhost>"
"""Nobody's name is needed to keep a record: who did what stands in the events."""
_ROOM = 16384  # bytes; a ref and its lock take a block each


class Tip(NamedTuple):
    """Where a notes ref stands; empty `commit` when it does not exist."""

    commit: str

    def __bool__(self) -> bool:
        return bool(self.commit)


_LOST = re.compile("but expected|reference already exists|unable to resolve reference|File exists|is locked")
"""What git says where somebody else was faster, or is at it; the rest is no right to write, no room and the like."""


def tip(repo: Repo, ref: str = REF) -> Tip:
    """The commit that `ref` names now."""
    there = commit_at(repo, ref)
    return Tip(there.oid if there else "")


def follows(repo: Repo, later: Tip, earlier: Tip) -> bool:
    """Whether `later` holds all that `earlier` does; False too when either is not here."""
    there = commit_at(repo, later.commit)
    head = there.content.partition(b"\n\n")[0] if there else b""
    # Nearly always the one was just written on top of the other, and git need not walk.
    if later == earlier or b"\nparent %s\n" % earlier.commit.encode() in head:
        return True
    return repo.git("merge-base", "--is-ancestor", earlier.commit, later.commit, ok=(0, 1, 128)).code == 0


def changed(repo: Repo, old: str, new: Tip) -> list[str]:
    """The objects whose notes are not the same at `old` (a commit or a tree) and `new`."""
    told = repo.git("diff-tree", "-r", "-z", "--no-renames", "--name-only", old, new.commit).text
    oids = dict.fromkeys(path.replace("/", "") for path in told.split("\0"))
    return [oid for oid in oids if len(oid) == len(repo.null_oid)]


def commit_at(repo: Repo, name: str) -> Named | None:
    """The commit that a name stands for, as the reader has it."""
    asked = f"{name}^{{commit}}"
    return repo.reader.read([asked])[asked]


def listed(repo: Repo, at: Tip) -> dict[str, str]:
    """Annotated object -> its note's blob, for every note at `at`; two blobs of one object are both kept by `read`.

    A note on itself is a text kept by its content (`record.kept`) and tells of nothing.
    """
    return {oid: blob for oid, blob in _listed(repo, at) if oid != blob} if at else {}


def _listed(repo: Repo, at: Tip) -> Iterator[tuple[str, str]]:
    length = len(repo.null_oid)
    for line in repo.git("ls-tree", "-r", "-z", at.commit).text.split("\0"):
        meta, _, path = line.partition("\t")
        oid = path.replace("/", "")
        if len(oid) == length and meta.startswith("100"):  # files alone, as in `notefinding`
            yield oid, meta[12:]


def read(repo: Repo, at: Tip, oids: Iterable[str]) -> dict[str, str]:
    """The notes of `oids` as text, by one git process or two (three where some have none); absent ones are left out.

    GitError when a note that the tree names is gone or was altered: what is written next is built on what is read here,
    and git checks hashes in `fsck` only.
    """
    known = list(oids)
    found = _found(repo, at.commit, known) if at and known else {}
    for blob, body in (piece for pieces in found.values() for piece in pieces):
        if body is None:
            raise GitError(f"the record is damaged: the object {blob} is missing", hint=_REPAIR)
        if blob_id([body], len(body), width=len(blob)) != blob:
            raise GitError(f"the record is damaged: the object {blob} holds something else", hint=_REPAIR)
    return _texts(found)


def read_now(repo: Repo, oids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The same from the ref as it stands and unchecked, for a look; of many, each while git looks for the next."""
    known = list(oids)
    if len(known) <= MOST:
        yield from _texts(few(repo, REF, known) if known else {}).items()
    elif at := tip(repo):
        for oid, pieces in itertools.groupby(_many(repo, at.commit, known), key=lambda piece: piece[0]):
            if there := [body for _, _, body in pieces if body is not None]:
                yield oid, _text(there)


def _found(repo: Repo, at: str, known: list[str]) -> dict[str, list[tuple[str, bytes | None]]]:
    """The blobs (id and content) that are the notes of `known`, several where fan-outs differ."""
    if len(known) <= MOST:
        return few(repo, at, known)
    found: dict[str, list[tuple[str, bytes | None]]] = {}
    for oid, blob, body in _many(repo, at, known):
        found.setdefault(oid, []).append((blob, body))
    return found


def _many(repo: Repo, at: str, known: list[str]) -> Iterator[tuple[str, str, bytes | None]]:
    """Object, blob and content of each note of `known`, by object."""
    among = set(known)
    wanted = sorted((oid, blob) for oid, blob in _listed(repo, Tip(at)) if oid in among)
    for (oid, blob), content in zip(wanted, blobs(repo, [blob for _, blob in wanted]), strict=True):
        yield oid, blob, content[1] if content else None


def blobs(repo: Repo, names: Iterable[str]) -> Iterator[tuple[str, bytes] | None]:
    """Id and content of each named object, by one git process; None for what is not there or no blob."""
    known = list(names)
    with repo.reading("cat-file", "--batch", stdin="".join(f"{name}\n" for name in known).encode()) as out:
        for _ in known:
            head = out.readline()
            if not head:
                break  # git has failed: told where the reading ends
            if head.endswith((b" missing\n", b" ambiguous\n")):
                yield None
                continue
            blob, kind, size = head.split()
            body = out.read(int(size) + 1)[:-1]
            yield (blob.decode(), body) if kind == b"blob" else None


def _texts(found: Mapping[str, list[tuple[str, bytes | None]]]) -> dict[str, str]:
    bodies = {oid: [body for _, body in pieces if body is not None] for oid, pieces in found.items()}
    return {oid: _text(there) for oid, there in bodies.items() if there}


def _text(bodies: Sequence[bytes]) -> str:
    """One note's text; of several, each ended, so that no line runs into the next."""
    ended = bodies if len(bodies) == 1 else [b if not b or b.endswith(b"\n") else b + b"\n" for b in bodies]
    return b"".join(ended).decode("utf-8", "surrogateescape")


def write(
    repo: Repo, at: Tip, notes: Mapping[str, str], message: str, *, parents: Iterable[str] = (), when: int | None = None
) -> Tip:
    """A notes commit on top of `at` (and other `parents`) in which each oid's note is the given text. Moves no ref.

    It is of now, or of `when` (epoch seconds).
    """
    from git_rvexp.git.packing import Pack  # noqa: PLC0415  a look writes nothing

    pack = Pack(repo)
    root = NoteTree(repo, f"{at.commit}^{{tree}}" if at else "", pack)
    for oid, text in notes.items():
        root.place(oid, pack.add("blob", text.encode("utf-8", "surrogateescape")))
    tree, above = root.store(), [*([at.commit] if at else []), *parents]
    text = f"{message}\n\n{TRAILER}\n"
    # What is of a given moment is the same commit in every clone that writes it, so nobody signs it.
    if when is None and _signs(repo):
        pack.store()
        return Tip(_signed(repo, tree, above, text))
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in above)]
    stamp = f"{_NOBODY} {int(time.time()) if when is None else when} +0000"
    commit = "\n".join([*lines, f"author {stamp}", f"committer {stamp}", "", text])
    name = pack.add("commit", commit.encode())
    pack.store()
    return Tip(name)


def _signs(repo: Repo) -> bool:
    from git_rvexp.git import signing  # noqa: PLC0415  a look never signs

    return signing.asks(repo, signing.SIGN, record=True)


def _signed(repo: Repo, tree: str, parents: Iterable[str], text: str) -> str:
    from git_rvexp.git import signing  # noqa: PLC0415  as above
    from git_rvexp.git.tags import person  # noqa: PLC0415  as above

    name, _, email = _NOBODY.rstrip(">").partition(" <")
    env = {
        f"GIT_{who}_{what}": of for who in ("AUTHOR", "COMMITTER") for what, of in (("NAME", name), ("EMAIL", email))
    }
    words = [tree, *(word for parent in parents for word in ("-p", parent))]
    return signing.commit(repo, words, text.encode(), env, str(person(repo)))


def swap(repo: Repo, new: Tip, old: Tip, reason: str, ref: str = REF) -> bool:
    """Move `ref` from `old` to `new`; False when somebody else moved it meanwhile, or holds its lock."""
    done = repo.git("update-ref", "-m", reason, ref, new.commit, old.commit or repo.null_oid, ok=(0, 128))
    if done.code and not _LOST.search(done.err):
        raise GitError(f"the record could not be written\n  {done.err.strip()}{_no_room(repo)}")
    return done.code == 0


def _no_room(repo: Repo) -> str:
    """What git leaves out when it cannot write a ref: whether the disk is full."""
    import shutil  # noqa: PLC0415  loads compressors, and looking needs none of it

    return "\n  No space left on device" if shutil.disk_usage(repo.common_dir).free < _ROOM else ""


def ensure_notes_ref(repo: Repo) -> bool:
    """Let plain `git notes show TAG` print the record, unless the user keeps notes of their own; whether it was set."""
    if repo.setting("core.notesref") or tip(repo, "refs/notes/commits"):
        return False
    put(repo, "core.notesRef", REF)
    return True
