"""Packages in a tar of a file system."""

import io
import tarfile

import pytest

from git_rvexp.data.packages import packages
from git_rvexp.errors import RvexpError

DPKG = """Package: libc6
Status: install ok installed
Version: 2.36-9+deb12u4

Package: gone
Status: deinstall ok config-files
Version: 1

Package: half
Status: install ok installed
"""


def tarred(**files: str) -> bytes:
    """A tar with these files."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return held.getvalue()


def test_three_kinds_are_found() -> None:
    """Debian's list without what was removed, one file each in small images; Alpine's; Python's by their folders."""
    files = {
        "var/lib/dpkg/status": DPKG,
        "var/lib/dpkg/status.d/tzdata": "Package: tzdata\nVersion: 2024a\n",
        "lib/apk/db/installed": "C:Q1x=\nP:musl\nV:1.2.4-r2\n\nP:zlib\nV:1.3-r0\n",
        "usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/PKG-INFO": "",
        "usr/local/lib/python3.12/site-packages/scikit_learn-1.4.2.dist-info/METADATA": "Name: other\n",
        "home/me/numpy-1.0.dist-info/METADATA": "",
    }
    assert packages(iter([tarred(**files)])) == {
        "apk musl": "1.2.4-r2",
        "apk zlib": "1.3-r0",
        "deb libc6": "2.36-9+deb12u4",
        "deb tzdata": "2024a",
        "python pyyaml": "6.0",
        "python scikit-learn": "1.4.2",
    }


def test_a_tar_that_breaks_off_is_an_error() -> None:
    """Half a list is no list."""
    whole = tarred(**{"var/lib/dpkg/status": DPKG * 100})
    with pytest.raises(RvexpError, match="cannot be read"):
        packages(iter([whole[:2000]]))
