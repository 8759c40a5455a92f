"""The one place that runs git: a repository's paths, and `Repo.git` with a known environment.

Inherited GIT_* variables are dropped but for a reasoned list (inside a hook they name the wrong index), hooks
and monitors are silenced for our own plumbing, replace refs are ignored, and nothing here writes the user's
index. Nothing here knows what a snapshot or a record is.
"""

import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import IO

from git_rvexp.errors import GitError, UsageError
from git_rvexp.git.process import NEEDED, REPOSITORY, Result, Underway, apart, failed, reading, run, run_within
from git_rvexp.git.reader import Reader

# Who and how to talk, where the repository is, and the caller's -c settings. Everything else that starts with
# GIT_ (index file, object directory, prefix, pathspec modes, quarantine …) belongs to another command.
_KEPT = (
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GIT_CONFIG",
    "GIT_SSH",
    "GIT_SSL_",
    "GIT_HTTP_",
    "GIT_ASKPASS",
    "GIT_TERMINAL_PROMPT",
    "GIT_TRACE",
    "GIT_EXEC_PATH",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_PROXY_",
    "GIT_PAGER_IN_USE",
    "GIT_TEST_",
)
_QUIET = {
    "core.fsmonitor": "false",  # a hook that lies makes a snapshot miss a change; >= 2.55 starts a daemon
    "core.splitIndex": "false",  # a scratch index must not leave a shared index behind
    "core.hooksPath": os.devnull,
    "core.safecrlf": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",  # a remote helper that runs what its address says
    "safe.bareRepository": "explicit",  # one that came with the files is not where we are
    # git >= 2.54: hooks set in the configuration are not silenced by core.hooksPath
    "hook.post-index-change.enabled": "false",
    "hook.reference-transaction.enabled": "false",
    "hook.pre-push.enabled": "false",
}

_COUNT = re.compile(r"[0-9]{1,9}")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` made fit for our plumbing: see the module's text. UsageError for a count that git would refuse."""
    kept = {k: v for k, v in environ.items() if not k.startswith("GIT_") or k.startswith(_KEPT) or k in REPOSITORY}
    told = kept.get("GIT_CONFIG_COUNT") or "0"
    if not _COUNT.fullmatch(told):
        raise UsageError(f"GIT_CONFIG_COUNT is {told!r}, and git wants a number there", hint="unset GIT_CONFIG_COUNT")
    count = int(told)
    for number, (key, value) in enumerate(_QUIET.items(), start=count):
        kept[f"GIT_CONFIG_KEY_{number}"] = key
        kept[f"GIT_CONFIG_VALUE_{number}"] = value
    kept["GIT_CONFIG_COUNT"] = str(count + len(_QUIET))
    kept |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C"}
    return kept


_ABSOLUTE = "--path-format=absolute"
_RENAME = "rename that folder"
_DUBIOUS = re.compile(r"detected dubious ownership in repository at '(.*)'")


class Repo:
    """A clone: its work tree's top (or its git directory when bare), git directories, and how to run git in it."""

    def __init__(self, top: Path, git_dir: Path, common_dir: Path, object_format: str, env: Mapping[str, str]) -> None:
        self.top = top
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.object_format = object_format
        self.env = env

    @classmethod
    def discover(cls, cwd: Path, environ: Mapping[str, str]) -> "Repo":
        """The repository that git itself finds from `cwd`; UsageError when there is none or it has no work tree."""
        env = environment(environ)
        asked = ["--show-object-format", "--git-dir", "--git-common-dir", "--show-toplevel"]
        done = run(["rev-parse", _ABSOLUTE, *asked], cwd, env)
        # names of folders, in the system's encoding
        lines = [os.fsdecode(line) for line in done.out.removesuffix(b"\n").split(b"\n")]
        if lines[0] == _ABSOLUTE:  # git before 2.31 gives back what it does not know
            raise GitError("this git is too old", hint=NEEDED)
        if done.code and len(lines) < len(asked) - 1:
            raise _no_repository(cwd, done.err)
        if done.code:
            raise UsageError(f"{cwd} has no work tree", hint="change to a clone with a work tree: git clone makes one")
        if len(lines) != len(asked):
            why = "git tells us its folders line by line"
            raise UsageError(f"the path of this repository holds a line break: {str(cwd)!r}\n  {why}", hint=_RENAME)
        object_format, git_dir, common_dir, top = lines
        # What is relative was so to where we were called, and git is run at the top.
        env |= {name: path for name, path in zip(REPOSITORY, (git_dir, top, common_dir), strict=True) if name in env}
        return cls(Path(top), Path(git_dir), Path(common_dir), object_format, env)

    def git(
        self,
        *args: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        index: Path | None = None,
        elsewhere: bool = False,
        ok: tuple[int, ...] = (0,),
    ) -> Result:
        """Run `git <args>` at the top; `index` replaces the index file, `elsewhere` names another repository in `args`.

        GitError when the exit code is not in `ok`.
        """
        whole = {**(apart(self.env) if elsewhere else self.env), **(env or {})}
        if index is not None:
            whole["GIT_INDEX_FILE"] = str(index)
        done = run(args, self.top, whole, stdin or b"")
        if done.code not in ok:
            raise failed(args, done)
        return done

    def begin(self, *args: str) -> Underway:
        """`git <args>` on its way, where nobody can be asked for a password; to be waited for later."""
        return Underway(args, self.top, self.env)

    def git_within(self, seconds: float, *args: str) -> Result:
        """Run `git <args>` where nobody can be asked for a password; GitError when that takes longer than `seconds`."""
        return run_within(seconds, args, self.top, self.env)

    def reading(self, *args: str, stdin: bytes) -> AbstractContextManager[IO[bytes]]:
        """What `git <args>` answers, while it still looks for the rest. GitError at the end when it has failed."""
        return reading(args, self.top, self.env, stdin)

    def resolve(self, *names: str) -> list[str]:
        """The object each name stands for, "" for none. Names hold no newline."""
        found = self.reader.read(names)
        return [there.oid if (there := found[name]) else "" for name in names]

    @cached_property
    def config(self) -> Mapping[str, tuple[str, ...]]:
        """The configuration when it was first asked for, by key (lower case but for subsections); last value last."""
        values: dict[str, tuple[str, ...]] = {}
        for entry in self.git("config", "--null", "--list").text.split("\0"):
            key, _, value = entry.partition("\n")
            values[key] = (*values.get(key, ()), value)
        return values

    def setting(self, key: str) -> str:
        """The value in force of a configuration key; "" when it is not set."""
        return self.config.get(key, ("",))[-1]

    @cached_property
    def reader(self) -> Reader:
        """What answers questions about refs and the record, by one process for as long as this repository is held."""
        return Reader(self.top, self.common_dir, self.env)

    @property
    def state_dir(self) -> Path:
        """Where we keep what is this clone's own: caches, the embedded remote, logs. Not made here."""
        return self.common_dir / "rvexp"

    @property
    def null_oid(self) -> str:
        """The object name that means "no object" in this repository's format."""
        return "0" * (64 if self.object_format == "sha256" else 40)


def _no_repository(cwd: Path, err: str) -> UsageError:
    import shlex  # noqa: PLC0415  only for what went wrong

    hint, told = "git init, or change to your clone", err.strip()
    if "not a git repository" in err:
        return UsageError(f"{cwd} is not in a git repository", hint=hint)
    if "cannot use bare repository" in err:
        hint = f"a work tree is needed: git clone {shlex.quote(str(cwd))} makes one; or change to your clone"
    elif found := _DUBIOUS.search(told):  # git explains the rest over several lines
        told, owned = told.partition("\n")[0], shlex.quote(found[1])
        hint = f"git config --global --add safe.directory {owned}, if you trust whoever owns it"
    elif "unknown repository extension" in err:  # such as refstorage: references in tables
        hint = "install a newer git: the one that made this repository can do more than yours"
        told = " ".join(told.split())
    return UsageError(f"git cannot open the repository at {cwd}\n  {told}", hint=hint)
