"""Programs as another release of Debian has them, in `.dev/debian`: beside this machine's, of which none is replaced.

The packages and all they need are unpacked, and the programs are made to load their own release's libraries (patchelf),
so no root, no chroot and no container is needed, and they can be used with this machine's other programs. apt gets
lists and a state of its own; packages are checked by Debian's keys as ever.
"""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from stacklib import apt, paths
from stacklib.locks import alone
from stacklib.part import Package
from stacklib.process import StackError
from stacklib.story import say

_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_DEBOOTSTRAP = Package("debootstrap", "debootstrap")
_NEEDED = (Package("patchelf", "patchelf"), Package("debian-archive-keyring", _KEYS))
_SMALLEST = 100_000  # bytes; what is smaller than any program is a script


def bring(suite: str, package: str) -> Path:
    """The folder that stands for `/` of that release, with the package and what it needs; made once."""
    root = paths.folder("debian") / suite / package
    done = root / "unpacked"
    with alone(f"debian-{suite}"):
        if not done.exists():
            apt.install(apt.missing(_NEEDED), "programs of other releases of Debian")
            say(f"Unpacking {package} of Debian {suite} into {root.relative_to(paths.PROJECT)}")
            for archive in _download(suite, package, root.with_name(f"{package}.debs")):
                _run("dpkg", "-x", str(archive), str(root))
            done.touch()
    return root


def adapt(root: Path, programs: Iterable[Path]) -> None:
    """Make the programs below `root` use its loader and libraries, wherever the clone stands now. Scripts are left."""
    triple = f"{platform.machine()}-linux-gnu"
    folders = [folder for folder in (root / "usr/lib" / triple, root / "lib" / triple) if folder.is_dir()]
    loaders = [found for folder in folders for found in sorted(folder.glob("ld-linux*.so.*"))]
    if not loaders:
        raise StackError(f"{root} has no loader for {triple}: delete it and try again.")
    loader = loaders[0].with_name(loaders[0].readlink().name) if loaders[0].is_symlink() else loaders[0]
    search = os.pathsep.join(map(str, folders))
    for program in programs:
        if program.is_symlink() or program.stat().st_size < _SMALLEST:
            continue
        if _run("patchelf", "--print-interpreter", str(program)).strip() != str(loader):  # done, and maybe running
            _run("patchelf", "--set-interpreter", str(loader), "--force-rpath", "--set-rpath", search, str(program))


def _download(suite: str, package: str, folder: Path) -> list[Path]:
    """The archives of the package and all it needs, as if nothing were installed."""
    state = paths.folder("debian") / suite / "apt"
    for made in ("lists/partial", "parts"):
        (state / made).mkdir(parents=True, exist_ok=True)
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={_KEYS}] {_mirror()} {suite} main\n")
    (state / "apt.conf").write_text(
        f'Dir::State "{state}";\nDir::State::status "{state}/status";\nDir::Cache "{state}";\n'
        f'Dir::Cache::archives "{folder}";\nDir::Etc::sourcelist "{state}/sources.list";\nDir::Etc::sourceparts "-";\n'
        f'Dir::Etc::preferencesparts "{state}/parts";\nAcquire::Languages "none";\nAPT::Sandbox::User "";\n'
    )
    env = {**os.environ, "APT_CONFIG": str(state / "apt.conf")}
    _run("apt-get", "update", env=env)
    _run("apt-get", "install", "--yes", "--download-only", "--no-install-recommends", package, env=env)
    return sorted(folder.glob("*.deb"))


def _mirror() -> str:
    """Where this machine gets its Debian packages."""
    told = _run("apt-get", "indextargets", "--format", "$(REPO_URI) $(LABEL)").splitlines()
    found = [uri for uri, _, label in (line.partition(" ") for line in told) if label == "Debian"]
    if found:
        return found[0]
    # On a relative of Debian: where debootstrap, which makes our base image too, looks when it is not told.
    apt.install(apt.missing((_DEBOOTSTRAP,)), "packages of Debian")
    named = re.search(r'^DEF_MIRROR="([^"]+)"', Path(apt.program("debootstrap") or "").read_text(), re.MULTILINE)
    if named is None:
        raise StackError("apt-get knows no Debian packages here; run apt-get update as root once.")
    return named[1]


def _run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-8:])
        raise StackError(f"{' '.join(command[:3])} … failed:\n{lines}")
    return done.stdout
