"""Small things of registries kept in the clone: blobs and manifests by their digest, and which digest a name had.

What is kept by digest is good for ever and hashed whenever it is read; a name's digest is a hint that saves a request
and is dropped when it proves wrong. All of it may be deleted at any time.
"""

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.errors import UsageError
from git_rvexp.jitter import token
from git_rvexp.names import Digest


@dataclass(frozen=True)
class Kept:
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

    def _blob(self, digest: Digest) -> Path:
        return self.folder / digest.text.replace(":", "-")

    def _name(self, name: str) -> Path:
        return self.folder / f"name-{hashlib.sha256(name.encode()).hexdigest()}"

    def _write(self, path: Path, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            half = path.with_name(f"{path.name}.{token()}")
            half.write_bytes(data)
            half.replace(path)
