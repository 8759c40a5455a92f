"""A `git cat-file` that answers for as long as it is needed: objects as they are, each held against its name.

It reads true objects and runs nothing: no filters, no attributes, no hooks, no replace refs, whatever the repository's
configuration says. Git itself does not hash what it reads, so that is done here. What trees and files mean is
`objects`' business.
"""

import contextlib
import subprocess
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from git_rvexp.errors import GitError
from git_rvexp.tree import naming

_PIECE = 1 << 18
_AT_ONCE = 900
"""Questions that fit into a pipe (64 KiB) whole: all are sent before an answer is read, and nobody waits in vain."""
_CONTENTS, _SIZES = "--batch", "--batch-check"  # one git for each: --batch-command came with git 2.36 only
# Files from the threshold on pass through git piece by piece where git can do that, and packs are mapped in windows:
# by default git maps a gigabyte at once and all of it in all, which counts as its memory (git-config(1)).
_SETTINGS = ("core.bigFileThreshold=8m", "core.packedGitWindowSize=8m", "core.packedGitLimit=32m")


class Found(NamedTuple):
    """An object: what kind git says it is, and its bytes."""

    kind: str
    content: bytes


class Reading(Protocol):
    """What `Objects` needs of those who have objects; `CatFile` says what each of these is."""

    def contents(self, oids: Sequence[str]) -> Iterator[Found]: ...  # noqa: D102

    def sizes(self, oids: Sequence[str]) -> list[int | None]: ...  # noqa: D102

    def streamed(self, oid: str) -> Iterator[bytes]: ...  # noqa: D102


@dataclass
class CatFile:
    """The objects of the repository at `git_dir`. Threads may share it. Git is started when it is first asked."""

    git_dir: Path
    env: Mapping[str, str]
    _gits: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def contents(self, oids: Sequence[str]) -> Iterator[Found]:
        """The objects with these names. GitError for one that is missing or is not what its name says."""
        for some in _portions(oids):
            with self._lock:
                self._ask(_CONTENTS, some)
                found = [self._object(oid) for oid in some]
            yield from found

    def sizes(self, oids: Sequence[str]) -> list[int | None]:
        """Their sizes in bytes, by what git says; None for what is not here."""
        found: list[int | None] = []
        for some in _portions(oids):
            with self._lock:
                self._ask(_SIZES, some)
                answers = [self._line(_SIZES, oid) for oid in some]
            found += [int(words[2]) if len(words) == 3 else None for words in answers]
        return found

    def streamed(self, oid: str) -> Iterator[bytes]:
        """A blob's bytes by a git of its own, piece by piece: nothing of it stays in memory.

        GitError before the last piece when they are not what the name says.
        """
        size = self.sizes([oid])[0]
        if size is None:
            raise self._missing(oid)
        seen, held = naming("blob", size, len(oid)), b""
        with self._started("blob", oid) as git:
            assert git.stdout
            try:
                while piece := git.stdout.read(_PIECE):
                    seen.update(piece)
                    if held:
                        yield held
                    held = piece
            finally:
                git.stdout.close()  # git ends when nobody reads any more
        if seen.hexdigest() != oid:
            raise _unreadable(oid, "hash mismatch, or it breaks off")
        if held:
            yield held

    def _ask(self, what: str, oids: Sequence[str]) -> None:
        git = self._gits.get(what)
        if git is None or git.poll() is not None:
            git = self._gits[what] = self._started(what)
            weakref.finalize(self, _end, git)
        assert git.stdin
        try:
            git.stdin.write("".join(f"{oid}\n" for oid in oids).encode())
            git.stdin.flush()
        except OSError as why:
            raise self._ended(what, oids[0]) from why

    def _object(self, oid: str) -> Found:
        words = self._line(_CONTENTS, oid)
        if len(words) != 3:
            raise self._missing(oid)
        out = self._gits[_CONTENTS].stdout
        assert out
        kind, size = words[1], int(words[2])
        content = out.read(size + 1)[:-1]
        if len(content) != size:
            raise self._ended(_CONTENTS, oid)
        seen = naming(kind, size, len(oid))
        seen.update(content)
        if seen.hexdigest() != oid:
            self._stop()
            raise _unreadable(oid, "hash mismatch")
        return Found(kind, content)

    def _line(self, what: str, oid: str) -> list[str]:
        """The name, kind and size of what comes next; another form for what is not here."""
        out = self._gits[what].stdout
        assert out
        line = out.readline()
        if not line:
            raise self._ended(what, oid)
        return line.decode("utf-8", "replace").split()

    def _missing(self, oid: str) -> GitError:
        self._stop()
        return GitError(f"the object {oid} is not in {self.git_dir}", hint="git fsck")

    def _ended(self, what: str, oid: str) -> GitError:
        """Git gave up: what it said of that."""
        told = _end(self._gits.pop(what)).strip().splitlines()
        return _unreadable(oid, "; ".join(told[-3:]) or "git cat-file ended")

    def _stop(self) -> None:
        """Answers that nobody waits for any more go with the git that gives them."""
        git = self._gits.pop(_CONTENTS, None)
        if git:
            git.kill()
            _end(git)

    def _started(self, *words: str) -> "subprocess.Popen[bytes]":
        env = {k: v for k, v in self.env.items() if k not in ("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE")}
        pipe = subprocess.PIPE
        settings = (word for text in _SETTINGS for word in ("-c", text))
        command = ["git", f"--git-dir={self.git_dir}", *settings, "cat-file", *words]
        try:
            return subprocess.Popen(command, cwd=self.git_dir, env=env, stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as why:
            raise GitError(f"the objects of {self.git_dir} cannot be read: {why}") from why


def _portions(oids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (oids[start : start + _AT_ONCE] for start in range(0, len(oids), _AT_ONCE))


def _end(git: "subprocess.Popen[bytes]") -> str:
    """Let it end, if it has not; what it had to say."""
    assert git.stdin
    assert git.stdout
    assert git.stderr
    if git.stderr.closed:
        return ""
    with git:
        with contextlib.suppress(OSError):  # it may have ended before it had read all
            git.stdin.close()
        git.stdout.close()
        return git.stderr.read().decode("utf-8", "replace")


def _unreadable(oid: str, why: str) -> GitError:
    return GitError(f"the object {oid} cannot be read: {why}", hint="git fsck")
