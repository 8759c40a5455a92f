"""The tools that ours is measured beside: each in an environment of its own under .dev/peers, or Debian's package.

Nothing is measured that is not there: `program` gives None, and the table says so.
"""

import shutil
import subprocess
import venv
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / ".dev" / "peers"
PACKAGES = {
    "dvc": ("dvc", ("dvc",)),
    "datalad": ("datalad", ("datalad",)),  # needs Debian's git-annex beside it
    "guild": ("guildai", ("guildai", "setuptools<81")),
    "smt": ("sumatra", ("sumatra", "gitpython", "setuptools<81")),
}
"""Program -> folder and what pip installs. git-lfs, gh, git-annex and aws are Debian's."""
BESIDE = (("plot", ("matplotlib",)),)


def install() -> None:
    """Make the environments that are missing."""
    for folder, wanted in (*PACKAGES.values(), *BESIDE):
        place = FOLDER / folder
        if not (place / "ready").exists():
            venv.create(place, with_pip=True, clear=True)
            done = subprocess.run(
                [place / "bin" / "pip", "install", "-q", *wanted], capture_output=True, text=True, check=False
            )
            print(f"installed {folder}" if not done.returncode else f"{folder}: {done.stderr.strip()[-200:]}")
            if not done.returncode:
                (place / "ready").touch()


def program(name: str) -> str | None:
    """The path of a peer's program; None when it is not on this machine."""
    if name in PACKAGES:
        place = FOLDER / PACKAGES[name][0]
        return str(place / "bin" / name) if (place / "ready").exists() else None
    return "/usr/bin/aws" if name == "aws" and Path("/usr/bin/aws").exists() else shutil.which(name)
