"""The history of one note, walked: a line once written must never have changed or vanished.

Every notes commit is held against each of its parents, so an edit is found even when a later merge brought the old
line back. A rewritten history shows as a place where the ref has been (its reflog, what the remote showed last) and
from which it has not gone on. What the record said before it was meddled with is put together again, so that one
edited line does not make everything else look changed. Nothing is written here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from git_rvexp.git import notes
from git_rvexp.git.notes import Tip
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.asking import SEEN

_PORTION = 64  # notes held in memory at once, in pairs
_NAMED = 100  # paths that are named on git's command line; beyond, all notes are looked at
_Change = tuple[str, str, str]  # commit, blob before, blob after


@dataclass(frozen=True)
class Loss:
    """A commit in which lines are missing that stood there before; `added` came in the same moment."""

    commit: str
    lost: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True)
class History:
    """The note as it stands (`text`), as it was written before anybody meddled (`original`), and the meddling.

    `commits` changed it; `rewritten` are those that the record's ref stood at and that its history does not hold any
    more.
    """

    text: str
    original: str
    writings: int
    losses: tuple[Loss, ...] = ()
    rewritten: tuple[str, ...] = field(default=())
    commits: tuple[str, ...] = field(default=())


class Histories:
    """The histories of the notes on `oids`, here and at the remote's notes commit `there`, in one walk."""

    def __init__(self, repo: Repo, oids: Sequence[str], there: Tip) -> None:
        """Walk; `there` is empty where the remote has none, or one that is not to be trusted."""
        self._repo = repo
        self._here, seen = notes.tip(repo), notes.tip(repo, SEEN)
        self._tips = [tip for tip in dict.fromkeys((self._here, seen, there)) if tip]
        self._parents = _parents(repo, self._tips)
        self._changes = _changes(repo, self._parents, oids)
        self._left = _left(repo, self._here, seen)

    def of(self, oid: str) -> History:
        """One note's."""
        repo = self._repo
        changes = self._changes.get(oid, [])
        standing = [t for tip in self._tips if (t := notes.read(repo, tip, [oid]).get(oid))]
        text = "".join(t if t.endswith("\n") else t + "\n" for t in standing)
        losses = [loss for c in _shrunk(repo, changes) if (loss := _loss(repo, oid, c, self._parents[c]))]
        left = [loss for c in self._left if (loss := _left_behind(repo, oid, c, self._here))]
        losses += left
        commits = tuple(dict.fromkeys(commit for commit, _, _ in changes))
        original, gone = _original(text, losses), tuple(loss.commit for loss in left)
        return History(text, original, len(commits), tuple(losses), gone, commits)


def _original(text: str, losses: Iterable[Loss]) -> str:
    lines = dict.fromkeys(_lines(text))
    put_back: dict[str, None] = {}
    for loss in losses:
        for line in loss.added:
            lines.pop(line, None)
        put_back |= dict.fromkeys(loss.lost)
    return "".join(f"{line}\n" for line in lines | put_back)


def _parents(repo: Repo, tips: Sequence[Tip]) -> dict[str, list[str]]:
    if not tips:
        return {}
    walk = (line.split() for line in repo.git("rev-list", "--parents", *(t.commit for t in tips)).lines)
    return {words[0]: words[1:] for words in walk}


def _changes(repo: Repo, parents: Mapping[str, Sequence[str]], oids: Sequence[str]) -> dict[str, list[_Change]]:
    """By annotated object: every commit that changed its note, with the blob before and after."""
    # One line a parent: a merge that drops one side's lines is equal to the other and must be seen all the same.
    asked = "".join(f"{c} {p}\n" for c, of in parents.items() for p in of or [""])
    paths = [path for oid in oids for path in notes.paths(oid)] if len(oids) <= _NAMED else []
    options = ("--stdin", "-r", "--root", "--no-renames", "--")
    found: dict[str, list[_Change]] = {}
    commit = ""
    for line in repo.git("diff-tree", *options, *paths, stdin=asked.encode()).lines:
        if line.startswith(":"):
            meta, _, path = line.partition("\t")
            old, new = meta.split(" ")[2:4]
            found.setdefault(path.replace("/", ""), []).append((commit, old, new))
        else:
            commit = line
    return found


def _shrunk(repo: Repo, changes: Sequence[_Change]) -> list[str]:
    """The commits after which a line of the old blob is not in the new one."""
    found: dict[str, None] = {}
    for start in range(0, len(changes), _PORTION):
        some = changes[start : start + _PORTION]
        blobs = _blobs(repo, {blob for _, old, new in some for blob in (old, new)})
        found |= dict.fromkeys(c for c, old, new in some if blobs.get(old, set()) - blobs.get(new, set()))
    return list(found)


def _blobs(repo: Repo, oids: Iterable[str]) -> dict[str, set[str]]:
    """The lines of blobs."""
    wanted = [oid for oid in oids if oid != repo.null_oid]
    out = repo.git("cat-file", "--batch", stdin="".join(f"{o}\n" for o in wanted).encode()).out
    found: dict[str, set[str]] = {}
    at = 0
    for oid in wanted:
        end = out.index(b"\n", at)
        size = int(out[at:end].rsplit(b" ", 1)[1])
        found[oid] = set(_lines(out[end + 1 : end + 1 + size].decode("utf-8", "surrogateescape")))
        at = end + size + 2
    return found


def _loss(repo: Repo, oid: str, commit: str, parents: Sequence[str]) -> Loss | None:
    """The same with the whole note before and after: a note that only moved to another path has lost nothing."""
    now = _at(repo, oid, commit)
    before = [line for parent in parents for line in _at(repo, oid, parent)]
    return _compared(commit, before, now)


def _left(repo: Repo, here: Tip, seen: Tip) -> list[str]:
    """Commits the ref stood at, here or as the remote showed it, from which the record here has not gone on."""
    if not here:
        return [seen.commit] if seen else []
    stood = repo.git("rev-list", "--walk-reflogs", notes.REF, "--", ok=(0, 128)).lines
    asked = "".join(f"{c}\n" for c in dict.fromkeys([*stood, *([seen.commit] if seen else [])]))
    gone = repo.git("rev-list", "--ignore-missing", "--stdin", stdin=f"{asked}^{here.commit}\n".encode()).lines
    return [c for c in asked.splitlines() if c in set(gone)]


def _left_behind(repo: Repo, oid: str, commit: str, here: Tip) -> Loss | None:
    before, now = _at(repo, oid, commit), _at(repo, oid, here.commit) if here else []
    found = _compared(commit, before, now)
    if found is None:
        return None
    # What was written since is not under suspicion, but for lines that stand in the place of a lost one.
    heads = {_head(line) for line in found.lost}
    return Loss(commit, found.lost, tuple(line for line in found.added if _head(line) in heads))


def _compared(commit: str, before: Iterable[str], now: Iterable[str]) -> Loss | None:
    was, stands = dict.fromkeys(before), dict.fromkeys(now)
    lost = tuple(line for line in was if line not in stands)
    return Loss(commit, lost, tuple(line for line in stands if line not in was)) if lost else None


def _at(repo: Repo, oid: str, commit: str) -> list[str]:
    return _lines(notes.read(repo, Tip(commit), [oid]).get(oid, ""))


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _head(line: str) -> str:
    return " ".join(line.split(" ")[:2])
