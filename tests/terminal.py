"""A command on a terminal of its own, and what the terminal got."""

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path


def on_terminal(
    folder: Path, env: Mapping[str, str], *args: str, columns: int = 80, piped: bool = False
) -> tuple[bytes, bytes]:
    """`git rvexp ARGS` in `folder`: its stdout when that is `piped`, and all that the terminal got."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, columns))
    stdout = subprocess.PIPE if piped else theirs
    child = subprocess.Popen(
        [sys.executable, "-m", "git_rvexp", *args], cwd=folder, env=dict(env), stdout=stdout, stderr=theirs
    )
    os.close(theirs)
    out, got = child.stdout.read() if child.stdout else b"", b""
    try:
        while piece := os.read(ours, 65536):
            got += piece
    except OSError:  # the other side is closed
        pass
    finally:
        os.close(ours)
        child.wait()
    return out, got
