"""Notes as a tree: read many at once, write by compare-and-swap.

The new tree is built beside the ref with `mktree` and the ref moves only if nobody else moved it. `git notes
append` and pygit2's create_note lose up to half of concurrent writes without saying so (measured), so neither is
used. New notes are fanned out one level (ab/cdef…), so the cost of a write does not follow the number of
notes; notes that plain git wrote elsewhere are found and written back where they are.
"""

import contextlib
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo

REF = "refs/notes/rvexp"
_TRAILER = "Rvexp-Record: 1"  # by which hooks/pre-push knows a commit of the record under any name
_Entry = tuple[str, str, str]  # mode, kind, oid
# From here on it is cheaper to list all notes once than to look for each by its three possible paths.
_MANY = 100
_ROOM = 16384  # bytes; a ref and its lock take a block each


@dataclass(frozen=True)
class Tip:
    """Where a notes ref stands; empty `commit` when it does not exist."""

    commit: str

    def __bool__(self) -> bool:
        return bool(self.commit)


def tip(repo: Repo, ref: str = REF) -> Tip:
    """The commit that `ref` names now."""
    return Tip(repo.git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", ok=(0, 1)).text)


def paths(oid: str) -> list[str]:
    """Every path at which a note on `oid` can stand, by fan-out."""
    return [oid, f"{oid[:2]}/{oid[2:]}", f"{oid[:2]}/{oid[2:4]}/{oid[4:]}"]


def listed(repo: Repo, at: Tip) -> dict[str, str]:
    """Annotated object -> its note's blob, for every note at `at`; two blobs of one object are both kept by `read`."""
    return dict(_listed(repo, at)) if at else {}


def _listed(repo: Repo, at: Tip) -> Iterator[tuple[str, str]]:
    length = len(repo.null_oid)
    for line in repo.git("ls-tree", "-r", "-z", at.commit).text.split("\0"):
        meta, _, path = line.partition("\t")
        oid = path.replace("/", "")
        if len(oid) == length and meta[7:11] == "blob":
            yield oid, meta[12:]


def read(repo: Repo, at: Tip, oids: Iterable[str]) -> dict[str, str]:
    """The notes of `oids` as text, by one git process or two; absent ones are left out."""
    known = list(oids)
    if not at or not known:
        return {}
    if len(known) > _MANY:
        among = set(known)
        wanted = [(oid, blob) for oid, blob in _listed(repo, at) if oid in among]
    else:
        wanted = [(oid, f"{at.commit}:{path}") for oid in known for path in paths(oid)]
    asked = "".join(f"{name}\n" for _, name in wanted).encode()
    out = repo.git("cat-file", "--batch", stdin=asked).out
    notes: dict[str, str] = {}
    position = 0
    for oid, _ in wanted:
        head = out[position : out.index(b"\n", position)]
        position += len(head) + 1
        if head.endswith((b" missing", b" ambiguous")):
            continue
        size = int(head.rsplit(b" ", 1)[1])
        body = out[position : position + size]
        position += size + 1
        if b" blob " in head:
            notes[oid] = notes.get(oid, "") + body.decode("utf-8", "surrogateescape")
    return notes


def read_now(repo: Repo, oids: Iterable[str]) -> dict[str, str]:
    """The same from the ref as it stands, for a look: one process less, but each note is of its own moment."""
    known = list(oids)
    return read(repo, tip(repo) if len(known) > _MANY else Tip(REF), known)


def write(repo: Repo, at: Tip, notes: Mapping[str, str], message: str, *, parents: Iterable[str] = ()) -> Tip:
    """A notes commit on top of `at` (and other `parents`) in which each oid's note is the given text. Moves no ref."""
    root = _Tree(repo, f"{at.commit}^{{tree}}" if at else "")
    try:
        for oid, text in notes.items():
            root.place(oid, _blob(repo, text))
        tree = root.store()
    finally:
        root.close()
    flags = [word for parent in (*([at.commit] if at else []), *parents) for word in ("-p", parent)]
    text = f"{message}\n\n{_TRAILER}\n"
    return Tip(repo.git("commit-tree", tree, *flags, stdin=text.encode(), env=_identity()).text)


def swap(repo: Repo, new: Tip, old: Tip, reason: str, ref: str = REF) -> bool:
    """Move `ref` from `old` to `new`; False when somebody else moved it meanwhile."""
    done = repo.git("update-ref", "-m", reason, ref, new.commit, old.commit or repo.null_oid, ok=(0, 128))
    if done.code and "cannot lock ref" not in done.err:
        raise GitError(f"the record could not be written\n  {done.err.strip()}{_no_room(repo)}")
    return done.code == 0


def _no_room(repo: Repo) -> str:
    """What git leaves out when it cannot write a ref: whether the disk is full."""
    return "\n  No space left on device" if shutil.disk_usage(repo.common_dir).free < _ROOM else ""


def ensure_notes_ref(repo: Repo) -> bool:
    """Let plain `git notes show TAG` print the record, unless the user keeps notes of their own; whether it was set."""
    if repo.setting("core.notesref") or tip(repo, "refs/notes/commits"):
        return False
    repo.git("config", "--local", "core.notesRef", REF)
    return True


def _blob(repo: Repo, text: str) -> str:
    return repo.git("hash-object", "-w", "--stdin", stdin=text.encode("utf-8", "surrogateescape")).text


def _identity() -> dict[str, str]:
    """Nobody's name is needed to keep a record: who did what stands in the events."""
    fixed = {"NAME": "git rvexp", "EMAIL": "git-rvexp@localhost"}
    return {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in fixed.items()}


class _Tree:
    """A notes tree under change: subtrees are read when needed and written once, by one `mktree --batch`."""

    def __init__(self, repo: Repo, treeish: str) -> None:
        self._repo = repo
        self._root = self._entries(treeish) if treeish else {}
        self._subtrees: dict[str, dict[str, _Entry]] = {}
        self._mktree: subprocess.Popen[bytes] | None = None

    def place(self, oid: str, blob: str) -> None:
        """Put the note of `oid` where it stands already (the other copies go), else one level deep."""
        holders = [(folder, name) for folder, name in _split(oid) if name in self._folder(folder)]
        for folder, name in holders[1:]:
            del self._folder(folder)[name]
        folder, name = holders[0] if holders else (oid[:2], oid[2:])
        self._folder(folder)[name] = ("100644", "blob", blob)

    def store(self) -> str:
        """The tree's object name, all of it written."""
        for path in sorted(self._subtrees, key=len, reverse=True):
            parent, _, name = path.rpartition("/")
            entries = self._subtrees[path]
            if entries:
                self._folder(parent)[name] = ("040000", "tree", self._write(entries))
            else:
                self._folder(parent).pop(name, None)
        return self._write(self._root)

    def close(self) -> None:
        """End the writer."""
        if self._mktree is not None:
            with contextlib.suppress(BrokenPipeError):
                self._mktree.communicate()

    def _folder(self, path: str) -> dict[str, _Entry]:
        if not path:
            return self._root
        if path not in self._subtrees:
            parent, _, name = path.rpartition("/")
            entry = self._folder(parent).get(name)
            self._subtrees[path] = self._entries(entry[2]) if entry and entry[1] == "tree" else {}
        return self._subtrees[path]

    def _entries(self, treeish: str) -> dict[str, _Entry]:
        entries: dict[str, _Entry] = {}
        for line in self._repo.git("ls-tree", "-z", treeish).text.split("\0"):
            meta, _, name = line.partition("\t")
            if name:
                mode, kind, oid = meta.split()
                entries[name] = (mode, kind, oid)
        return entries

    def _write(self, entries: Mapping[str, _Entry]) -> str:
        if self._mktree is None:
            self._mktree = subprocess.Popen(
                ["git", "mktree", "--batch", "-z"],
                cwd=self._repo.top,
                env=self._repo.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        assert self._mktree.stdin
        assert self._mktree.stdout
        assert self._mktree.stderr
        text = "".join(f"{mode} {kind} {oid}\t{name}\0" for name, (mode, kind, oid) in entries.items())
        with contextlib.suppress(BrokenPipeError):  # it has ended; why comes next
            self._mktree.stdin.write(text.encode() + b"\0")
            self._mktree.stdin.flush()
        oid = self._mktree.stdout.readline().decode().strip()
        if not oid:
            said = self._mktree.stderr.read().decode("utf-8", "replace").strip()
            raise GitError(f"the record could not be written\n  {said}")
        return oid


def _split(oid: str) -> list[tuple[str, str]]:
    """Folder and name of each of `paths(oid)`; an absent folder reads as empty."""
    pairs = []
    for path in paths(oid):
        folder, _, name = path.rpartition("/")
        pairs.append((folder, name))
    return pairs
