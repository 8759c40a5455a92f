"""Which packages a file system holds, from a tar of it: Debian's and Alpine's lists, and Python's *.dist-info names.

Other package managers, and programs that were copied in without one, are not seen.
"""

import re
import tarfile
from collections.abc import Iterator

from git_rvexp import tars
from git_rvexp.errors import RvexpError

_DEBIAN = re.compile(r"var/lib/dpkg/(?:status|status\.d/[^/]+)")
_ALPINE = "lib/apk/db/installed"
_PYTHON = re.compile(r"(?:^|.*/)(?:site|dist)-packages/([^/]+?)-([^/-]+)\.(?:dist|egg)-info(?:/.*|-.*)?")
_LARGEST = 64 << 20


def packages(chunks: Iterator[bytes]) -> dict[str, str]:
    """Kind and name of each package (`deb libc6`, `apk musl`, `python numpy`) with its version, in order."""
    found: dict[str, str] = {}
    try:
        with tars.opened(chunks) as tar:
            for member in tar:
                found.update(_of(tar, member))
    except tarfile.TarError as why:
        raise RvexpError(f"the image's files cannot be read: {why}") from why
    return dict(sorted(found.items()))


def _of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, str]:
    path = member.name.removeprefix("./")
    python = _PYTHON.fullmatch(path)
    if python:
        return {f"python {python[1].lower().replace('_', '-')}": python[2]}
    if _DEBIAN.fullmatch(path):
        return {f"deb {name}": version for name, version in _stanzas(tar, member, "Package: ", "Version: ")}
    if path == _ALPINE:
        return {f"apk {name}": version for name, version in _stanzas(tar, member, "P:", "V:")}
    return {}


def _stanzas(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, version: str) -> Iterator[tuple[str, str]]:
    """Name and version of each paragraph that has both and is not of a removed package."""
    content = tar.extractfile(member) if member.isreg() and member.size <= _LARGEST else None
    text = content.read().decode("utf-8", "replace") if content else ""
    for stanza in text.split("\n\n"):
        lines = stanza.split("\n")
        told = [next((line[len(start) :] for line in lines if line.startswith(start)), "") for start in (name, version)]
        status = next((line for line in lines if line.startswith("Status: ")), "")
        if all(told) and (not status or status.endswith(" installed")):
            yield told[0], told[1]
