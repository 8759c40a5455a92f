"""Debian packages: which are missing, and one `apt-get install` for all of them."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from stacklib.part import Package
from stacklib.process import StackError
from stacklib.story import say

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# Put here for the length of one apt-get install: start no system service.\nexit 101\n"


def program(name: str) -> str | None:
    """The path of a program on PATH or in the system's folders (`/usr/sbin` is not on everybody's PATH)."""
    return shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + SYSTEM_PATH)


def missing(packages: Iterable[Package]) -> list[str]:
    """The names of the packages that are not installed yet."""
    return sorted({p.name for p in packages if not (program(p.shown_by) or Path(p.shown_by).is_file())})


def install(names: list[str], why: str) -> None:
    """Install Debian packages, saying so first; their system services are not started."""
    if not names:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *names]
    if program("apt-get") is None:
        raise StackError(f"{why} needs the Debian packages {' '.join(names)}, and this system has no apt-get.")
    if os.geteuid() != 0:
        raise StackError(f"{why} needs Debian packages. As root, run:\n    {' '.join(command)}\nand try again.")
    say(f"Installing Debian packages for {why}: {' '.join(names)} (their system services are not started)")
    ours = _forbid_services()
    try:
        if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
            _apt("update")
        if subprocess.run(command, env=_env(), capture_output=True, check=False).returncode:
            _apt("update")  # lists may be older than what the mirror still keeps
            _apt(*command[1:])
    finally:
        if ours:
            POLICY.unlink(missing_ok=True)


def _env() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}


def _apt(*arguments: str) -> None:
    done = subprocess.run(["apt-get", *arguments], env=_env(), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-12:])
        raise StackError(f"apt-get {arguments[0]} failed:\n{lines}")


def _forbid_services() -> bool:
    """Stop packages from starting their services (invoke-rc.d(8)); an existing policy is left alone."""
    if POLICY.exists():
        return False
    POLICY.write_text(POLICY_TEXT)
    POLICY.chmod(0o755)
    return True
