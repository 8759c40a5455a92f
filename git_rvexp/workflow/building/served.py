"""The archive that a snapshot's remote serves, with the credentials to ask for it: where it is and who may have it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from git_rvexp.addresses import redacted
from git_rvexp.git import archives
from git_rvexp.git.archives import Archive
from git_rvexp.git.plumbing import Repo
from git_rvexp.images import fetch
from git_rvexp.images.spool import Spool
from git_rvexp.model import Snapshot
from git_rvexp.tree import Entry


@dataclass(frozen=True)
class Served:
    """An archive to be asked for."""

    repo: Repo
    archive: Archive
    given: str

    @classmethod
    def of(
        cls, repo: Repo, snapshot: Snapshot, remote_url: str, archive_url: str, environ: Mapping[str, str]
    ) -> "Served | None":
        """The archive of `snapshot`, by the setting `archive_url`; None where the remote serves none that we know."""
        found = archives.find(remote_url, archive_url, snapshot)
        return cls(repo, found, archives.given(found, remote_url, environ)) if found else None

    @property
    def address(self) -> str:
        """Where it is, without secrets."""
        return redacted(self.archive.url)

    def contents(self, entries: Sequence[Entry], spool: Spool) -> str:
        """Fill `spool` with the files of `entries`, whose sizes are known; "", else why it is not the tree."""
        return fetch.contents(self.archive.url, entries, spool, given=self.given, stored=self._stored)

    def taken(self, read: Callable[[Iterator[bytes]], None], most: int) -> str:
        """Let `read` have its bytes, `most` of them; "" when it raised no Different, else why."""
        return fetch.taken(self.archive.url, read, most, given=self.given, stored=self._stored)

    def _stored(self) -> str:
        return archives.stored(self.repo, self.archive)
