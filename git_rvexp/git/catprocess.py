"""The process behind `catfile` and `largeblobs`: a `git cat-file`, its settings, and what is said when it fails."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from git_rvexp.errors import GitError
from git_rvexp.git.process import apart

# Files from the threshold on pass through git piece by piece where git can do that, and packs are mapped in windows:
# by default git maps a gigabyte at once and all of it in all, which counts as its memory (git-config(1)).
_SETTINGS = ("core.bigFileThreshold=8m", "core.packedGitWindowSize=8m", "core.packedGitLimit=32m")

Running = subprocess.Popen[bytes]
_FITS = 4096


def portions(questions: Sequence[str]) -> Iterator[Sequence[str]]:
    """`questions`, some at a time: so many as any pipe holds whole, so that all can be sent before an answer is read.

    Mostly a pipe holds 64 KiB, but one page where a user has very many (pipe(7), pipe-user-pages-soft).
    """
    start = taken = 0
    for at, question in enumerate(questions):
        size = len(question.encode()) + 1
        if taken and taken + size > _FITS:
            yield questions[start:at]
            start, taken = at, 0
        taken += size
    if questions:
        yield questions[start:]


def start(git_dir: Path, env: Mapping[str, str], *words: str) -> Running:
    """`git cat-file` with these words in the repository at `git_dir`, whatever repository `env` names."""
    pipe = subprocess.PIPE
    settings = (word for text in _SETTINGS for word in ("-c", text))
    command = ["git", f"--git-dir={git_dir}", *settings, "cat-file", *words]
    try:
        return subprocess.Popen(command, cwd=git_dir, env=apart(env), stdin=pipe, stdout=pipe, stderr=pipe)
    except OSError as why:
        raise GitError(f"the objects of {git_dir} cannot be read: {why}") from why


def end(git: Running) -> str:
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


def missing(oid: str, git_dir: Path) -> GitError:
    """The error for an object that is not there."""
    return GitError(f"the object {oid} is not in {git_dir}", hint="git fsck")


def unreadable(oid: str, why: str) -> GitError:
    """The error for an object that is there, and is not what its name says."""
    return GitError(f"the object {oid} cannot be read: {why}", hint="git fsck")
