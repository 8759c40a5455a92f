"""A tree's contents through an archive's address: fetched, unpacked as a stream, held against the tree."""

from collections.abc import Callable, Iterator, Sequence

from git_rvexp import http
from git_rvexp.addresses import redacted
from git_rvexp.errors import RvexpError
from git_rvexp.images import archive
from git_rvexp.images.spool import Spool
from git_rvexp.images.unpacking import Different
from git_rvexp.tree import Entry

_SHUT = (401, 403, 404)  # forges answer 404 for what a stranger may not know of
_SECONDS = 3600
DIFFERENT = "the archive is not the tag's tree"
"""How the answer begins when the archive was read and is another."""


def contents(url: str, entries: Sequence[Entry], spool: Spool, *, given: str, stored: Callable[[], str]) -> str:
    """Fill `spool` with the files of `entries`; "" when all are there and proven, else why not, in a few words.

    `given` and `stored` as below.
    """
    read = lambda chunks: archive.read(chunks, entries, spool)  # noqa: E731  a name for what is one
    return taken(url, read, archive.bound(entries), given=given, stored=stored)


def taken(
    url: str, read: Callable[[Iterator[bytes]], None], most: int, *, given: str, stored: Callable[[], str]
) -> str:
    """Let `read` have the archive's bytes, `most` of them; "" when it raised no Different, else why, in a few words.

    `given` is an Authorization value to start with, `stored` finds another one when the door is shut.
    """
    try:
        status = _once(url, read, most, given)
        if status in _SHUT:
            kept = stored()
            status = _once(url, read, most, kept) if kept and kept != given else status
    except Different as why:
        return f"{DIFFERENT}: {why}"
    except RvexpError as why:
        return str(why)
    if status == 200:
        return ""
    shut = " (no access, or no archive there)" if status in _SHUT else ""
    return f"{redacted(url)} answered {status}{shut}"


def _once(url: str, read: Callable[[Iterator[bytes]], None], most: int, authorization: str) -> int:
    limits = http.Limits(size=most, seconds=_SECONDS)
    with http.exchange("GET", url, authorization=authorization, limits=limits) as answer:
        if answer.status == 200:
            read(answer.chunks())
        return answer.status
