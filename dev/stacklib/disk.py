"""Room on the disk: what a first run of everything takes, and what the parts have stored, which can be made again."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from stacklib import paths, venv
from stacklib.process import StackError
from stacklib.story import say

FIRST = (
    8  # GB: the environment, the parts, the images with what is only there while they are made, and the tests' files
)


def look() -> None:
    """Say so when a first run is about to begin on a disk that is too small for it."""
    free = shutil.disk_usage(paths.PROJECT).free / 1e9
    if free < FIRST and not ((paths.DEV / "engine").exists() and venv.FOLDER.exists()):
        say(f"Only {free:.1f} GB are free at {paths.PROJECT}: setting up and running everything takes about {FIRST}.")


def clean(names: Iterable[str]) -> int:
    """Remove what these parts, none of them running, have stored; how many bytes that was.

    Raises StackError where something is still mounted there: an engine left it, and removing would go through it.
    """
    freed = 0
    for folder in (paths.DEV / name for name in names):
        if mounted := _mounted(folder):
            raise StackError(f"{mounted} is still mounted.\nhint: umount {mounted}")
        freed += _size(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def _mounted(folder: Path) -> str | None:
    """What is mounted below a folder (proc(5))."""
    places = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    return next((place for place in places if place.startswith(f"{folder}/")), None)


def _size(folder: Path) -> int:
    """The bytes that a folder takes on the disk; a file with several names counts once."""
    seen = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            found = Path(place, name).lstat()
            seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())
