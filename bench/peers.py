"""The tools that ours is measured beside: each in an environment of its own under .dev/peers, or Debian's package.

Nothing is measured that is not there: `program` gives None, and the table says so.
"""

import re
import shutil
import subprocess
import venv
from pathlib import Path

import debian_peers

FOLDER = Path(__file__).resolve().parents[1] / ".dev" / "peers"
_DATALAD = ("datalad", ("datalad", "git-annex"))  # DataLad keeps everything with git-annex
PACKAGES = {
    "dvc": ("dvc", ("dvc",)),
    "datalad": _DATALAD,
    "git-annex": _DATALAD,
    "guild": ("guildai", ("guildai", "setuptools<81")),
    "smt": ("sumatra", ("sumatra", "gitpython", "setuptools<81")),
}
"""Program -> folder and what pip installs. git-lfs, gh and aws are Debian's."""
_LONGEST = 600  # seconds for one download
BESIDE = (("plot", ("matplotlib",)),)
DEBIAN = FOLDER / "debian"
NEWER = ("crane", "docker-buildx")
"""Programs that only a newer Debian has."""


def install() -> None:
    """Make the environments that are missing."""
    for folder, wanted in (*PACKAGES.values(), *BESIDE):
        place = FOLDER / folder
        if not (place / "ready").exists():
            try:
                venv.create(place, with_pip=True, clear=True)
                pip = [place / "bin" / "pip", "install", "-q", *wanted]
                subprocess.run(pip, capture_output=True, text=True, check=True, timeout=_LONGEST)
            except (OSError, subprocess.SubprocessError) as why:
                told = (getattr(why, "stderr", "") or str(why)).strip()[-200:]
                print(f"{folder} could not be installed and is left out: {told}")
            else:
                print(f"installed {folder}")
                (place / "ready").touch()
    beside_docker()


def beside_docker() -> None:
    """Get crane and buildx, where they are missing."""
    debian_peers.install(DEBIAN)


def linux() -> Path | None:
    """The archive of Linux' source tree, from Debian's newest linux-source package; None without one."""
    place = FOLDER / "linux"
    if not any(place.glob("linux-source-*.tar.xz")):
        try:
            _fetch(place)
        except (OSError, subprocess.SubprocessError) as why:
            print(f"linux-source could not be fetched: {why}")
    return next(iter(sorted(place.glob("linux-source-*.tar.xz"))), None)


def _fetch(place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    told = subprocess.run(["apt-cache", "depends", "linux-source"], capture_output=True, text=True, check=True).stdout
    package = next(iter(re.findall(r"Depends: (linux-source-\S+)", told)), "linux-source-6.1")
    # as root apt would read as another user, who may not see our folders
    words = ["apt-get", "-o", "APT::Sandbox::User=root", "download", "-q", package]
    subprocess.run(words, cwd=place, check=True, capture_output=True, timeout=_LONGEST)
    for deb in place.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb.name, "unpacked"], cwd=place, check=True)
        for archive in place.glob("unpacked/usr/src/linux-source-*.tar.xz"):
            archive.rename(place / archive.name)
        deb.unlink()
    shutil.rmtree(place / "unpacked", ignore_errors=True)


def program(name: str) -> str | None:
    """The path of a peer's program; None when it is not on this machine."""
    if name in NEWER:
        return str(DEBIAN / name) if (DEBIAN / name).exists() else None
    if name in PACKAGES:
        place = FOLDER / PACKAGES[name][0]
        return str(place / "bin" / name) if (place / "ready").exists() else None
    return "/usr/bin/aws" if name == "aws" and Path("/usr/bin/aws").exists() else shutil.which(name)
