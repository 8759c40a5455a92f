"""A place beside the clone where a tree is made: a copy of the index, and an object store of its own.

What is made there is seen by nobody and gone afterwards, unless it is kept: so what is refused (a secret, a huge file)
leaves no object behind. Git's own receive-pack keeps what is pushed in the same way until it is checked.
"""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.errors import GitError
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.process import Result
from git_rvexp.jitter import token

_STALE = 86_400  # seconds; longer than any snapshot takes
_PIECE = 1 << 20  # bytes
# How the mode of a link to another repository's commit stands in an index file (git's index-format, "32-bit mode").
_LINK_MODE = (0o160000).to_bytes(4, "big")
_SPLIT = b"link"  # the signature of an index whose entries are in another file


@dataclass(frozen=True)
class Scratch:
    """An index file and an object store for `repo`. `may_link` is False when the index surely holds no gitlink."""

    repo: Repo
    index: Path
    objects: Path
    may_link: bool = True

    @property
    def env(self) -> dict[str, str]:
        """What makes git write its objects here and read the clone's as well."""
        store = _quoted(str(self.repo.common_dir / "objects"))
        return {"GIT_OBJECT_DIRECTORY": str(self.objects), "GIT_ALTERNATE_OBJECT_DIRECTORIES": store}

    def git(self, *args: str, stdin: bytes | None = None, ok: tuple[int, ...] = (0,)) -> Result:
        """Run git on this index and this store."""
        return self.repo.git(*args, stdin=stdin, env=self.env, index=self.index, ok=ok)

    def keep(self) -> None:
        """Move the objects into the clone's store. Nothing is overwritten: a name stands for its content."""
        for folder in sorted(self.objects.iterdir()):
            target = self.repo.common_dir / "objects" / folder.name
            try:
                if folder.name not in ("info", "pack") and not target.exists():
                    with suppress(OSError):  # somebody else made it in between: file by file then
                        folder.rename(target)
                        continue
                for path in sorted(folder.iterdir(), key=lambda p: (p.suffix == ".idx", p.name)):
                    target.mkdir(exist_ok=True)
                    if not (target / path.name).exists():
                        _move(path, target / path.name)
            except OSError as why:
                raise GitError(f"the objects of the snapshot cannot be kept: {why}") from why


@contextmanager
def scratch(repo: Repo) -> Iterator[Scratch]:
    """A copy of the user's index with its times, and an empty store; both are gone when the block ends."""
    copy = repo.state_dir / f"index-{token()}"
    objects = repo.state_dir / f"objects-{token()}"
    _sweep(repo)
    try:
        may_link = _copy(repo.git_dir / "index", copy, objects)
        yield Scratch(repo, copy, objects, may_link)
    finally:
        with suppress(OSError):  # never made, or on a disk that cannot be written: the error under way says more
            copy.unlink()
        shutil.rmtree(objects, ignore_errors=True)


def _sweep(repo: Repo) -> None:
    """Take away what killed snapshots left behind."""
    with suppress(OSError):  # not there yet
        for left in os.scandir(repo.state_dir):
            if left.name.startswith(("index-", "objects-")) and time.time() - left.stat().st_mtime > _STALE:
                if left.is_dir(follow_symlinks=False):
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    Path(left).unlink()


def _copy(real: Path, copy: Path, objects: Path) -> bool:
    """Copy content and times from one open file: a copy with another time misses edits made within the same second."""
    try:
        objects.mkdir(parents=True)
        with real.open("rb") as source:
            content = source.read()
            times = os.fstat(source.fileno())
        copy.write_bytes(content)
        os.utime(copy, ns=(times.st_atime_ns, times.st_mtime_ns))
    except FileNotFoundError:  # an unborn branch has no index yet
        return False
    except OSError as why:
        raise GitError(f"the index cannot be copied: {why}") from why
    return _LINK_MODE in content or _SPLIT in content


def _move(path: Path, target: Path) -> None:
    """Rename `path`, or copy it to another file system (`objects` may be a link) so that it appears there whole."""
    try:
        path.rename(target)
    except OSError as why:
        if why.errno != errno.EXDEV:
            raise
        partial = target.with_name(f"tmp_obj_{token()}")  # git reads no such file, and prunes one that was left
        try:
            with path.open("rb") as source, partial.open("xb") as copy:
                shutil.copyfileobj(source, copy, _PIECE)
                copy.flush()
                os.fsync(copy.fileno())
            shutil.copymode(path, partial)
            partial.rename(target)
        except OSError:
            partial.unlink(missing_ok=True)
            raise


def _quoted(path: str) -> str:
    """A path for git's list of alternates, where ":" divides and a quote begins a quoted path."""
    if os.pathsep not in path and not path.startswith('"'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
