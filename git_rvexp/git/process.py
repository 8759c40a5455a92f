"""Git as a process: run to its end, within a time, read while it still answers, or begun now and waited for later."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple, Self

from git_rvexp.errors import GitError

NEEDED = "install git 2.34 or newer"
"""Everything that is used of git is that old, by its release notes; docs/platforms.md tells what was tried."""


REPOSITORY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
"""The variables that name a repository."""
UNASKED: Mapping[str, str] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",  # empty it goes before core.askPass and SSH_ASKPASS (gitcredentials(7))
    "SSH_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",  # Git Credential Manager's windows
}
"""What keeps git, and what it starts, from asking a person for a password, at the terminal or in a window."""


class Result(NamedTuple):
    """What a git command gave: exit code, bytes of stdout, text of stderr."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output as text (undecodable bytes kept as surrogates) without its last newline."""
        return self.out.decode("utf-8", "surrogateescape").removesuffix("\n")

    @property
    def lines(self) -> list[str]:
        """The output's lines."""
        return self.text.split("\n") if self.out else []


class Underway:
    """A git command that has begun where nobody can be asked for a password; its result is waited for when asked for.

    Left by `with` before that, it is stopped.
    """

    def __init__(self, args: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._git = _alone(args, cwd, env, subprocess.PIPE, subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._git:  # closes its pipes
            _stop(self._git)

    def result(self) -> Result:
        """What it gave, once it has ended; asked for once."""
        out, err = self._git.communicate()
        return _result(self._git.returncode, out, err)


def apart(env: Mapping[str, str]) -> dict[str, str]:
    """`env` without the repository that it names: for a command about another one."""
    return {name: value for name, value in env.items() if name not in REPOSITORY}


def run(args: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: bytes = b"") -> Result:
    """Run `git <args>` to its end, whatever its exit code. GitError when there is no git."""
    with _found():
        done = subprocess.run(["git", *args], cwd=cwd, env=env, input=stdin, capture_output=True, check=False)
    return _result(done.returncode, done.stdout, done.stderr)


def run_within(seconds: float, args: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Result:
    """The same where nobody can be asked for a password; GitError when that takes longer than `seconds`."""
    import tempfile  # noqa: PLC0415  seldom needed

    # Files, since a pipe would be held open by helpers that outlive git.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with _alone(args, cwd, env, out, err) as git:
            try:
                git.wait(seconds)
            except subprocess.TimeoutExpired as why:
                raise GitError(f"git {args[0]} got no answer within {seconds:g} s") from why
            finally:
                _stop(git)
        out.seek(0)
        err.seek(0)
        return _result(git.returncode, out.read(), err.read())


@contextmanager
def reading(args: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: bytes) -> Iterator[IO[bytes]]:
    """What `git <args>` answers, while it still looks for the rest. GitError at the end when it has failed."""
    import tempfile  # noqa: PLC0415  only what is long is read so

    with tempfile.TemporaryFile() as asked:  # in a pipe, git and we could come to wait for each other
        asked.write(stdin)
        asked.seek(0)
        pipe, size = subprocess.PIPE, 1 << 16
        with subprocess.Popen(
            ["git", *args], cwd=cwd, env=env, stdin=asked, stdout=pipe, stderr=pipe, bufsize=size
        ) as git:
            assert git.stdout
            assert git.stderr
            yield git.stdout
            err = git.stderr.read()
    if git.returncode:
        raise failed(args, _result(git.returncode, b"", err))


def failed(args: Sequence[str], done: Result) -> GitError:
    """The error for a command that ended as it should not have."""
    words = [a for a in args if not a.startswith("-")][:1] or list(args[:1])
    told = "\n".join(f"  {line}" for line in done.err.strip().splitlines()[-6:])
    return GitError(f"git {words[0]} failed (exit {done.code})" + (f"\n{told}" if told else ""))


def _alone(
    args: Sequence[str], cwd: Path, env: Mapping[str, str], out: IO[bytes] | int, err: IO[bytes] | int
) -> subprocess.Popen[bytes]:
    """Git in a session of its own: without a terminal to ask at, and stopped with all its helpers."""
    env, no = {**env, **UNASKED}, subprocess.DEVNULL
    with _found():
        return subprocess.Popen(
            ["git", *args], cwd=cwd, env=env, stdin=no, stdout=out, stderr=err, start_new_session=True
        )


def _stop(git: subprocess.Popen[bytes]) -> None:
    """Stop it, unless it has ended, and its helpers, which git itself would leave to wait for a silent server."""
    if git.poll() is not None:
        return
    if sys.platform == "win32":
        git.terminate()
        return
    with suppress(ProcessLookupError):
        os.killpg(git.pid, signal.SIGTERM)


@contextmanager
def _found() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as why:
        raise GitError(f"{why.filename} was not found", hint=NEEDED) from why


def _result(code: int, out: bytes, err: bytes) -> Result:
    return Result(code, out, err.decode("utf-8", "replace"))
