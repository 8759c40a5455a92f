"""Ways to kill a process at an exact step, from outside: no failpoint stands in the program itself.

`Shim` is a `git` that counts its calls and kills whoever called it, before or after the real git has run; `Killer` is a
gate for the fault proxy that kills when a certain request comes by. Both kill with SIGKILL, so nothing is cleaned up,
unless another signal is asked for.
"""

import copy
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from tests.faults.actions import Action, Hangup, Hold
from tests.faults.exchange import Wire
from tests.faults.http1 import Head
from tests.faults.proxy import FaultProxy

When = Literal["before", "after", "interrupt"]
"""Kill before or after the real git runs; or interrupt the whole process group, as Ctrl-C on a terminal does."""

_SHIM = """\
#!/bin/sh
printf '%s\\n' "$*" >>"$KILL_LOG"
[ "$(wc -l <"$KILL_LOG")" -eq "$KILL_AT" ] || exec {git} "$@"
[ "$KILL_WHEN" != interrupt ] || {{ kill -INT 0; exec {git} "$@"; }}
[ "$KILL_WHEN" = before ] || {git} "$@"
kill -9 $PPID
"""
# The plumbing that leaves something behind; every other call only reads.
_WRITES = frozenset(
    [
        "add",
        "commit-tree",
        "config",
        "fetch",
        "hash-object",
        "init",
        "mktag",
        "mktree",
        "push",
        "unpack-objects",
        "update-index",
        "update-ref",
        "write-tree",
    ]
)
_READS = frozenset(("--get", "--get-regexp", "--list"))


@dataclass(frozen=True)
class Shim:
    """A folder with a `git` of ours, to stand first on PATH. git's own children find the real one."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Self:
        """Write it."""
        real = shutil.which("git")
        assert real
        folder.mkdir()
        (folder / "git").write_text(_SHIM.format(git=real))
        (folder / "git").chmod(0o755)
        return cls(folder)

    def environ(self, at: int, when: When = "before") -> dict[str, str]:
        """What the process to be killed is given: it dies at its git call number `at`, counted from 1; 0: never."""
        self.log.write_text("")
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "KILL_LOG": str(self.log), "KILL_AT": str(at), "KILL_WHEN": when}

    @property
    def log(self) -> Path:
        """The calls so far, one a line."""
        return self.folder / "log"

    @property
    def calls(self) -> list[str]:
        """The git commands of the last run, as `word word …`."""
        return self.log.read_text().splitlines()


def writes(call: str) -> bool:
    """Whether a git call can have changed something on the disk or on the remote."""
    words = call.split()
    return bool(_WRITES & set(words)) and not _READS & set(words)


class Killer(threading.Event):
    """A gate that never holds: it kills (or signals) the process it was aimed at, and lets things go on."""

    def __init__(self, *signals: signal.Signals) -> None:
        super().__init__()
        self.signals = signals or (signal.SIGKILL,)
        self.victim: subprocess.Popen[str] | None = None
        self.used = False
        self._aimed = threading.Event()

    def aim(self, victim: subprocess.Popen[str]) -> None:
        """Whom to kill."""
        self.victim = victim
        self._aimed.set()

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  an Event's signature
        """Kill; the proxy calls this when the request's turn has come."""
        assert self._aimed.wait(10)
        assert self.victim is not None
        if not self.used:
            self.used = True
            for number in self.signals:
                self.victim.send_signal(number)
            if signal.SIGKILL in self.signals:
                self.victim.wait()
        return True


class WholeProxy(FaultProxy):
    """A fault proxy that has read each request whole before a rule acts: one whose sender is dead can still land.

    Bodies sent in chunks (an engine's layers) pass as they come; their sender, the engine, is not killed.
    """

    def _pass_on(self, client: Wire, head: Head) -> bool:
        if head.get("transfer-encoding"):
            return super()._pass_on(client, head)
        whole = copy.copy(client)
        whole.stream = io.BufferedReader(io.BytesIO(client.stream.read(int(head.get("content-length") or 0))))
        return super()._pass_on(whole, head)


Fate = Literal["lost", "lands", "answered"]


def kill_on(proxy: FaultProxy, number: int, fate: Fate, path: str = "", *, method: str = "*") -> Killer:
    """Kill the client at its request number `number` (from 1) to `path` through `proxy`.

    What becomes of the request: it is lost, it lands after the client's death, or it was answered before.
    """
    killer = Killer()
    actions: dict[Fate, tuple[Action, ...]] = {
        "lost": (Hold(killer, "before"), Hangup("before", reset=False)),
        "lands": (Hold(killer, "before"),),
        "answered": (Hold(killer, "after"), Hangup("after", reset=False)),
    }
    proxy.on(method, path, *actions[fate], skip=number - 1, count=1)
    return killer


def start(folder: Path, env: Mapping[str, str], *words: str) -> subprocess.Popen[str]:
    """Start `git rvexp WORDS` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "git_rvexp", *words],
        cwd=folder,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, env: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The same to its end, whatever that is; a process that was killed has the code -9."""
    process = start(folder, env, *words)
    out, err = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, out, err)
