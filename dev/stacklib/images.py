"""Base images that need no public registry: Debian with Python from debootstrap, and BusyBox alone.

The archives are kept in the user's cache folder, so that another clone needs seconds, not half a minute.
"""

import io
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from stacklib import engine, paths
from stacklib.apt import program
from stacklib.part import Package, Part, Running
from stacklib.process import StackError
from stacklib.story import say

SUITE = "bookworm"
BASE = f"rvexp-base:{SUITE}"
TINY = "rvexp-tiny:latest"
EXPORTS = {"RVEXP_DEV_BASE_IMAGE": BASE, "RVEXP_DEV_TINY_IMAGE": TINY}
LEAVE_OUT = (
    "var/cache/apt/archives/*.deb",
    "var/lib/apt/lists/*",
    "var/log/*.log",
    "usr/share/doc/*",
    "usr/share/man/*",
)


def _archive(name: str) -> Path:
    return paths.cache() / f"{name}-{platform.machine()}.tar.gz"


def packages() -> tuple[Package, ...]:
    """What is needed to make the archives that are not in the cache yet."""
    wanted = []
    if not _archive(f"base-{SUITE}").exists():
        wanted.append(Package("debootstrap", "debootstrap"))
    if not _archive("tiny").exists():
        wanted.append(Package("busybox-static", "/usr/share/doc/busybox-static/copyright"))
    return tuple(wanted)


def start() -> Running:
    """Bring both images into the engine."""
    if not has(BASE):
        archive = _archive(f"base-{SUITE}")
        if not archive.exists():
            _make_base(archive)
        _import(archive, BASE, "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if not has(TINY):
        archive = _archive("tiny")
        if not archive.exists():
            _make_tiny(archive)
        _import(archive, TINY, "ENV PATH=/bin")
    return Running(f"{BASE}, {TINY}", exports=EXPORTS)


def has(image: str) -> bool:
    """Whether the engine has the image."""
    return engine.docker("image", "inspect", "--format", "{{.Id}}", image).returncode == 0


def copy(image: str, host: str) -> None:
    """Bring an image of the stack's engine into another one."""
    command = [program("docker") or "docker", "--host"]
    with subprocess.Popen([*command, engine.address(), "save", image], stdout=subprocess.PIPE) as saved:
        done = subprocess.run([*command, host, "load"], stdin=saved.stdout, capture_output=True, text=True, check=False)
    if done.returncode or saved.returncode:
        raise StackError(f"{image} could not be brought into {host}: {done.stderr.strip()}")


def answers(_running: Running) -> bool:
    """Whether the engine has both images."""
    return has(BASE) and has(TINY)


def _import(archive: Path, image: str, path: str) -> None:
    changes = [path, "ENV LANG=C.UTF-8", "ENV PYTHONUNBUFFERED=1", f"LABEL org.opencontainers.image.title={image}"]
    done = engine.docker("import", *(f"--change={change}" for change in changes), str(archive), image)
    if done.returncode:
        raise StackError(f"docker import of {archive} failed: {done.stderr.strip()}")


def _make_base(archive: Path) -> None:
    if os.geteuid() != 0:
        raise StackError("debootstrap, which makes the base image, needs root: run dev/stack up as root once.")
    say(f"Making the base image {BASE} with debootstrap, once (about half a minute)")
    with tempfile.TemporaryDirectory(prefix="rvexp-base-", dir=archive.parent) as scratch:
        root, made = Path(scratch) / "root", Path(scratch) / "made.tar.gz"
        command = [program("debootstrap") or "debootstrap", "--variant=minbase", "--include=python3"]
        done = subprocess.run([*command, SUITE, str(root)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError("debootstrap failed:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-10:]))
        for pattern in LEAVE_OUT:
            for path in root.glob(pattern):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        pack = ["tar", "--create", "--one-file-system", "--numeric-owner", "-I", "gzip -1", "-f", str(made)]
        subprocess.run([*pack, "-C", str(root), "."], check=True)
        made.replace(archive)


def _make_tiny(archive: Path) -> None:
    say(f"Making the small image {TINY} from busybox-static")
    busybox = "/bin/busybox"
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    with (
        tempfile.NamedTemporaryFile(prefix="rvexp-tiny-", dir=archive.parent, delete=False) as out,
        tarfile.open(fileobj=out, mode="w:gz") as tar,
    ):
        for name, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("root", 0o700)):
            tar.addfile(_entry(name, tarfile.DIRTYPE, mode))
        tar.add(busybox, "bin/busybox")
        for applet in applets:
            if applet != "busybox":
                tar.addfile(_entry(f"bin/{applet}", tarfile.SYMTYPE, 0o777, "busybox"))
        users = b"root:x:0:0:root:/root:/bin/sh\n"
        tar.addfile(_entry("etc/passwd", tarfile.REGTYPE, 0o644, size=len(users)), io.BytesIO(users))
    Path(out.name).replace(archive)


def _entry(name: str, kind: bytes, mode: int, target: str = "", size: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.linkname, entry.size = kind, mode, target, size
    return entry


PART = Part("base", start, answers, packages, after=("engine",))
