"""An index of the record, so that finding one run among thousands does not mean reading them all.

It is a cache in the git directory: for each note the ids of its runs and jobs, whether one of them has not ended, and
when the last word was said. It holds for one commit of the record and is brought up to another by what differs between
the two. One that is missing, cut, altered or of another form is made anew, and one that cannot be written is done
without. It only says where to look: whoever asks reads the notes themselves.
"""

import itertools
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.git import notes
from git_rvexp.git.plumbing import Repo
from git_rvexp.jitter import token
from git_rvexp.record.events import Record, skim
from git_rvexp.record.runs import runs

_FORM = "rvexp-index-1"
_WANTED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("planned", "ended", "ambiguous", "refused", "notfound", "unknown"), frozenset(("run",))),
    **dict.fromkeys(("submitted", "duplicate"), frozenset(("run", "job"))),
}
_OPEN, _OVER = "open", "over"
_STRANGE = "strange"  # it tells of an id that cannot stand in a line of words: always looked into


@dataclass(frozen=True)
class Index:
    """The index of the record as it stood at a commit. Lines, newest first: last word, state, the note's path, ids."""

    text: str

    def naming(self, start: str) -> list[str]:
        """Objects whose notes may tell of a run or job whose id begins so."""
        return _objects([*self._lines_with(f" {start}"), *self._lines_with(f" {_STRANGE} ")])

    def standing(self, begin: str) -> list[str]:
        """Objects whose notes may tell of runs that have not ended, or of which something was said since `begin`."""
        recent = list(itertools.takewhile(lambda line: line >= begin, self.text.split("\n")))
        return _objects([*recent, *self._lines_with(f" {_OPEN} "), *self._lines_with(f" {_STRANGE} ")])

    def _lines_with(self, part: str) -> Iterator[str]:
        at = self.text.find(part)
        while at >= 0:
            end = self.text.index("\n", at)
            yield self.text[self.text.rfind("\n", 0, at) + 1 : end]
            at = self.text.find(part, end)


def index(repo: Repo) -> Index:
    """The index of the record as it stands now, kept for the next time."""
    at = notes.tip(repo)
    if not at:
        return Index("")
    path = repo.state_dir / "index"
    before, text = _kept(path)
    if before == at.commit:
        return Index(text)
    changed = _changed(repo, before, at.commit) if before else None
    if changed is None:
        changed, text = _changed(repo, "", at.commit) or {}, ""
    whole = _updated(repo, text, changed)
    with suppress(OSError):
        _keep(path, at.commit, whole)
    return Index(whole)


def _objects(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(line.split(" ", 3)[2].replace("/", "") for line in lines))


def _kept(path: Path) -> tuple[str, str]:
    """The commit that the kept index is of, and its lines; nothing when it is not as it was written."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        form, commit, check = head.decode("ascii").split(" ")
        sound = form == _FORM and check == _check(commit, body)
        return (commit, body.decode()) if sound else ("", "")
    except (OSError, ValueError):
        return "", ""


def _check(commit: str, body: bytes) -> str:
    return f"{zlib.crc32(body, zlib.crc32(commit.encode())):08x}"


def _keep(path: Path, commit: str, text: str) -> None:
    body = text.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"index.{token()}")
    try:
        partial.write_bytes(f"{_FORM} {commit} {_check(commit, body)}\n".encode() + body)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _changed(repo: Repo, before: str, now: str) -> dict[str, str] | None:
    """Path -> blob ("" where it went) of the notes that differ; all without `before`. None when it is gone."""
    base = before or repo.git("hash-object", "-t", "tree", "--stdin", stdin=b"").text
    done = repo.git("diff-tree", "-r", "-z", "--no-renames", base, now, ok=(0, 128) if before else (0,))
    if done.code:
        return None
    length = len(repo.null_oid)
    words = done.text.split("\0")
    pairs = ((meta.split(" "), path) for meta, path in zip(words[0::2], words[1::2], strict=False))
    return {
        path: "" if meta[4] == "D" else meta[3]
        for meta, path in pairs
        if len(path.replace("/", "")) == length and (meta[4] == "D" or meta[1].startswith("100"))
    }


def _updated(repo: Repo, text: str, changed: Mapping[str, str]) -> str:
    lines = [line for line in text.split("\n") if line and line.split(" ", 3)[2] not in changed]
    paths = [path for path, blob in changed.items() if blob]
    for path, blob in zip(paths, notes.blobs(repo, [changed[path] for path in paths]), strict=True):
        if blob is not None:
            lines += _line(path, skim(blob[1].decode("utf-8", "surrogateescape"), _WANTED))
    return "".join(f"{line}\n" for line in sorted(lines, reverse=True))


def _line(path: str, record: Record) -> list[str]:
    """What the index says of one note; nothing when it tells of no run."""
    told = (event.fields.get(key) for event in record.events for key in ("run", "job"))
    ids = list(dict.fromkeys(word for word in told if isinstance(word, str)))
    if not ids:
        return []
    plain = [word for word in ids if word.isascii() and word.isprintable() and " " not in word]
    state = _OVER if all(run.phase.over for run in runs(record)) else _OPEN
    return [" ".join([record.events[-1].time, state if len(plain) == len(ids) else _STRANGE, path, *plain])]
