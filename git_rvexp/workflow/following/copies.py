"""Copies of logs that were kept: in the clone's git directory, and in the store where one is configured.

The record holds each copy's SHA-256 and, of one in the store, where it stands. A copy is believed only when it has a
recorded checksum, whoever gave it to us.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from git_rvexp.data.store import Store, UnequalError, content_uri, is_below
from git_rvexp.errors import RvexpError
from git_rvexp.jitter import token
from git_rvexp.names import Digest
from git_rvexp.record.events import Event
from git_rvexp.record.runs import Run
from git_rvexp.workflow.context import Context


@dataclass(frozen=True)
class Kept:
    """A log that was kept; `uri` is its place in the store, "" when it is in this clone only."""

    path: Path
    lines: int
    size: int
    digest: Digest
    uri: str = ""


def written(context: Context, run: Run, index: str, lines: Iterable[str]) -> Kept:
    """Write a log into the git directory."""
    path = _path(context, run, index)
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, count, size = hashlib.sha256(), 0, 0
    partial = path.with_name(f"{path.name}.{token()}")  # another command may be keeping the same log
    try:
        with partial.open("wb") as file:
            for line in lines:
                data = line.encode("utf-8", "surrogateescape") + b"\n"
                digest.update(data)
                file.write(data)
                count, size = count + 1, size + len(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return Kept(path, count, size, Digest(f"sha256:{digest.hexdigest()}"))


def stored(context: Context, kept: Kept) -> str:
    """Put the copy into the configured store; its place there."""
    settings = context.trusted()
    with kept.path.open("rb") as file:
        return Store(settings).put(content_uri(settings.store, "logs", kept.digest, ".log"), file).uri


def found(context: Context, run: Run, index: str) -> tuple[bytes, str] | None:
    """A copy of the log, and where it was found; None when none is known.

    UnequalError when one is there and is not what the record says.
    """
    known = [e for e in run.events if e.kind == "log" and e.get("child") == child(index)]
    path = _path(context, run, index)
    here = path.read_bytes() if path.is_file() else None
    if here is not None and hashlib.sha256(here).hexdigest() in [e.get("sha256") for e in known]:
        return here, "the copy kept in this clone"
    named = [e for e in known if e.get("uri")]
    there = [e for e in named if is_below(context.trusted().store, str(e.get("uri")))]
    if there:
        return _fetched(context, path, there[-1]), f"the copy kept at {there[-1].get('uri')}"
    if named:
        context.warn(f"the record names a copy at {named[-1].get('uri')}, which is not in your store: it is not read")
    if here is not None:
        raise UnequalError(f"the kept log {path} is not the one whose checksum the record holds")
    return None


def child(index: str) -> int | None:
    """The child of an array as the record names it; None for a whole job."""
    return int(index) if index else None


def _fetched(context: Context, path: Path, event: Event) -> bytes:
    """The copy in the store, kept here from now on unless another one stands in its place."""
    partial = path.with_name(f"{path.name}.{token()}")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("wb") as file:
            Store(context.trusted()).get(str(event.get("uri")), _digest(event), file)
        if not path.exists():
            return partial.rename(path).read_bytes()
        return partial.read_bytes()
    finally:
        partial.unlink(missing_ok=True)


def _digest(event: Event) -> Digest:
    try:
        return Digest(f"sha256:{event.get('sha256')}")
    except RvexpError as why:
        raise UnequalError(f"the record's line about the log holds no checksum: {event.get('sha256')!r}") from why


def _path(context: Context, run: Run, index: str) -> Path:
    return context.repo.state_dir / "logs" / (f"{run.run}-{index}.log" if index else f"{run.run}.log")
