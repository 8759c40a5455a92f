"""What a partial clone lacks of a snapshot, from the archive that the remote serves: all of it at once, and proven.

Asked for when something that is lacking is wanted, and used where the archive proves to be the snapshot's tree. Else
the reason is said, and git fetches what is read from where the clone came, as it does for everybody.
"""

import functools
import weakref
from collections.abc import Mapping

from git_rvexp.git.catfile import CatFile
from git_rvexp.git.objects import Objects
from git_rvexp.git.partial import Partial
from git_rvexp.git.plumbing import Repo
from git_rvexp.images import archive, unpacking
from git_rvexp.images.recipe import Say
from git_rvexp.images.spool import Spool
from git_rvexp.model import Snapshot
from git_rvexp.tree import FOLDER
from git_rvexp.workflow.building.served import Served


class Lending:
    """The objects of a partial clone and of the archives that fill its gaps.

    `source` is the address that a snapshot's objects came from, by its tree: "" where its archive was no help.
    """

    def __init__(self, repo: Repo, remote_url: str, archive_url: str, environ: Mapping[str, str], say: Say) -> None:
        self._own = CatFile(repo.common_dir, repo.env)
        self._served = functools.partial(
            Served.of, repo, remote_url=remote_url, archive_url=archive_url, environ=environ
        )
        self._say = say
        self._whole = Partial(repo, self._own)
        self.objects = Objects.of(repo, read=self._whole)
        self.source: dict[str, str] = {}
        self._offered: set[str] = set()

    def offer(self, snapshot: Snapshot) -> None:
        """Let its archive fill what the clone lacks of it; once, however often it is offered."""
        served = self._served(snapshot) if snapshot.commit not in self._offered else None
        self._offered.add(snapshot.commit)
        if served:
            self._whole.take(snapshot.commit, functools.partial(self._lent, served, snapshot))

    def _lent(self, served: Served, snapshot: Snapshot, lacking: frozenset[str]) -> Spool | None:
        spool, tree = Spool(), snapshot.tree
        weakref.finalize(self._whole, spool.close)
        self._say(f"partial clone: taking what is missing of {snapshot.tag} from {served.address}")
        known = Objects(self.objects.git_dir, read=self._own).names(tree, closed=lacking)
        most = unpacking.room()
        if any(entry.mode == FOLDER for entry in known):
            why = served.taken(lambda chunks: archive.rebuilt(chunks, tree, spool, most), most)
        else:  # all trees are here, so each file's name is known, and what a submodule stands at
            why = served.taken(lambda chunks: archive.read(chunks, known, spool, unsized=most), most)
        self.source[tree] = "" if why else served.address
        if why:
            spool.close()
            self._say(f"git fetches what is missing from where the clone came, since {why}")
        return None if why else spool
