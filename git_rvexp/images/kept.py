"""Small things of registries kept in the clone: blobs and manifests by their digest, and what was found out by asking.

What is kept by digest is good for ever and hashed whenever it is read; a name's digest, or how a registry behaves, is a
hint that saves a request and is dropped when it proves wrong or old. All of it may be deleted at any time.
"""

import contextlib
import hashlib
import time
from pathlib import Path
from typing import NamedTuple

from git_rvexp.errors import UsageError
from git_rvexp.jitter import token
from git_rvexp.names import Digest

_LASTS = 30 * 86400  # seconds; registries are replaced by newer ones


class Kept(NamedTuple):
    """A folder; it is made when something is first kept in it. A folder that cannot be written keeps nothing."""

    folder: Path

    def get(self, digest: Digest) -> bytes | None:
        """The bytes named `digest`; None when they are not here, or damaged."""
        with contextlib.suppress(OSError):
            data = self._blob(digest).read_bytes()
            return data if Digest.of(data) == digest else None
        return None

    def put(self, data: bytes) -> None:
        """Keep the bytes by their digest."""
        self._write(self._blob(Digest.of(data)), data)

    def named(self, name: str) -> Digest | None:
        """What `name` stood for when it was last looked up."""
        with contextlib.suppress(OSError, UsageError):
            return Digest(self._name(name).read_text("ascii"))
        return None

    def name(self, name: str, digest: Digest) -> None:
        """Remember what `name` stands for."""
        self._write(self._name(name), str(digest).encode())

    def forget(self, name: str) -> None:
        """What was remembered of `name` is wrong."""
        with contextlib.suppress(OSError):
            self._name(name).unlink()

    def noted(self, question: str) -> bool | None:
        """The answer that was found; None when nobody asked, or so long ago that it may be another one now."""
        with contextlib.suppress(OSError):
            note = self._note(question)
            if time.time() - note.stat().st_mtime < _LASTS:
                return note.read_bytes() == b"yes"
        return None

    def note(self, question: str, *, answer: bool) -> None:
        """Remember the answer."""
        self._write(self._note(question), b"yes" if answer else b"no")

    def _blob(self, digest: Digest) -> Path:
        return self.folder / digest.text.replace(":", "-")

    def _name(self, name: str) -> Path:
        return self.folder / f"name-{hashlib.sha256(name.encode()).hexdigest()}"

    def _note(self, question: str) -> Path:
        return self.folder / f"note-{hashlib.sha256(question.encode()).hexdigest()}"

    def _write(self, path: Path, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            half = path.with_name(f"{path.name}.{token()}")
            half.write_bytes(data)
            half.replace(path)
