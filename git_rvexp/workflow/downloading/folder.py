"""The folder that a run's files are put into: each whole or not at all, nowhere but in it, and never over another.

Names come from containers and buckets, so none may lead out: not by itself, and not through a link that is there.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from git_rvexp.errors import RvexpError
from git_rvexp.workflow.resultfile import beside, fill, writing


class LeftError(RvexpError):
    """Why one file stays where it is; the others are none the worse."""


@dataclass(frozen=True)
class Folder:
    """A folder by its real path."""

    top: Path

    def put(self, parts: Sequence[str], pieces: Iterable[bytes], sha256: str = "") -> bool:
        """Make `pieces` the file that `parts` name below the folder; False when the same was there already.

        LeftError when the name leads out, when another file has it, or when the content has not this `sha256` (64
        digits; "": whatever comes). RvexpError when nothing can be written.
        """
        path = self._place(parts)
        with beside(path) as half:
            digest = _written(half, pieces)
            if sha256 and digest != sha256:
                raise LeftError(f"it has changed since: its SHA-256 is {digest}, the record has {sha256}")
            try:
                os.link(half, path)  # unlike a rename, replaces nothing
            except FileExistsError:
                if path.is_symlink() or not path.is_file() or _digest(path) != digest:
                    raise LeftError(f"{path} is there already and differs, and is not written over") from None
                return False
        return True

    def _place(self, parts: Sequence[str]) -> Path:
        if not parts or not all(map(_plain, parts)):
            raise LeftError("its name is none that a file here may have")
        folder = self.top
        for part in parts[:-1]:
            folder /= part
            with writing(folder):
                if not os.path.lexists(folder):
                    folder.mkdir(exist_ok=True)  # somebody else may be making it
                if folder.is_symlink() or not folder.is_dir():
                    raise LeftError(f"{folder} is there already and is no folder: a link is not followed")
        return folder / parts[-1]


def _plain(part: str) -> bool:
    return part not in ("", ".", "..") and "\0" not in part and PurePath(part).name == part


def _written(path: Path, pieces: Iterable[bytes]) -> str:
    """The SHA-256 of what is now in the new file `path`."""
    digest = hashlib.sha256()

    def passing() -> Iterator[bytes]:
        for piece in pieces:
            digest.update(piece)
            yield piece

    fill(path, passing())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
