"""Programs by others that read what we write: `.dev/readers`, an environment of its own, for tests only.

Trackers' clients and validators of the formats that `export` writes. They do not go into `.venv`: they bring a hundred
packages, some of them pinned to years that ours are not.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from stacklib import paths
from stacklib.locks import alone
from stacklib.process import StackError
from stacklib.story import say

PACKAGES = (
    "mlflow-skinny>=3.17",
    "wandb>=0.31",
    "rocrate>=0.16",
    "roc-validator>=0.13",
    "in-toto-attestation>=0.9.3",
    "cffconvert>=2.0",
)


def ensure() -> Path:
    """The environment's Python; it is made, or made anew, when the list above has changed."""
    folder = paths.DEV / "readers"
    stamp, wanted = folder / "rvexp-installed", hashlib.sha256("\n".join(PACKAGES).encode()).hexdigest()
    with alone("readers"):
        if not stamp.exists() or stamp.read_text() != wanted:
            say("Installing readers of the exported formats with pip (dev/stacklib/readers.py) into .dev/readers")
            _run(sys.executable, "-m", "venv", "--clear", str(folder))
            _run(str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *PACKAGES)
            stamp.write_text(wanted)
    return folder / "bin/python"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-15:])
        raise StackError(f"{' '.join(command)} failed:\n{lines}")
