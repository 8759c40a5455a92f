"""The snapshots that records belong to, without opening the tags of all others."""

from collections.abc import Mapping

from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import snapshots
from git_rvexp.record.events import Record
from git_rvexp.terms import Snapshot


def subjects(repo: Repo, records: Mapping[str, Record]) -> dict[str, Snapshot]:
    """The snapshot of each record, by the object it is kept on; one without a tag for what has none (any more)."""
    told = (record.last("snapshot") for record in records.values())
    names = {str(event.get("tag", "")) for event in told if event} - {""}
    found = {s.oid: s for s in snapshots(repo, sorted(names)) if s.oid in records} if names else {}
    left = [oid for oid in records if oid not in found]
    # A record without its first line may still be of a tag, which only a look at all of them can tell.
    if any(kind == "tag" for kind in _kinds(repo, left)):
        found |= {s.oid: s for s in snapshots(repo) if s.oid in records}
    return {oid: found.get(oid) or Snapshot("", oid, oid, "") for oid in records}


def _kinds(repo: Repo, oids: list[str]) -> list[str]:
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    return repo.git("cat-file", "--batch-check=%(objecttype)", stdin=asked).lines if oids else []
