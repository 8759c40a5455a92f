"""One `git cat-file` that answers all that a command asks of the record: where refs stand, trees, notes.

It looks for refs and packs anew for each question, so what other processes write meanwhile is seen; but whether the
file of packed refs is another one git tells by its time in seconds, its number and its size, which may all be as they
were. So that is looked at here, more closely, and a git that may have kept an old one is replaced.

`catfile` would not do: it hashes all it reads and stops at what is missing, and a look at the record does neither. What
the answers mean, and whether they are sound, is the business of those who ask.
"""

import contextlib
import subprocess
import threading
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from git_rvexp.errors import GitError
from git_rvexp.git.catprocess import portions


class Named(NamedTuple):
    """What a name stands for: the object's own name, its kind and its bytes."""

    oid: str
    kind: str
    content: bytes


class Reader:
    """Objects of a clone, by any name that git knows in `top`. Threads may share it; git starts when it is asked.

    `common_dir` is where the clone keeps its refs.
    """

    def __init__(self, top: Path, common_dir: Path, env: Mapping[str, str]) -> None:
        self._top, self._env = top, env
        self._kept = [common_dir / "packed-refs", common_dir / "reftable" / "tables.list"]
        self._seen: list[tuple[int, ...]] = []
        self._git: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def read(self, names: Iterable[str]) -> dict[str, Named | None]:
        """What `names` (without newlines) stand for; None for what is not there.

        GitError when git fails. A git that was ended meanwhile is replaced: Ctrl-C reaches all processes of a terminal,
        and to ask again does no harm.
        """
        known = list(dict.fromkeys(names))
        with self._lock:
            before, self._seen = self._seen, [_mark(path) for path in self._kept]
            if self._git is not None and self._seen != before:
                self._drop()
            if self._git is not None:
                with contextlib.suppress(EOFError):
                    return self._answers(self._git, known)
            self._git = self._started()
            try:
                return self._answers(self._git, known)
            except EOFError as why:
                raise GitError(f"the record could not be read\n  {why}") from why

    def _answers(self, git: "subprocess.Popen[bytes]", known: list[str]) -> dict[str, Named | None]:
        assert git.stdin
        found: dict[str, Named | None] = {}
        try:
            for some in portions(known):
                with contextlib.suppress(OSError):  # it has ended: what it said of that comes next
                    git.stdin.write("".join(f"{name}\n" for name in some).encode())
                    git.stdin.flush()
                found |= {name: _next(git) for name in some}
        except BaseException:
            # What it still has to say would be taken for the answer to the next question.
            self._drop()
            raise
        return found

    def _drop(self) -> None:
        git, self._git = self._git, None
        if git:
            git.kill()  # it only reads, and may wait for us to take what it has to say
            _end(git)

    def _started(self) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        words = ["git", "cat-file", "--batch"]
        git = subprocess.Popen(words, cwd=self._top, env=self._env, stdin=pipe, stdout=pipe, stderr=pipe)
        weakref.finalize(self, _end, git)
        return git


def _mark(path: Path) -> tuple[int, ...]:
    """By what a file that was replaced can be told from the one before; empty when there is none."""
    try:
        seen = path.stat()
    except OSError:
        return ()
    return seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_size


def _next(git: "subprocess.Popen[bytes]") -> Named | None:
    """The next answer. EOFError, with what git said of it, when there is none."""
    assert git.stdout
    assert git.stderr
    head = git.stdout.readline()
    if head.endswith((b" missing\n", b" ambiguous\n")):
        return None
    if head:
        oid, kind, size = head.decode().split()
        content = git.stdout.read(int(size) + 1)[:-1]
        if len(content) == int(size):
            return Named(oid, kind, content)
    raise EOFError(git.stderr.read().decode("utf-8", "replace").strip())


def _end(git: "subprocess.Popen[bytes]") -> None:
    """Let it end, if it has not: it does when nobody can ask any more."""
    with git, contextlib.suppress(OSError):
        if git.stdin:
            git.stdin.close()
