"""Pushing large files: as they are, since looking for what they share costs git most of a push."""

import os
from pathlib import Path

import pytest

from tests.conftest import Clone

MEGABYTE = 1 << 20


@pytest.mark.parametrize(("size", "whole"), [(17 * MEGABYTE, True), (MEGABYTE, False)])
def test_only_small_files_are_sent_as_what_differs(clone: Clone, tmp_path: Path, size: int, *, whole: bool) -> None:
    """Of two versions of a large file the experiments remote's pack holds both; of small ones one."""
    shared = tmp_path / "shared.git"
    clone.git("init", "-q", "--bare", str(shared))
    clone.git(f"--git-dir={shared}", "config", "receive.unpackLimit", "1")  # keep the pack as it was sent
    clone.git("config", "rvexp.experimentsRemote", str(shared))
    clone.git("config", "rvexp.snapshot.maxFile", "0")
    clone.git("config", "core.compression", "0")
    noise = os.urandom(size)
    for name in ("one", "two"):
        (clone.path / name).write_bytes(noise + name.encode())
    done = clone.rvexp("snapshot", "large")
    assert done.returncode == 0, done.stderr
    asked = ("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(deltabase)")
    told = clone.git(f"--git-dir={shared}", *asked).splitlines()
    bases = [line.split()[1].strip("0") for line in told if line.startswith("blob")]
    assert (len(bases) > 2, any(bases)) == (True, not whole)
